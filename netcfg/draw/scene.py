"""A picture as a list of simple shapes, in drawing order, which every writer can put into its format.

Units: pixels at scale 1, y downwards. Colours are `#rrggbb`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from netcfg.source import Span

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; `x`, `y` is its upper left corner. With `top_only` its lower corners are not rounded."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str | None = None
    radius: float = 0.0
    stroke_width: float = 1.0
    top_only: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A line through `points`, its corners rounded by `radius`; if `arrow`, with a head, `head` times the usual one."""

    points: tuple[Point, ...]
    stroke: str
    stroke_width: float = 1.2
    radius: float = 5.0
    arrow: bool = False
    head: float = 1.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled shape with straight sides."""

    points: tuple[Point, ...]
    fill: str
    stroke: str | None = None
    stroke_width: float = 1.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle: the place where a signal parts."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text. `y` is its base line, `width` its measured length, `x` where `anchor` says."""

    x: float
    y: float
    text: str
    size: float
    width: float
    fill: str
    bold: bool = False
    anchor: Anchor = "start"

    @property
    def left(self) -> float:
        """The x where the text begins."""
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together; `title` shows under the pointer, `kind` is for style sheets.

    `id` is the part's own, in all pictures of a program; `spans` are where it is written, the innermost first;
    `place` is the left, the top, the width and the height of the part itself.
    """

    kind: str
    title: str
    shapes: tuple[Shape, ...]
    id: str = ""
    spans: tuple[Span, ...] = ()
    place: tuple[float, float, float, float] | None = None


Shape = Rect | Path | Polygon | Dot | Text | Group


@dataclass(slots=True)
class Scene:
    """A whole picture."""

    width: float
    height: float
    title: str = ""
    background: str = "#ffffff"
    font: str = ""
    """What its letters are to be, where a format has a choice; empty: the usual ones."""
    shapes: list[Shape] = field(default_factory=list)


def groups_of(shapes: Sequence[Shape]) -> Iterator[Group]:
    """All groups, outer ones first."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield shape
            yield from groups_of(shape.shapes)


def arrow_head(path: Path) -> tuple[Point, Point, Point]:
    """The triangle at the end of a path: its tip and its two base corners."""
    (x0, y0), (x, y) = path.points[-2:]
    length = max(abs(x - x0) + abs(y - y0), 1e-9)
    dx, dy = (x - x0) / length, (y - y0) / length
    back, half = 6.0 * path.head, 3.2 * path.head
    return (
        (x, y),
        (x - back * dx - half * dy, y - back * dy + half * dx),
        (x - back * dx + half * dy, y - back * dy - half * dx),
    )


def shaft(path: Path) -> tuple[Point, ...]:
    """The points of the line itself, which under an arrow head ends a little earlier."""
    if not path.arrow:
        return path.points
    (x0, y0), (x, y) = path.points[-2:]
    length = max(abs(x - x0) + abs(y - y0), 1e-9)
    back = min(4.0 * path.head, length)
    return (*path.points[:-1], (x - back * (x - x0) / length, y - back * (y - y0) / length))


def corner(before: Point, at: Point, after: Point, radius: float) -> tuple[Point, Point]:
    """Where the rounding of a corner begins and ends: at most half way along each side."""
    begin, end = _towards(at, before, radius), _towards(at, after, radius)
    return begin, end


def _towards(origin: Point, target: Point, radius: float) -> Point:
    dx, dy = target[0] - origin[0], target[1] - origin[1]
    length = abs(dx) + abs(dy)
    step = min(radius, length / 2) / length if length else 0.0
    return origin[0] + dx * step, origin[1] + dy * step


def decimal(value: float) -> str:
    """A number as writers put it down: two decimals at most, without trailing zeros (and never `-0`)."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def part_way(begin: Point, end: Point, share: float) -> Point:
    """The point that lies `share` of the way from one point to another."""
    return begin[0] + share * (end[0] - begin[0]), begin[1] + share * (end[1] - begin[1])
