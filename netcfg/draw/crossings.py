"""Where lines cross the cuts of a placement that is folded into columns, and how they may leave out a way sideways
right before or after a cut: on the way from column to column they run sideways in any case, and none has to pass its
target and come back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from netcfg.draw.layout import ARROW_GAP, Link, Placement, Point

Flat = tuple[Point, Point]
"""A stretch of a line that runs sideways."""
Block = tuple[float, float, float, float]
"""Left, top, right and bottom of an item or a label."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A line crosses cut number `cut` at x, having run sideways last on `before`, and does so next on `after`."""

    cut: int
    x: float
    before: Flat | None
    after: Flat | None


@dataclass(frozen=True, slots=True)
class Way:
    """How the lines that cross a cut at one x do so: they leave at `start` and go on at `end`.

    They do without the stretches `before` and `after`, where those are given.
    """

    start: float
    end: float
    before: Flat | None = None
    after: Flat | None = None


def crossings(line: Sequence[Point], cuts: Sequence[float]) -> Iterator[Crossing]:
    """All crossings of a line, from its start on."""
    for place, (first, second) in enumerate(zip(line, line[1:], strict=False)):
        for cut in range(bisect_right(cuts, first[1]), bisect_left(cuts, second[1])):
            low = cuts[cut - 1] if cut else float("-inf")
            high = cuts[cut + 1] if cut + 1 < len(cuts) else float("inf")
            before = (line[place - 1], first) if place > 1 and first[1] > low else None
            after = (second, line[place + 2]) if place + 3 < len(line) and second[1] <= high else None
            yield Crossing(cut, first[0], before, after)


class Ways:
    """The ways of all lines over all cuts, by cut and x."""

    def __init__(self, placement: Placement, links: Sequence[Link], cuts: Sequence[float]) -> None:
        self.placement = placement
        self.cuts = cuts
        self.blocks = list(_blocks(placement, links))
        self.of: list[dict[float, Way]] = [{} for _ in cuts]
        for cut, at in enumerate(self._grouped()):
            ways = {x: self._way(cut, x, found) for x, found in at.items()}
            self.of[cut] = _apart(ways)
        self._keep_one_of_two()

    def _grouped(self) -> list[dict[float, list[Crossing]]]:
        grouped: list[dict[float, list[Crossing]]] = [{} for _ in self.cuts]
        for line in (*self.placement.routes, *self.placement.lines):
            for crossing in crossings(line, self.cuts):
                grouped[crossing.cut].setdefault(crossing.x, []).append(crossing)
        return grouped

    def _way(self, cut: int, x: float, found: list[Crossing]) -> Way:
        befores, afters = {each.before for each in found}, {each.after for each in found}
        before = befores.pop() if len(befores) == 1 else None
        after = _common(afters)
        height = self.cuts[cut]
        if before is not None and not self._can_leave_early(before, height):
            before = None
        if after is not None and not self._is_free(after[1][0], height, after[1][1], after):
            after = None
        return Way(before[0][0] if before else x, after[1][0] if after else x, before, after)

    def _can_leave_early(self, flat: Flat, cut: float) -> bool:
        """Whether a line that runs sideways just above a cut need not: nothing else leads there or from there."""
        (x, height), (end, _) = flat
        low, high = sorted((x, end))
        others = [line for line in self.placement.lines if flat[0] not in line or flat[1] not in line]
        if cut - height > ARROW_GAP or not self._is_free(x, height, cut, flat):
            return False
        dots = any(y == height and low <= at <= high for at, y in self.placement.dots)
        return not dots and not any(_touches(line, height, low, high) for line in others)

    def _is_free(self, x: float, low: float, high: float, flat: Flat) -> bool:
        """Whether nothing stands or runs down between two heights; lines may be crossed there."""
        if any(left < x < right and top < high and low < bottom for left, top, right, bottom in self.blocks):
            return False
        others = (line for line in self.placement.lines if flat[0] not in line or flat[1] not in line)
        return not any(_runs_down(line, x, low, high) for line in others)

    def _keep_one_of_two(self) -> None:
        """A stretch between two cuts that could be left out at either is left out at the upper one."""
        for ways, following in zip(self.of, self.of[1:], strict=False):
            gone = {way.after for way in ways.values() if way.after}
            for x, way in following.items():
                if way.before in gone:
                    following[x] = Way(x, way.end, None, way.after)
            self.of[self.of.index(following)] = _apart(following)


def _common(flats: set[Flat | None]) -> Flat | None:
    """What stretches that begin at one place and lead to one side share: the shortest of them."""
    known = [flat for flat in flats if flat is not None]
    ways = {(flat[0], flat[1][0] > flat[0][0]) for flat in known}
    if len(known) < len(flats) or len(ways) != 1:
        return None
    return min(known, key=lambda flat: abs(flat[1][0] - flat[0][0]))


def _apart(ways: dict[float, Way]) -> dict[float, Way]:
    """The ways, those that would meet another one unchanged."""
    starts = Counter(way.start for way in ways.values())
    ends = Counter(way.end for way in ways.values())
    if max([*starts.values(), *ends.values()], default=1) == 1:
        return ways
    return {x: Way(x, x) for x in ways}


def _blocks(placement: Placement, links: Sequence[Link]) -> Iterator[Block]:
    gives = {(link.source, link.port) for link in links}
    for index, (item, (x, y)) in enumerate(zip(placement.items, placement.corners, strict=True)):
        yield x, y, x + item.width, y + item.height
        for place, port in enumerate(item.ports):
            if (index, place) in gives:
                left, top = x + item.axis + port.offset, y + item.height
                yield left, top, left + port.label_width, top + port.label_height


def _stretches(line: Sequence[Point]) -> Iterable[tuple[Point, Point]]:
    return zip(line, line[1:], strict=False)


def _touches(line: Sequence[Point], height: float, low: float, high: float) -> bool:
    """Whether a line is anywhere on a stretch that runs sideways."""
    for (x0, y0), (x1, y1) in _stretches(line):
        if min(y0, y1) <= height <= max(y0, y1) and min(x0, x1) <= high and low <= max(x0, x1):
            return True
    return False


def _runs_down(line: Sequence[Point], x: float, low: float, high: float) -> bool:
    return any(
        x0 == x1 == x and min(y0, y1) < high and low < max(y0, y1) for (x0, y0), (x1, y1) in _stretches(line)
    )
