"""The lines of a training diagram as they are drawn: strands side by side, arrow heads, marks of cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from netcfg.draw import style
from netcfg.draw.scene import Path, Point
from netcfg.draw.training.model import Flow, phase_colour

VALUE_WIDTH: Final = 1.2
STRAND_WIDTH: Final = 1.8
STRAND_GAP: Final = 2.6
"""Between two strands of one line."""
CUT_GAP: Final = 9.0
"""Between two marks on one line."""
_FIRST_CUT: Final = 13.0
"""From the card to the first mark: clear of the arrow head."""


def value_line(route: Sequence[Point]) -> Path:
    """A line that no gradients flow along."""
    return Path(tuple(route), style.LINE, VALUE_WIDTH)


def strands(flow: Flow, route: Sequence[Point], lanes: Sequence[int]) -> Iterator[Path]:
    """A line for each phase whose gradients flow back; `lanes` are all phases of the signal."""
    for phase in flow.gradients:
        offset = (lanes.index(phase) - (len(lanes) - 1) / 2) * STRAND_GAP
        yield Path(tuple(_beside(route, offset)), phase_colour(phase), STRAND_WIDTH)


def line_end(flow: Flow, end: Point) -> Iterator[Path]:
    """The arrow head, and before it the marks of the phases whose gradients end here."""
    x, y = end
    colour = phase_colour(flow.gradients[0]) if len(flow.gradients) == 1 else style.LINE
    yield Path(((x - 8.0, y), (x, y)), colour, VALUE_WIDTH, arrow=True)
    for place, phase in enumerate(flow.cuts):
        yield from cut_mark(x - _FIRST_CUT - place * CUT_GAP, y, phase)


def cut_mark(x: float, y: float, phase: int) -> Iterator[Path]:
    """Two strokes across a line, in the colour of the phase whose gradients end there."""
    for place in (x - 2.0, x + 2.0):
        yield Path(((place - 2.0, y + 6.0), (place + 2.0, y - 6.0)), phase_colour(phase), 2.0)


def _beside(route: Sequence[Point], offset: float) -> list[Point]:
    """The same line, `offset` lower; where it goes down or up so far aside that strands do not cross."""
    moved = []
    for place, (x, y) in enumerate(route):
        near = route[max(place - 1, 0) : place + 2]
        rise = next((b[1] - a[1] for a, b in zip(near, near[1:], strict=False) if a[0] == b[0]), 0.0)
        aside = offset if rise > 0 else -offset if rise < 0 else 0.0
        moved.append((x - aside, y + offset))
    return moved
