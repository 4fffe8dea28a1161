"""The last touch to heights: lines that nearly run straight do, where a few cells can be moved together for it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcfg.draw.training.columns import Columns, Joint

BEND = 24.0
"""What a bend costs, in units of the height it bridges."""
SLACK = 6.0
"""By so much cells may come nearer than they stood."""
APART = 8.0
"""Lines nearer than this run into one another."""
_PASSES = 8
_MANY = 4_096
"""From so many pairs of a joint and a move on arrays are quicker."""


def straighten(columns: Columns) -> None:
    """Move cells, alone or with those they are joined to by straight lines, as long as lines bend less."""
    work = _Straightener(columns)
    for _ in range(_PASSES):
        if not any([work.try_moves(members) for members in list(work.candidates())]):
            break
    for gap in range(len(columns.joints)):
        work.part_swaps(gap)


class _Straightener:
    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.cells = columns.cells
        self.joints: list[list[Joint]] = [[] for _ in self.cells]
        for gap in columns.joints:
            for joint in gap:
                self.joints[joint.left].append(joint)
                self.joints[joint.right].append(joint)
        self.place = {index: place for column in columns.order for place, index in enumerate(column)}

    def candidates(self) -> Iterator[frozenset[int]]:
        """Sets of cells to move: each alone, with the lines that end in it, and with all it is straight with."""
        seen: set[frozenset[int]] = set()
        for index in range(len(self.cells)):
            for through_cards in (None, False, True):
                members = self._straight_with(index, through_cards)
                if members not in seen:
                    seen.add(members)
                    yield members

    def _straight_with(self, start: int, through_cards: bool | None) -> frozenset[int]:
        found, waiting = {start}, [start] if through_cards is not None else []
        while waiting:
            for joint in self.joints[waiting.pop()]:
                for other in (joint.left, joint.right):
                    is_line = self.cells[other].card is None
                    if other not in found and (is_line or through_cards) and abs(self._bend(joint)) < 0.01:
                        found.add(other)
                        waiting.append(other)
        return frozenset(found)

    def _bend(self, joint: Joint) -> float:
        """How far a joint goes down on its way."""
        return self.cells[joint.right].y + joint.end - self.cells[joint.left].y - joint.start

    def try_moves(self, members: frozenset[int]) -> bool:
        """Move a set so that a joint at its edge gets straight, if that makes it better; whether it did."""
        edge = [
            joint
            for index in sorted(members)
            for joint in self.joints[index]
            if (joint.left in members) != (joint.right in members)
        ]
        steps = {self._bend(joint) * (1 if joint.left in members else -1) for joint in edge}
        least, most = self._room(members)
        able = [
            step
            for step in sorted(steps)
            if abs(step) > 0.005 and least - 0.001 < step < most + 0.001 and self._is_free(members, step)
        ]
        best = (self._cost(edge) - 0.01, 0.0)
        for cost, step in zip(self._costs(edge, members, able), able, strict=True):
            best = min(best, (cost, step))
        self._shift(members, best[1])
        return best[1] != 0.0

    def _costs(self, edge: list[Joint], members: frozenset[int], steps: list[float]) -> Iterator[float]:
        """What the joints at a set's edge cost after each of some moves of the set."""
        if len(edge) * len(steps) < _MANY:
            for step in steps:
                self._shift(members, step)
                yield self._cost(edge)
                self._shift(members, -step)
            return
        import numpy as np

        bends = np.array([self._bend(joint) for joint in edge])
        signs = np.array([1.0 if joint.right in members else -1.0 for joint in edge])
        weights = np.array([float(joint.weight) for joint in edge])
        for step in steps:
            after = abs(bends + signs * step)
            # Added one after the other, as without arrays: what is equally good is to stay so.
            yield float(np.cumsum(np.where(after > 0.01, weights * (after + BEND), 0.0))[-1])

    def part_swaps(self, gap: int) -> None:
        """Keep apart the heights of signals that swap them in a channel: one would have to run on top of the other."""
        for _ in range(_PASSES):
            swaps = self._swaps(gap)
            cells = [index for joint in swaps for index in (joint.right, joint.left)]
            cells.sort(key=lambda index: self.cells[index].card is not None)
            if not any(self._lessens_swaps(gap, index, len(swaps)) for index in dict.fromkeys(cells)):
                return

    def _lessens_swaps(self, gap: int, index: int, before: int) -> bool:
        """Whether moving a cell a little, with the line that it belongs to, leaves fewer swaps; then it is moved."""
        members = self._straight_with(index, False)
        for step in (APART, -APART, 2 * APART, -2 * APART):
            if self._is_free(members, step):
                self._shift(members, step)
                if len(self._swaps(gap)) < before:
                    return True
                self._shift(members, -step)
        return False

    def _swaps(self, gap: int) -> list[Joint]:
        """The joints of which one begins where the other ends, and ends where the other begins."""
        bent = [joint for joint in self.columns.joints[gap] if abs(self._bend(joint)) > 0.01]
        ends = sorted(
            ((self._start(joint) + self._bend(joint), self._start(joint), joint.signal) for joint in bent),
            key=lambda end: end[0],
        )
        heights = [end for end, _, _ in ends]

        def swaps(joint: Joint) -> bool:
            start = self._start(joint)
            end = start + self._bend(joint)
            near = ends[bisect_left(heights, start - APART) : bisect_right(heights, start + APART)]
            return any(
                joint.signal != signal and abs(start - other_end) < APART and abs(end - other_start) < APART
                for other_end, other_start, signal in near
            )

        return [joint for joint in bent if swaps(joint)]

    def _start(self, joint: Joint) -> float:
        return self.cells[joint.left].y + joint.start

    def _cost(self, joints: list[Joint]) -> float:
        bends = ((abs(self._bend(joint)), joint.weight) for joint in joints)
        return sum(weight * (bend + BEND) for bend, weight in bends if bend > 0.01)

    def _shift(self, members: frozenset[int], step: float) -> None:
        for index in members:
            self.cells[index].y += step

    def _room(self, members: frozenset[int]) -> tuple[float, float]:
        """How far up and down a set may move at most, as `_is_free` has it; roundings aside."""
        least, most = -inf, inf
        for index in members:
            column, place = self.columns.order[self.cells[index].column], self.place[index]
            y = self.cells[index].y
            if place and (above := column[place - 1]) not in members:
                least = max(least, self.cells[above].y + self.columns.distance(above, index) - SLACK - y)
            if place + 1 < len(column) and (below := column[place + 1]) not in members:
                most = min(most, self.cells[below].y - self.columns.distance(index, below) + SLACK - y)
        return least, most

    def _is_free(self, members: frozenset[int], step: float) -> bool:
        """Whether all of the set keep their distance, or nearly, from the cells above and below that stay."""
        for index in members:
            column, place = self.columns.order[self.cells[index].column], self.place[index]
            near = column[max(place - 1, 0) : place + 2]
            for above, below in zip(near, near[1:], strict=False):
                upper, lower = (self.cells[one].y + step * (one in members) for one in (above, below))
                if lower < upper + self.columns.distance(above, below) - SLACK:
                    return False
        return True
