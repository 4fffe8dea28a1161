"""Text in the fonts that every PDF viewer has: Helvetica, Helvetica Bold and Symbol.

The tables hold the advances of these fonts, so that a text can be set to the length that was measured for it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from netcfg.draw.metrics import stand_in


def _by_character(rows: dict[int, str]) -> dict[str, int]:
    return {character: width for width, characters in rows.items() for character in characters}


REGULAR: Final = _by_character({
    191: "'", 222: "’‘ijl", 260: "|¦", 278: " !,./:;I[\\]ft·¸", 333: "()-r`“”¹²³¡´¨¯", 334: "{}", 350: "•",
    355: '"', 389: "*", 400: "°", 469: "^", 500: "Jcksvxyz", 537: "¶", 556: "#$0123456789?L_abdeghnopqu–µ«»£§€¢¥¤",
    584: "+<=>~×±÷¬", 611: "FTZßø¿", 667: "&ABEKPSVXYÞ", 722: "CDHNRUwÐ", 737: "©®", 778: "GOQØ", 833: "Mm",
    834: "½¼¾", 889: "%æ", 944: "W", 1000: "…—Æ™", 1015: "@", 370: "ª", 365: "º",
})  # fmt: skip
BOLD: Final = _by_character({
    238: "'", 278: " ’,./I\\‘ijl·", 280: "|¦", 333: "!()-:;[]ft`¹²³¡´¨¯¸", 350: "•", 370: "ª", 365: "º",
    389: "*r{}", 400: "°", 474: '"', 500: "z“”", 556: "#$0123456789J_aceksvxy–«»£§€¶¢¥¤",
    584: "+<=>^~×±÷¬", 611: "?FLTZbdghnopquµßø¿", 667: "EPSVXYÞ", 722: "&ABCDHKNRUÐ", 737: "©®", 778: "GOQwØ",
    833: "M", 834: "½¼¾", 889: "%mæ", 944: "W", 975: "@", 1000: "…—Æ™",
})  # fmt: skip
_SYMBOLS: Final = {
    "≤": (163, 549), "≥": (179, 549), "→": (174, 987), "←": (172, 987), "∇": (209, 713),
    "∞": (165, 713), "≈": (187, 549), "≠": (185, 549), "∈": (206, 713), "√": (214, 549), "∂": (182, 494),
    "α": (97, 631), "β": (98, 549), "γ": (103, 411), "δ": (100, 494), "ε": (101, 439), "θ": (113, 521),
    "λ": (108, 549), "μ": (109, 576), "π": (112, 549), "σ": (115, 603), "τ": (116, 439), "φ": (102, 521),
    "ω": (119, 686), "Δ": (68, 612), "Σ": (83, 592), "η": (104, 603), "κ": (107, 549), "ρ": (114, 549),
}  # fmt: skip
"""In the font Symbol: the code, and the advance in thousandths of an em."""

_ALIKE: Final = {"−": "–", "‐": "-", "μ": "µ"}
FONTS: Final = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "Symbol"}
_UNKNOWN = 556


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as it is set: in which font, by which code, how wide (thousandths of an em)."""

    font: str
    code: int
    advance: int
    faithful: bool
    """Whether it looks like the character it stands for."""


@lru_cache(4096)
def glyph(character: str, bold: bool) -> Glyph:
    """How a character is set; `?` for one that none of the fonts has."""
    if character in _SYMBOLS:
        return Glyph("F3", *_SYMBOLS[character], faithful=True)
    shown = next(filter(_encodable, (_ALIKE.get(character, character), stand_in(character))), "?")
    code = shown.encode("cp1252")[0]
    return Glyph("F2" if bold else "F1", code, _advance(shown, bold), shown == character)


def _encodable(character: str) -> bool:
    try:
        return character.encode("cp1252") >= b" "
    except UnicodeEncodeError:
        return False


def _advance(character: str, bold: bool) -> int:
    """An accented letter is as wide as the letter."""
    table = BOLD if bold else REGULAR
    letter = unicodedata.normalize("NFD", character)[0]
    return table.get(character) or table.get(letter, _UNKNOWN)
