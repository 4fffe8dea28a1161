"""In which order cells stand in their columns, so that few lines cross.

Sweeps put each cell near those it is joined to, from left to right and back; then single cells move within their
columns as long as that saves crossings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcfg.draw.training.columns import Columns

_TURNS = 12
_GAP = 9.0
"""Between cells that are stacked to compare orders."""


def improve_order(columns: Columns) -> None:
    """Change `columns.order`, save in columns of fixed cells, to one with few crossings."""
    _Order(columns).improve()


class _Order:
    """Tries several beginnings, and leaves the best order."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.cells = columns.cells
        self.joints = columns.joints

    def improve(self) -> None:
        start = [list(column) for column in self.columns.order]
        flipped = [
            column if any(self.cells[index].fixed for index in column) else column[::-1] for column in start
        ]
        trials = []
        for order, forward in ((start, True), (start, False), (flipped, True), (flipped, False)):
            self.columns.order[:] = [list(column) for column in order]
            self._sweep(forward)
            self._move_single()
            trials.append((self._all_crossings(), [list(column) for column in self.columns.order]))
        self.columns.order[:] = min(trials, key=lambda trial: trial[0])[1]

    def _sweep(self, forward: bool) -> None:
        count = len(self.columns.order)
        best = (self._all_crossings(), [list(column) for column in self.columns.order])
        for turn in range(_TURNS):
            going_right = forward == (turn % 2 == 0)
            for number in range(1, count) if going_right else range(count - 2, -1, -1):
                self._sort(number, going_right)
            crossings = self._all_crossings()
            if crossings < best[0]:
                best = (crossings, [list(column) for column in self.columns.order])
        self.columns.order[:] = best[1]

    def _sort(self, number: int, by_left: bool) -> None:
        """Each cell at the mean height of what it is joined to on one side; others stay near their place."""
        column = self.columns.order[number]
        if any(self.cells[index].fixed for index in column):
            return
        heights = self._heights(number - 1 if by_left else number + 1)
        near: dict[int, list[float]] = {}
        for joint in self.joints[number - 1 if by_left else number]:
            if by_left:
                near.setdefault(joint.right, []).append(heights[joint.left] + joint.start)
            else:
                near.setdefault(joint.left, []).append(heights[joint.right] + joint.end)
        own = self._heights(number)
        keys = {
            index: sum(near[index]) / len(near[index]) if index in near else own[index] for index in column
        }
        column.sort(key=lambda index: keys[index])

    def _heights(self, number: int) -> dict[int, float]:
        """Where the cells of a column are when they are stacked."""
        heights, y = {}, 0.0
        for index in self.columns.order[number]:
            heights[index] = y
            y += self.cells[index].height + _GAP
        return heights

    def _crossings(self, gap: int) -> int:
        """How many joints cross between a column and the next."""
        if not 0 <= gap < len(self.joints) - 1:
            return 0
        left, right = self._heights(gap), self._heights(gap + 1)
        ends = sorted(
            (left[joint.left] + joint.start, right[joint.right] + joint.end) for joint in self.joints[gap]
        )
        return sum(
            one[0] < other[0] and one[1] > other[1]
            for place, one in enumerate(ends)
            for other in ends[place:]
        )

    def _all_crossings(self) -> int:
        return sum(map(self._crossings, range(len(self.joints))))

    def _move_single(self) -> None:
        """Move single cells within their columns as long as it saves crossings."""
        for _ in range(_TURNS):
            if not any([self._move(number) for number in range(len(self.columns.order))]):
                return

    def _move(self, number: int) -> bool:
        column = self.columns.order[number]
        moved = False
        for index in [] if any(self.cells[index].fixed for index in column) else list(column):
            before = list(column)
            scores = []
            for place in range(len(column)):
                column[:] = [other for other in before if other != index]
                column.insert(place, index)
                score = self._crossings(number - 1) + self._crossings(number)
                scores.append((score, abs(place - before.index(index)), list(column)))
            column[:] = min(scores)[2]
            moved |= column != before and min(scores)[0] < scores[before.index(index)][0]
        return moved
