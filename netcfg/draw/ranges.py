"""The highest value over a range of rows, and marks that tell whether ranges cross; log n steps for each."""

from __future__ import annotations

_MASK = (1 << 62) - 1


class Highest:
    """A value for each row, at first 0; asked for its maximum over rows, raised over rows.

    A tree over the rows: `raised` holds for all rows under a node, `highest` is the most any of them has.
    """

    def __init__(self, rows: int) -> None:
        self.size = 1 << max(rows, 1).bit_length()
        self.highest = [0.0] * (2 * self.size)
        self.raised = [0.0] * (2 * self.size)

    def over(self, low: int, high: int) -> float:
        """The highest value in the rows `low`..`high`, both included."""
        found = max(self.highest[node] for node in self._cover(low, high))
        for node in (low + self.size, high + self.size):
            while node:
                found = max(found, self.raised[node])
                node >>= 1
        return found

    def raise_to(self, low: int, high: int, value: float) -> None:
        """Make `value` the least that any of the rows `low`..`high` has."""
        raised, highest = self.raised, self.highest
        for node in self._cover(low, high):
            if raised[node] < value:
                raised[node] = value
            # What is above a node is never lower than the node, so that the way up ends early.
            while node and highest[node] < value:
                highest[node] = value
                node >>= 1

    def _cover(self, low: int, high: int) -> list[int]:
        """The fewest nodes that together hold the rows."""
        nodes = []
        low, high = low + self.size, high + self.size + 1
        while low < high:
            if low & 1:
                nodes.append(low)
                low += 1
            if high & 1:
                high -= 1
                nodes.append(high)
            low, high = low >> 1, high >> 1
        return nodes


class Crossings:
    """Ranges of rows, and whether a new one would cross some of them: one end inside it, the other outside.

    Each range adds a number of its own at its first row and takes it away at its last, so that the sum over
    some rows is zero where they hold whole ranges only. The sums are a Fenwick tree's.
    """

    def __init__(self, rows: int) -> None:
        self.sums = [0] * (rows + 2)
        self.count = 0

    def add(self, low: int, high: int) -> None:
        """Take note of the range `low`..`high`."""
        self.count += 1
        mark = (self.count * 0x1E3779B97F4A7C15) & _MASK
        self._add(low, mark)
        self._add(high, -mark)

    def crosses(self, low: int, high: int) -> bool:
        """Whether `low`..`high` crosses a range."""
        return self._sum(high) != self._sum(low - 1)

    def _add(self, row: int, value: int) -> None:
        row += 1
        while row < len(self.sums):
            self.sums[row] += value
            row += row & -row

    def _sum(self, row: int) -> int:
        total, row = 0, row + 1
        while row > 0:
            total += self.sums[row]
            row -= row & -row
        return total
