"""Text in fonts that are embedded: every reader sees, and every printer prints, the same letters.

The letters are those of Aileron, the font that Pillow carries within itself and that pictures are measured with; what
it lacks, such as `×` and Greek, is taken from DejaVu Sans, which comes with Matplotlib. Both may be embedded in any
document. Only the letters that are used go into a file, as one TrueType font.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netcfg.draw.metrics import ADVANCES, stand_in

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_SYMBOLS: Final = {
    "≤": 163, "≥": 179, "→": 174, "←": 172, "∇": 209, "∞": 165, "≈": 187, "≠": 185, "∈": 206, "√": 214, "∂": 182,
    "α": 97, "β": 98, "γ": 103, "δ": 100, "ε": 101, "θ": 113, "λ": 108, "μ": 109, "π": 112, "σ": 115, "τ": 116,
    "φ": 102, "ω": 119, "Δ": 68, "Σ": 83, "η": 104, "κ": 107, "ρ": 114,
}  # fmt: skip
"""What has no place among the 256 letters of a font, by its code in a second one."""

_ALIKE: Final = {"−": "–", "‐": "-", "μ": "µ"}
LETTERS, BOLD_LETTERS, SYMBOLS = "F1", "F2", "F3"
EM: Final = 1000
ASCENT, DESCENT, CAPITALS = 970, -230, 690
"""Of Aileron, in thousandths of an em."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as it is set: in which font, by which code, how wide (thousandths of an em)."""

    font: str
    code: int
    advance: int
    faithful: bool
    """Whether it looks like the character it stands for."""
    shown: str


@lru_cache(4096)
def glyph(character: str, bold: bool) -> Glyph:
    """How a character is set; `?` for one that has no place in a font."""
    if character in _SYMBOLS:
        return Glyph(SYMBOLS, _SYMBOLS[character], _advance(character), True, character)
    shown = next(filter(_encodable, (_ALIKE.get(character, character), stand_in(character))), "?")
    code = shown.encode("cp1252")[0]
    font = BOLD_LETTERS if bold else LETTERS
    return Glyph(font, code, _advance(shown), shown == character, shown)


def _encodable(character: str) -> bool:
    try:
        return character.encode("cp1252") >= b" " and (character in ADVANCES or _has(character))
    except UnicodeEncodeError:
        return False


def _advance(character: str) -> int:
    known = ADVANCES.get(character)
    if known is not None:
        return known
    font = _dejavu()
    advance, _ = font["hmtx"][font.getBestCmap()[ord(character)]]
    return round(float(advance) * EM / float(font["head"].unitsPerEm))


def _has(character: str) -> bool:
    return ord(character) in _dejavu().getBestCmap()


# --- the fonts that letters are taken from --------------------------------------------------------------------


@lru_cache(1)
def _aileron() -> TTFont:
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

    carried = ImageFont.load_default(size=EM)
    if not isinstance(carried, ImageFont.FreeTypeFont) or not isinstance(carried.path, BytesIO):
        raise RuntimeError("this Pillow was built without FreeType, which text in pictures needs")
    return TTFont(BytesIO(carried.path.getvalue()))


@lru_cache(1)
def _dejavu() -> TTFont:
    from fontTools.ttLib import TTFont

    spec = find_spec("matplotlib")  # where it is; nothing of it is run
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0])
    return TTFont(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


# --- the font that is embedded --------------------------------------------------------------------------------


def glyph_name(character: str) -> str:
    """What a character's glyph is called, as Adobe's list of names has it."""
    from fontTools.agl import UV2AGL

    return str(UV2AGL.get(ord(character), f"uni{ord(character):04X}"))


def embedded(characters: Iterable[str]) -> bytes:
    """A TrueType font of these characters; the same characters give the same bytes."""
    from fontTools.fontBuilder import FontBuilder

    wanted = {".notdef": "", **{glyph_name(character): character for character in sorted(set(characters))}}
    outlines = {name: _outline(character) for name, character in wanted.items()}
    advances = {name: _advance(character) if character else EM // 2 for name, character in wanted.items()}
    builder = FontBuilder(EM)
    builder.setupGlyphOrder(list(wanted))
    builder.setupCharacterMap({ord(character): name for name, character in wanted.items() if character})
    builder.setupGlyf(outlines)
    left = {name: getattr(outline, "xMin", 0) for name, outline in builder.font["glyf"].glyphs.items()}
    builder.setupHorizontalMetrics({name: (advances[name], left[name]) for name in wanted})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    builder.setupNameTable({"familyName": "Aileron", "styleName": "Regular", "psName": "Aileron-Regular"})
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
    builder.setupPost(keepGlyphNames=True)
    builder.font.recalcTimestamp = False
    builder.font["head"].created = builder.font["head"].modified = 0
    made = BytesIO()
    builder.save(made)
    return made.getvalue()


def _outline(character: str) -> object:
    """A character's outline in the units of the font."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    made = TTGlyphPen(None)
    if character:
        font = _aileron() if character in ADVANCES else _dejavu()
        glyphs, scale = font.getGlyphSet(), EM / font["head"].unitsPerEm
        pieces = DecomposingRecordingPen(glyphs)  # accented letters are made of a letter and an accent
        glyphs[font.getBestCmap()[ord(character)]].draw(pieces)
        pieces.replay(TransformPen(made, (scale, 0, 0, scale, 0, 0)))
    return made.glyph()
