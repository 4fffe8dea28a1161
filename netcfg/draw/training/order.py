"""In which order cells stand in their columns, so that few lines cross.

Sweeps put each cell near those it is joined to, from left to right and back; then single cells move within their
columns as long as that saves crossings.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from functools import cache
from typing import TYPE_CHECKING, Any

from netcfg.draw.training.sifting import many, sift, sift_rows

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
        crossings, above = 0, list[float]()
        for _, end in ends:
            crossings += len(above) - bisect_right(above, end)
            insort(above, end)
        return crossings

    def _all_crossings(self) -> int:
        return sum(map(self._crossings, range(len(self.joints))))

    def _move_single(self) -> None:
        """Move single cells within their columns as long as it saves crossings."""
        for _ in range(_TURNS):
            if not any([self._move(number) for number in range(len(self.columns.order))]):
                return

    def _move(self, number: int) -> bool:
        column = self.columns.order[number]
        if any(self.cells[index].fixed for index in column):
            return False
        ends = self._ends(number)
        if many(len(column), sum(len(side) for both in ends.values() for side in both)):
            rows = _Rows([ends[index] for index in column])
            order = list(range(len(column)))
            moved = sift_rows(order, rows.changes)
            column[:] = [column[place] for place in order]
            return moved

        @cache
        def crossings(above: int, below: int) -> int:
            """Between the joints of two cells, one of which stands above the other."""
            pairs = zip(ends[above], ends[below], strict=True)
            return sum(one > other for upper, lower in pairs for one in upper for other in lower)

        return sift(column, crossings)

    def _ends(self, number: int) -> dict[int, tuple[list[float], list[float]]]:
        """For each cell of a column the heights at the other ends of its joints, to the left and to the right."""
        ends: dict[int, tuple[list[float], list[float]]] = {
            index: ([], []) for index in self.columns.order[number]
        }
        if number:
            heights = self._heights(number - 1)
            for joint in self.joints[number - 1]:
                ends[joint.right][0].append(heights[joint.left] + joint.start)
        if number + 1 < len(self.columns.order):
            heights = self._heights(number + 1)
            for joint in self.joints[number]:
                ends[joint.left][1].append(heights[joint.right] + joint.end)
        return ends


class _Rows:
    """The crossings between the joints of a cell and those of each of the others, as arrays over all cells."""

    def __init__(self, ends: list[tuple[list[float], list[float]]]) -> None:
        import numpy as np

        self.ends = ends
        self.flat = [np.array([end for both in ends for end in both[side]]) for side in (0, 1)]
        self.owners = [np.repeat(np.arange(len(ends)), [len(both[side]) for both in ends]) for side in (0, 1)]

    def changes(self, index: int) -> Any:
        """How many crossings it saves that a cell is above each of the others, and not below it."""
        import numpy as np

        saved = np.zeros(len(self.ends), "int64")
        for own, flat, owners in zip(self.ends[index], self.flat, self.owners, strict=True):
            if own and len(flat):
                ranked = np.sort(np.array(own))
                # Below it, an end of another crosses those of its own that are higher up; above it, those below.
                above = np.searchsorted(ranked, flat, "left")
                below = len(own) - np.searchsorted(ranked, flat, "right")
                saved += np.bincount(owners, above - below, len(self.ends)).astype("int64")
        return saved
