"""Boxes coloured by what they cost: paler where there is little, up to the one that costs the most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Final

from netcfg.draw.colours import mixed
from netcfg.draw.costs import cost_text
from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram
from netcfg.draw.style import Paint

RAMP: Final = ("#fff7ec", "#fdd9a5", "#fdb278", "#f5794f")
"""From nothing to the most; dark text can be read on each."""

EDGE: Final = "#7d3c1c"
HOT: Final = 0.15
"""From this heat on all text is dark: faint text would have too little contrast."""


def warm(diagrams: Sequence[Diagram], cost: str) -> None:
    """Set the heat of all boxes, by the `cost` that they have of that name, and write it into them."""
    boxes = list(coloured(diagrams))
    most = most_of(boxes, cost)
    for box in boxes:
        warm_box(box, cost, most)


def warm_box(box: Box, cost: str, most: int) -> None:
    """Set the heat of a box where `most` is the highest cost, and write its own into it."""
    number = getattr(box.costs, cost)
    box.heat = sqrt(number / most) if number and most else 0.0
    text = cost_text(cost, number)
    if number != 0 and text not in box.notes:
        box.notes = (*box.notes, text)


def most_of(boxes: Sequence[Box], cost: str) -> int:
    """The highest cost that a box has."""
    return max((getattr(box.costs, cost) or 0 for box in boxes), default=0)


def coloured(diagrams: Sequence[Diagram]) -> Iterator[Box]:
    """The boxes that get a colour."""
    for diagram in diagrams:
        for part in parts_below(diagram.frame):
            if isinstance(part, Box) and part.pieces:
                yield part


def ticks(diagrams: Sequence[Diagram], cost: str) -> tuple[str, str, str]:
    """What nothing, the middle and the end of the scale are called: it grows with the root of the cost."""
    most = most_of(list(coloured(diagrams)), cost)
    return "0", cost_text(cost, most // 4), cost_text(cost, most)


def heat_colour(heat: float) -> str:
    """The colour of a heat from 0 to 1."""
    place = min(max(heat, 0.0), 1.0) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    return mixed(RAMP[low], RAMP[low + 1], place - low)


def heat_paint(heat: float) -> Paint:
    """The colours of a box of that heat."""
    fill = heat_colour(heat)
    return Paint(fill, mixed(fill, EDGE, 0.5))
