"""How marked boxes and lines look: each mark has a colour and a sign, and the picture a legend of those in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from netcfg.draw import style
from netcfg.draw.heat import heat_paint
from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram, Mark


class Look(NamedTuple):
    """Of a mark: the colour of edges, lines and words, that of a box, and the sign that says it without colour."""

    colour: str
    fill: str
    sign: str


LOOKS: Final[dict[Mark, Look]] = {
    "added": Look("#177533", "#dff5e4", "+"),
    "removed": Look("#8250a8", "#f0e6f6", "−"),
    "changed": Look("#8f6000", "#fff4d1", "~"),
    "error": Look("#c01f2b", "#ffe4e3", "!"),
}
"""Removed is violet rather than red, which many cannot tell from green, and which is for mistakes."""

_DRAWABLE: Final = str.maketrans({"→": "->", "≠": "!=", "`": ""})
"""What the fonts of pictures lack, and quotes that a picture does not need."""

SWATCH: Final = 11.0
GAP: Final = 6.0
LEGEND_HEIGHT: Final = 26.0


def paint_of(box: Box) -> style.Paint:
    """The colours of a box: its mark's, else its own or its family's."""
    if box.mark:
        return style.Paint(LOOKS[box.mark].fill, LOOKS[box.mark].colour)
    if box.heat is not None:
        return heat_paint(box.heat)
    paint = box.paint or style.FAMILIES.get(box.kind, style.OTHER_FAMILY)
    return paint._replace(stroke=box.colour) if box.colour else paint


def faded(diagram: Diagram) -> Diagram:
    """The diagram with all but its marked boxes pale, so that colours mean marks and nothing else."""
    for part in parts_below(diagram.frame):
        if isinstance(part, Box) and not part.mark and part.pieces:
            part.kind = "plain"
    return diagram


def drawable(message: str) -> str:
    """A message in characters that every font has."""
    return message.translate(_DRAWABLE)


def marks_of(diagrams: Iterable[Diagram]) -> list[Mark]:
    """The marks that diagrams have, in the legend's order."""
    found = {mark for diagram in diagrams for mark in _marks(diagram)}
    return [mark for mark in LOOKS if mark in found]


def _marks(diagram: Diagram) -> Iterator[Mark]:
    yield diagram.frame.mark
    yield from (part.mark for part in parts_below(diagram.frame))
    yield from (wire.mark for wire in diagram.wires)
