"""Which items of one list became which items of another.

Items whose weights come from the same place are the same, and items with a name keep it; the others are matched
by what they are and in order, as a person reads two files side by side. The work is nearly linear: names, then
what is equal at both ends, then what occurs just once, cut the lists into short stretches, and only those are
compared item by item.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from netcfg.compare.edits import common

Pair = tuple[int, int]
Stretch = tuple[Sequence[int], Sequence[int]]
"""Indices of items of the first list, and of the second, both growing."""

LARGEST_TABLE = 60_000
"""In stretches with more pairs than this only what is alike is matched."""

EQUAL, ALIKE, RELATED = 4.0, 3.0, 1.0
"""What it is worth to match items that are the same, that are so but for their surroundings, of one type."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of an item.

    `name` is empty where it has none. `origin` is what files of weights call it, and `asked` whether somebody wrote
    that down: then it says which item it was, whatever it is called now. `kind` must agree for a match at all,
    `traits` as far as possible (two items with different names need all of them), and `surroundings` say which of
    several alike it is.
    """

    name: str
    kind: Hashable
    traits: frozenset[Hashable]
    surroundings: Hashable = ()
    origin: str = ""
    asked: bool = False

    @property
    def alike(self) -> Hashable:
        """Equal for items that differ in their surroundings at most."""
        return (self.kind, self.traits)

    @property
    def exact(self) -> Hashable:
        """Equal for items that differ in nothing but their names."""
        return (self.kind, self.traits, self.surroundings)


def align(first: Sequence[Item], second: Sequence[Item]) -> list[Pair]:
    """The matched items by index, in the order of the first list; the same pairs whichever list comes first."""
    if _order(first) <= _order(second):
        return _Alignment(first, second).run()
    return sorted((here, there) for there, here in _Alignment(second, first).run())


def _order(items: Sequence[Item]) -> list[tuple[str, str, list[str]]]:
    """Puts two lists into an order, any that does not depend on which came first."""
    return [(item.name, repr(item.kind), sorted(map(repr, item.traits))) for item in items]


class _Alignment:
    def __init__(self, first: Sequence[Item], second: Sequence[Item]) -> None:
        self.first = first
        self.second = second
        self.match: dict[int, int] = {}
        self.taken: set[int] = set()
        numbers: dict[Hashable, int] = {}
        self.exact = self._numbered(lambda item: item.exact, numbers)
        self.alike = self._numbered(lambda item: item.alike, numbers)

    def _numbered(
        self, key: Callable[[Item], Hashable], numbers: dict[Hashable, int]
    ) -> tuple[list[int], list[int]]:
        """A small number for each item of both lists, equal where the keys are: quick to compare."""
        first, second = (
            [numbers.setdefault(key(item), len(numbers)) for item in items]
            for items in (self.first, self.second)
        )
        return first, second

    def run(self) -> list[Pair]:
        """Where weights come from and names first, then stretch by stretch, then what has moved."""
        self._take(self._of_one_origin())
        self._take(self._named())
        named = sorted(self.match.items())
        waiting = list(self._between(_increasing(named), (range(len(self.first)), range(len(self.second)))))
        while waiting:
            waiting += self._split(waiting.pop())
        self._take(self._moved())
        return sorted(self.match.items())

    def _take(self, pairs: Iterable[Pair]) -> None:
        for here, there in pairs:
            self.match[here] = there
            self.taken.add(there)

    def _named(self) -> Iterator[Pair]:
        """Items of the same name, which is unique in its list."""
        there = _unique((item.name, index) for index, item in enumerate(self.second) if item.name)
        here = _unique((item.name, index) for index, item in enumerate(self.first) if item.name)
        pairs = ((index, there[name]) for name, index in here.items() if name in there)
        return ((one, other) for one, other in pairs if one not in self.match and other not in self.taken)

    def _of_one_origin(self) -> Iterator[Pair]:
        """Items whose weights bear the same name in a file, which at least one of them asks for."""
        there = _unique((item.origin, index) for index, item in enumerate(self.second) if item.origin)
        here = _unique((item.origin, index) for index, item in enumerate(self.first) if item.origin)
        pairs = ((index, there[name]) for name, index in here.items() if name in there)
        return (pair for pair in pairs if self.first[pair[0]].asked or self.second[pair[1]].asked)

    def _between(self, spine: Sequence[Pair], stretch: Stretch) -> Iterator[Stretch]:
        """The stretches that matched pairs leave between them, without what is matched already."""
        first = [index for index in stretch[0] if index not in self.match]
        second = [index for index in stretch[1] if index not in self.taken]
        start, begin = 0, 0
        ends = [*spine, (1 << 60, 1 << 60)]
        for here, there in ends:
            stop, end = bisect_left(first, here), bisect_left(second, there)
            if stop > start and end > begin:
                yield first[start:stop], second[begin:end]
            start, begin = stop, end

    def _split(self, stretch: Stretch) -> list[Stretch]:
        """Match what is plain in a stretch; the shorter stretches that are left."""
        for numbers in (self.exact, self.alike):
            stretch = self._trimmed(stretch, numbers)
        if not stretch[0] or not stretch[1]:
            return []
        for numbers in (self.exact, self.alike):
            pairs = _increasing(list(self._once(stretch, numbers)))
            if pairs:
                self._take(pairs)
                return list(self._between(pairs, stretch))
        if len(stretch[0]) * len(stretch[1]) <= LARGEST_TABLE:
            self._take(_Table(self, stretch).best())
            return []
        pairs = self._common(stretch) or _increasing(list(self._in_turn(stretch, self.alike)))
        self._take(pairs)
        return list(self._between(pairs, stretch)) if pairs else []

    def _trimmed(self, stretch: Stretch, numbers: tuple[list[int], list[int]]) -> Stretch:
        """Match what is equal at the beginning and at the end."""
        first, second = stretch
        shortest = min(len(first), len(second))
        begin = 0
        while begin < shortest and numbers[0][first[begin]] == numbers[1][second[begin]]:
            begin += 1
        end = 0
        while end < shortest - begin and numbers[0][first[-1 - end]] == numbers[1][second[-1 - end]]:
            end += 1
        self._take(zip(first[:begin], second[:begin], strict=True))
        self._take(zip(first[len(first) - end :], second[len(second) - end :], strict=True))
        return first[begin : len(first) - end], second[begin : len(second) - end]

    @staticmethod
    def _once(stretch: Stretch, numbers: tuple[list[int], list[int]]) -> Iterator[Pair]:
        """What occurs just once in both halves of a stretch."""
        here = _unique((numbers[0][index], index) for index in stretch[0])
        there = _unique((numbers[1][index], index) for index in stretch[1])
        return ((index, there[number]) for number, index in here.items() if number in there)

    def _common(self, stretch: Stretch) -> list[Pair]:
        """What stays where the fewest are put in and taken out; nothing where those are too many to be sure."""
        first, second = stretch
        kept = common([self.alike[0][index] for index in first], [self.alike[1][index] for index in second])
        return [(first[here], second[there]) for here, there in kept or ()]

    @staticmethod
    def _in_turn(stretch: Stretch, numbers: tuple[list[int], list[int]]) -> Iterator[Pair]:
        """The n-th of a sort with the n-th of the same sort."""
        there: dict[int, list[int]] = defaultdict(list)
        for index in reversed(stretch[1]):
            there[numbers[1][index]].append(index)
        for index in stretch[0]:
            queue = there[numbers[0][index]]
            if queue:
                yield index, queue.pop()

    def _moved(self) -> Iterator[Pair]:
        """What is left and the same in every way, out of order: it has moved, or what it stood beside has."""
        first = [index for index in range(len(self.first)) if index not in self.match]
        second = [index for index in range(len(self.second)) if index not in self.taken]
        return self._in_turn((first, second), self.exact)

    def worth(self, here: int, there: int) -> float:
        """What it is worth to match two items; 0 where they may not be."""
        if self.alike[0][here] == self.alike[1][there]:
            return EQUAL if self.exact[0][here] == self.exact[1][there] else ALIKE
        one, other = self.first[here], self.second[there]
        if one.kind != other.kind or one.name != other.name:
            return 0.0
        both = len(one.traits | other.traits)
        return RELATED + len(one.traits & other.traits) / max(both, 1)


class _Table:
    """The most valuable way to match a short stretch in order."""

    def __init__(self, alignment: _Alignment, stretch: Stretch) -> None:
        self.first, self.second = stretch
        columns = len(self.second) + 1
        self.worth = [[alignment.worth(here, there) for there in self.second] for here in self.first]
        self.best_from = [[0.0] * columns for _ in range(len(self.first) + 1)]
        for row in range(len(self.first) - 1, -1, -1):
            for column in range(columns - 2, -1, -1):
                self.best_from[row][column] = max(
                    self.best_from[row + 1][column],
                    self.best_from[row][column + 1],
                    self.taken(row, column),
                )

    def taken(self, row: int, column: int) -> float:
        """The best there is from here on if these two are matched; 0 where they may not be."""
        worth = self.worth[row][column]
        return worth + self.best_from[row + 1][column + 1] if worth else 0.0

    def best(self) -> Iterator[Pair]:
        """The pairs of it."""
        row = column = 0
        while row < len(self.first) and column < len(self.second):
            best = self.best_from[row][column]
            if self.worth[row][column] and best == self.taken(row, column):
                yield self.first[row], self.second[column]
                row, column = row + 1, column + 1
            elif best == self.best_from[row + 1][column]:
                row += 1
            else:
                column += 1


def _unique(entries: Iterable[tuple[Hashable, int]]) -> dict[Hashable, int]:
    """The index of each key that comes once."""
    found: dict[Hashable, int] = {}
    repeated = set()
    for key, index in entries:
        if key in found:
            repeated.add(key)
        found[key] = index
    return {key: index for key, index in found.items() if key not in repeated}


def _increasing(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest part of the pairs that grows on both sides."""
    ordered = sorted(pairs)
    ends: list[int] = []
    end_at: list[int] = []
    before: list[int] = []
    for index, (_, there) in enumerate(ordered):
        place = bisect_left(ends, there)
        before.append(end_at[place - 1] if place else -1)
        if place == len(ends):
            ends.append(there)
            end_at.append(index)
        else:
            ends[place], end_at[place] = there, index
    chosen = []
    index = end_at[-1] if end_at else -1
    while index >= 0:
        chosen.append(ordered[index])
        index = before[index]
    return chosen[::-1]
