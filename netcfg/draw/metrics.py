"""How wide text is, from a table: the same on every machine, and without a font.

The table holds the advances of Aileron Regular, the font that Pillow carries within itself; a test compares
it with that font. The SVG writer states the measured length with each text, so that a viewer who has another
font still sees it inside its box.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

ASCENT: Final = 0.69
"""Height of a capital, in ems."""
X_HEIGHT: Final = 0.53
BOLD: Final = 1.06
"""How much wider bold text is set."""
TIMES: Final = 0.56
"""Advance of `×`, which Aileron lacks and the writers draw themselves, in ems."""

_ADVANCES: Final = {
    176: "'", 202: "·", 216: " ", 220: ",.:;", 233: "j", 238: "i", 242: "!", 247: "l‘’", 250: "|", 264: "I",
    274: "-", 290: "f", 295: "]", 298: "°", 300: "`´", 303: "/\\{}", 307: "[", 313: "t", 315: "()", 330: "r",
    339: '"', 387: "‹›", 417: "“”", 459: "s", 462: "z", 482: "x", 499: "?", 500: "_", 513: "y", 514: "v",
    522: "k", 529: "c", 531: "a", 544: "J", 549: "e", 557: "«»", 560: "*", 567: "F", 575: "L",
    580: "#$+0123456789<=>^~±", 581: "Y", 585: "S", 586: "o", 587: "E", 591: "Z", 592: "u", 593: "hn",
    598: "P", 609: "K", 611: "bp", 612: "T", 615: "dgq", 619: "R", 620: "…", 622: "V", 625: "X", 627: "B",
    639: "A", 654: "&", 682: "U", 699: "C", 709: "D", 710: "G", 718: "N", 730: "H", 733: "Q", 737: "O",
    740: "%", 785: "w", 838: "©", 852: "@", 855: "m", 866: "M", 952: "W",
}  # fmt: skip

ADVANCES: Final = {character: width for width, characters in _ADVANCES.items() for character in characters}
"""Thousandths of an em, by character."""

_STAND_INS: Final = {
    "–": "-",
    "—": "-",
    "−": "-",
    "‐": "-",
    "µ": "u",
    "μ": "u",
    "\u00a0": " ",
    "≤": "<",
    "≥": ">",
}
_UNKNOWN_ADVANCE: Final = 500
_WIDE_ADVANCE: Final = 1000


def stand_in(character: str) -> str:
    """What Aileron shows for a character it lacks: the one without its accent, or a likeness; else itself."""
    if character in ADVANCES:
        return character
    base = unicodedata.normalize("NFKD", character)[:1]
    if base in ADVANCES:
        return base
    return _STAND_INS.get(character, character)


@lru_cache(4096)
def _advance(character: str) -> int:
    if character == "×":
        return int(TIMES * 1000)
    known = ADVANCES.get(stand_in(character))
    if known is not None:
        return known
    return _WIDE_ADVANCE if unicodedata.east_asian_width(character) in "WF" else _UNKNOWN_ADVANCE


@lru_cache(65536)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line of text, in the units of `size` (its em)."""
    return sum(map(_advance, text)) * size / 1000 * (BOLD if bold else 1)


def fitted(text: str, size: float, limit: float, bold: bool = False) -> str:
    """The text, cut and closed with `…` where it is wider than `limit`."""
    if text_width(text, size, bold) <= limit:
        return text
    room = limit - text_width("…", size, bold)
    kept = 0
    for character in text:
        room -= text_width(character, size, bold)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"
