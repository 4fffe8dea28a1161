"""Folds a long placement into columns: it is cut where few lines run, and the lines are led from the foot of each
column to the head of the next.

Units and directions are the layout's, with y downwards; of a picture from left to right these are rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt

from netcfg.draw.crossings import Way, Ways, crossings
from netcfg.draw.layout import ARROW_GAP, LANE_GAP, Item, Link, Placement, Point

ABOVE_ITEM = 6.0
"""Cuts lie that far above an item: below whatever line runs sideways into it, at the neck of its arrow."""
HEAD = 6.0
"""From the head of the columns to the first line that runs there."""
TRACK = 9.0
"""Between lines that run from column to column side by side."""
CROSSED_COST = 150.0
"""A cut with one more line across it may lie that much further from where it is wished."""
LATE_COST = 30.0
"""A cut above an item, where lines have run sideways already, is worth so much less than one below a label."""
MOST_CROSSED = 1
"""As many lines may cross a cut that nobody asked for."""
WORTH_IT = 0.75
"""Where the longest column would have more than that much of the length, nothing is folded that need not be."""
STRIP = 1.25
"""What is as many times longer than a page is folded even where more lines cross the cuts."""
MOST_CROSSED_BY_A_STRIP = 8
BELOW_LABEL = 2.0
"""Cuts also lie that far below a label: above the fork of its signal."""
PAGE_LENGTH = 1400.0
"""A placement longer than this is folded, if there is a place for it."""
PAGE_RATIO = 1.4
"""Of the length to the width of what is folded: that of a sheet of paper."""


def fold(placement: Placement, links: Sequence[Link], count: int | None) -> Placement:
    """The placement in `count` columns, or in as many as there are places to cut at; None: as a page needs them."""
    wished = count or columns_of_page(placement.height, placement.width)
    if wished < 2:
        return placement
    places = _Cuts(placement, links)
    if count is not None:
        cuts = places.best(wished, None)
        return _Folded(placement, links, cuts).placement() if cuts else placement
    is_strip = placement.height > STRIP * PAGE_LENGTH
    for most in (MOST_CROSSED, MOST_CROSSED_BY_A_STRIP) if is_strip else (MOST_CROSSED,):
        cuts = places.best(wished, most)
        ends = [0.0, *cuts, placement.height]
        longest = max(high - low for low, high in zip(ends, ends[1:], strict=False))
        if cuts and longest <= WORTH_IT * placement.height:
            return _Folded(placement, links, cuts).placement()
    return placement


def columns_of_page(length: float, width: float) -> int:
    """How many columns make a page of something long."""
    if length <= PAGE_LENGTH:
        return 1
    return min(ceil(length / PAGE_LENGTH), ceil(sqrt(length / (PAGE_RATIO * (width + LANE_GAP)))))


def _bottom(item: Item, top: float, has_label: bool) -> float:
    label = max(port.label_height for port in item.ports) if has_label else 0.0
    return top + item.height + label


class _Cuts:
    """The heights at which a placement can be cut, and how many lines cross each."""

    def __init__(self, placement: Placement, links: Sequence[Link]) -> None:
        self.placement = placement
        gives = {link.source for link in links}
        tops = [top for _, top in placement.corners]
        self.tops = sorted(tops)
        self.taken = _merged(
            [
                (top, _bottom(item, top, index in gives))
                for index, (item, top) in enumerate(zip(placement.items, tops, strict=True))
            ]
        )
        self.ends = [high for _, high in self.taken]
        self.flat = sorted({y for line in placement.lines for y in _flat_heights(line)})
        self.downs = sorted(low for line in placement.lines for low, _ in _downs(line))
        self.ups = sorted(high for line in placement.lines for _, high in _downs(line))
        self.lateness = {top - ABOVE_ITEM: LATE_COST for top in tops if top > 0}
        heights = sorted({*self.lateness, *(end + BELOW_LABEL for end in self.ends)})
        self.heights = [height for height in heights if self.is_free(height)]

    def is_free(self, height: float) -> bool:
        """Whether nothing but lines that run down is at a height."""
        place = bisect_left(self.ends, height)
        if place < len(self.taken) and self.taken[place][0] <= height:
            return False
        near = bisect_left(self.flat, height - 0.5)
        return near == len(self.flat) or self.flat[near] > height + 0.5

    def crossed(self, height: float) -> int:
        return bisect_left(self.downs, height) - bisect_right(self.ups, height)

    def best(self, columns: int, most: int | None) -> list[float]:
        """Cuts that come near to equal columns, where few lines cross; fewer where there are not as many."""
        free = [height for height in self.heights if height < self.tops[-1]]
        free = [height for height in free if most is None or self.crossed(height) <= most]
        chosen: list[float] = []
        length = self.placement.height
        for column in range(1, columns):
            begin = chosen[-1] if chosen else 0.0
            aim = begin + (length - begin) / (columns - column + 1)
            first = bisect_left(self.tops, begin)
            later = bisect_right(free, self.tops[first])
            near = free[max(later, bisect_left(free, 2 * begin - aim)) : bisect_right(free, 2 * aim - begin)]
            if near or later < len(free):
                chosen.append(min(near or free[later:], key=lambda height: self.cost(height, aim)))
        return chosen

    def cost(self, height: float, aim: float) -> float:
        return abs(height - aim) + CROSSED_COST * self.crossed(height) + self.lateness.get(height, 0.0)


def _merged(ranges: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _flat_heights(line: Sequence[Point]) -> Iterator[float]:
    return (first[1] for first, second in zip(line, line[1:], strict=False) if first[1] == second[1])


def _downs(line: Sequence[Point]) -> Iterator[tuple[float, float]]:
    for first, second in zip(line, line[1:], strict=False):
        if first[0] == second[0]:
            yield first[1], second[1]


@dataclass(slots=True)
class _Column:
    """What is between two cuts: its ends, how far it reaches, where it goes, and the ways of lines that leave it.

    `leaving` are the xs where those start, from right to left.
    """

    low: float
    high: float
    left: float = float("inf")
    right: float = float("-inf")
    bottom: float = 0.0
    shift: Point = (0.0, 0.0)
    ways: dict[float, Way] = field(default_factory=dict)
    leaving: list[float] = field(default_factory=list)

    def hold(self, left: float, right: float, bottom: float) -> None:
        self.left, self.right = min(self.left, left), max(self.right, right)
        self.bottom = max(self.bottom, bottom)


class _Folded:
    """The placement in columns."""

    def __init__(self, placement: Placement, links: Sequence[Link], cuts: list[float]) -> None:
        self.before = placement
        self.links = links
        self.cuts = cuts
        self.columns = [
            _Column(low, high) for low, high in zip([0.0, *cuts], [*cuts, placement.height], strict=True)
        ]
        self.column_of = [self.column_at(top) for _, top in placement.corners]
        self.measure()
        self.place()
        self.height = max(column.bottom + column.shift[1] for column in self.columns)
        self.height = max(self.height, *(self.foot(column, 0.0) for column in self.columns[:-1]))

    def column_at(self, height: float) -> int:
        return min(bisect_right(self.cuts, height), len(self.cuts))

    def measure(self) -> None:
        """How far each column reaches, and which lines leave it."""
        gives = {link.source for link in self.links}
        for index, (item, (x, y)) in enumerate(zip(self.before.items, self.before.corners, strict=True)):
            labels = [item.axis + port.offset + port.label_width for port in item.ports if index in gives]
            right = x + max([item.width, *labels])
            self.columns[self.column_of[index]].hold(x, right, _bottom(item, y, index in gives))
        for column, ways in zip(self.columns, Ways(self.before, self.links, self.cuts).of, strict=False):
            column.ways = ways
            column.leaving = sorted((way.start for way in ways.values()), reverse=True)
        for line in self.before.lines:
            for place, piece in self.pieces(line):
                for x, y in piece:
                    self.columns[place].hold(x, x, y)
        for column, following in zip(self.columns, self.columns[1:], strict=False):
            for way in column.ways.values():
                column.hold(way.start, way.start, 0.0)
                following.hold(way.end, way.end, 0.0)

    def place(self) -> None:
        """Side by side: under each column, beside it, and above the next there is room for its lines."""
        head = HEAD + max((TRACK * len(column.leaving) for column in self.columns), default=0.0)
        x = 0.0
        for place, column in enumerate(self.columns):
            down = ARROW_GAP + head - ABOVE_ITEM if place else 0.0
            column.shift = x - column.left, down - column.low
            x += column.right - column.left + 2 * LANE_GAP + TRACK * max(len(column.leaving) - 1, 0)
        self.width = x - 2 * LANE_GAP

    def foot(self, column: _Column, x: float) -> float:
        """How low the line that leaves a column at x runs; by default the lowest."""
        track = column.leaving.index(x) if x in column.leaving else len(column.leaving) - 1
        return column.bottom + column.shift[1] + TRACK * (track + 1)

    def bridge(self, place: int, x: float) -> list[Point]:
        """The way of a line from one column to the next."""
        column, following = self.columns[place], self.columns[place + 1]
        way = column.ways[x]
        track = column.leaving.index(way.start)
        low, high = self.foot(column, way.start), HEAD + TRACK * track
        gutter = column.right + column.shift[0] + LANE_GAP + TRACK * track
        before, after = way.start + column.shift[0], way.end + following.shift[0]
        return [(before, low), (gutter, low), (gutter, high), (after, high)]

    def pieces(self, line: Sequence[Point]) -> Iterator[tuple[int, list[Point]]]:
        """A line's points by column, without those where it is cut, and without ways that are made between columns."""
        places = [self.column_at(y) for _, y in line]
        left_out: set[Point] = set()
        instead: dict[Point, Point] = {}
        for crossing in crossings(line, self.cuts):
            way = self.columns[crossing.cut].ways[crossing.x]
            left_out.update(point for flat in (way.before, way.after) for point in flat or ())
            if way.after and crossing.after != way.after:  # a line that runs on beyond what all share
                left_out.discard(way.after[0])
                instead[way.after[0]] = way.after[1]
        for column in range(places[0], places[-1] + 1):
            here = (point for point, place in zip(line, places, strict=True) if place == column)
            yield column, [instead.get(point, point) for point in here if point not in left_out]

    def moved(self, line: Sequence[Point]) -> tuple[Point, ...]:
        points: list[Point] = []
        crossed = {crossing.cut: crossing.x for crossing in crossings(line, self.cuts)}
        for column, piece in self.pieces(line):
            if column - 1 in crossed:
                points += self.bridge(column - 1, crossed[column - 1])
            points += [self.shifted(point, column) for point in piece]
        return tuple(points)

    def shifted(self, point: Point, column: int) -> Point:
        dx, dy = self.columns[column].shift
        return point[0] + dx, point[1] + dy

    def placement(self) -> Placement:
        """The result; what stands at the bottom does so still."""
        before = self.before
        corners = [
            self.shifted(corner, column)
            for corner, column in zip(before.corners, self.column_of, strict=True)
        ]
        corners = [
            (x, self.height) if item.last else (x, y)
            for (x, y), item in zip(corners, before.items, strict=True)
        ]
        dots = [self.shifted(dot, self.column_at(dot[1])) for dot in before.dots]
        axis = before.axis + self.columns[0].shift[0]
        routes = [self.led_down(self.moved(line), link) for line, link in self.lines(before.routes)]
        lines = [self.led_down(self.moved(line), link) for line, link in self.lines(before.lines)]
        return Placement(self.width, self.height, axis, before.items, corners, routes, lines, dots)

    def lines(self, lines: Sequence[tuple[Point, ...]]) -> Iterator[tuple[tuple[Point, ...], Link]]:
        return zip(lines, self.links, strict=True)

    def led_down(self, line: tuple[Point, ...], link: Link) -> tuple[Point, ...]:
        """A line whose target stands at the bottom reaches down to it."""
        if not self.before.items[link.target].last:
            return line
        return (*line[:-1], (line[-1][0], self.height))
