"""Other colours for the boxes of a picture: a palette says how each family of blocks looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netcfg.draw.options import PALETTES as NAMES
from netcfg.draw.style import FAMILIES, Paint

_INK: Final = "#1a1a1a"
_DARK: Final = "#333333"

_GREYS: Final = {
    "convolution": "#e2e2e2",
    "connected": "#d4d4d4",
    "backbone": "#dadada",
    "pooling": "#f3f3f3",
    "upsampling": "#ededed",
    "fusion": "#e8e8e8",
}
"""What computes most is darkest; all other families are white."""

# Source: Okabe and Ito, Color Universal Design (2008): eight colours that all people tell apart.
_BLUE, _SKY, _GREEN, _YELLOW = "#0072b2", "#56b4e9", "#009e73", "#f0e442"
_ORANGE, _VERMILION, _PURPLE, _BLACK = "#e69f00", "#d55e00", "#cc79a7", "#000000"
_UNIVERSAL: Final = {
    "convolution": _BLUE,
    "backbone": _BLUE,
    "connected": _PURPLE,
    "normalisation": _SKY,
    "activation": _ORANGE,
    "pooling": _VERMILION,
    "upsampling": _GREEN,
    "fusion": _YELLOW,
    "regularisation": _YELLOW,
    "combination": _BLACK,
    "routing": _BLACK,
}
_TINT: Final = 0.22
"""How much of the edge's colour a box is filled with."""


def _tinted(colour: str, part: float) -> str:
    """A colour in so much white."""
    levels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - part * (255 - level)):02x}" for level in levels)


def _grey(family: str) -> Paint:
    if family == "output":
        return Paint(_DARK, _DARK, "#ffffff")
    return Paint(_GREYS.get(family, "#ffffff"), _DARK, _INK)


def _universal(family: str) -> Paint:
    colour = _UNIVERSAL.get(family)
    if colour is None:
        return _grey(family)
    fill = _tinted(colour, 0.08 if colour == _BLACK else _TINT)
    return Paint(fill, "#8a7a00" if colour == _YELLOW else colour, _INK)


def _plain(family: str) -> Paint:
    """Lines on white, whatever the family."""
    return Paint("#ffffff", _INK, _INK)


def _strong(family: str) -> Paint:
    """The usual colours, filled: for slides and posters."""
    usual = FAMILIES[family]
    if family in ("input", "plain", "template", "phase", "output"):
        return usual
    return Paint(_tinted(usual.stroke, 0.45), usual.stroke, _INK)


PALETTES: Final[Mapping[str, Mapping[str, Paint]]] = {
    name: {family: paint(family) for family in FAMILIES}
    for name, paint in zip(NAMES, (_grey, _universal, _plain, _strong), strict=True)
}
"""By name, then by family."""
