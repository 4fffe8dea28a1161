"""Cards in columns, from left to right, and in which order and at which height they stand: pure geometry.

A link leads from a port on a card's right edge to one on the left edge of a card in a later column. Links of one port
are one *signal*; in the columns it passes a signal takes a *cell* of its own, as a card does. So no line runs
through a card, and every line that has to bend does so between two columns (see `netcfg.draw.training.channels`).

The order in each column is one with few crossings (`netcfg.draw.training.order`). Heights make the sum of all bends
small, and bends few. Nothing is left to chance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from netcfg.draw.training.order import improve_order
from netcfg.draw.training.straighten import straighten

Port = tuple[int, int]
"""A card's index, and the number of one of its outputs."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Something with a size in a column; `inputs` and `outputs` are how far down its edges its ports are.

    Cards that are `fixed` keep their order in their column.
    """

    column: int
    width: float
    height: float
    inputs: tuple[float, ...]
    outputs: tuple[float, ...]
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """From output `output` of card `source` to input `input` of card `target`."""

    source: int
    output: int
    target: int
    input: int

    @property
    def signal(self) -> Port:
        """What it carries."""
        return self.source, self.output


@dataclass(slots=True)
class Cell:
    """A card's place, or that of a signal that passes a column (`card` is None). `y` is its upper edge."""

    column: int
    height: float
    card: int | None
    signal: Port | None = None
    fixed: bool = False
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Joint:
    """A piece of a signal's way: from a cell to one in the next column, `start` and `end` below their upper edges."""

    signal: Port
    left: int
    start: float
    right: int
    end: float
    weight: int


LINE_HEIGHT = 4.0
"""Height of the cell of a passing signal."""
CARD_GAP = 20.0
LINE_GAP = 9.0
"""Least distances in a column: between cards, and around passing signals."""
_TURNS = 12


@dataclass(slots=True)
class Columns:
    """Cells by column, from top to bottom, and the joints between columns; gap k is right of column k."""

    slots: Sequence[Slot]
    links: Sequence[Link]
    cells: list[Cell] = field(default_factory=list)
    order: list[list[int]] = field(default_factory=list)
    joints: list[list[Joint]] = field(default_factory=list)
    passing: dict[tuple[Port, int], int] = field(default_factory=dict)
    """The cell of a signal in a column that it passes."""

    def __post_init__(self) -> None:
        count = max((slot.column for slot in self.slots), default=-1) + 1
        self.cells = [
            Cell(slot.column, slot.height, index, None, slot.fixed) for index, slot in enumerate(self.slots)
        ]
        self.joints = [[] for _ in range(count)]
        self._join()
        self.order = [[] for _ in range(count)]
        for index, cell in enumerate(self.cells):
            self.order[cell.column].append(index)
        improve_order(self)
        self._set_heights()

    def _join(self) -> None:
        """Lay the signals through the columns, each once."""
        seen: set[tuple[Port, int, int, float]] = set()
        for link in self.links:
            source, target = self.slots[link.source], self.slots[link.target]
            left, start = link.source, source.outputs[link.output]
            for column in range(source.column + 1, target.column + 1):
                last = column == target.column
                right = link.target if last else self._pass(link.signal, column)
                end = target.inputs[link.input] if last else LINE_HEIGHT / 2
                weight = (1 if left == link.source else 2) * (1 if last else 2)
                if (link.signal, left, right, end) not in seen:
                    seen.add((link.signal, left, right, end))
                    self.joints[column - 1].append(Joint(link.signal, left, start, right, end, weight))
                left, start = right, LINE_HEIGHT / 2

    def _pass(self, signal: Port, column: int) -> int:
        if (signal, column) not in self.passing:
            self.passing[signal, column] = len(self.cells)
            self.cells.append(Cell(column, LINE_HEIGHT, None, signal))
        return self.passing[signal, column]

    # --- heights ----------------------------------------------------------------------------------------------

    def _set_heights(self) -> None:
        """First each column after the one before it, then after the one behind it, then after both."""
        for column in self.order:
            self._stack(column)
        for sides in ((True, False), (False, True), *[(True, True)] * _TURNS):
            columns = range(len(self.order))
            for number in columns if sides[0] else reversed(columns):
                self._settle(number, *sides)
        straighten(self)
        top = min((cell.y for cell in self.cells), default=0.0)
        for cell in self.cells:
            cell.y -= top

    def _stack(self, column: list[int]) -> None:
        y = 0.0
        for above, index in zip([None, *column], column, strict=False):
            y += self.distance(above, index) if above is not None else 0.0
            self.cells[index].y = y

    def distance(self, above: int, below: int) -> float:
        """From one cell's upper edge to the next one's, at least."""
        cards = sum(self.cells[index].card is not None for index in (above, below))
        return self.cells[above].height + (CARD_GAP if cards == 2 else LINE_GAP + 3.0 * cards)

    def _settle(self, number: int, left: bool, right: bool) -> None:
        """Set a column's heights so that its joints bend least: the median, kept in order."""
        wishes: dict[int, list[tuple[float, float]]] = {index: [] for index in self.order[number]}
        if left and number:
            for joint in self.joints[number - 1]:
                y = self.cells[joint.left].y + joint.start - joint.end
                wishes[joint.right].append((y, joint.weight))
        if right:
            for joint in self.joints[number]:
                y = self.cells[joint.right].y + joint.end - joint.start
                wishes[joint.left].append((y, joint.weight))
        offsets = [0.0]
        for above, below in zip(self.order[number], self.order[number][1:], strict=False):
            offsets.append(offsets[-1] + self.distance(above, below))
        lists = [
            [(y - offset, weight) for y, weight in wishes[index] or [(self.cells[index].y, 0.01)]]
            for index, offset in zip(self.order[number], offsets, strict=False)
        ]
        for index, offset, y in zip(self.order[number], offsets, _in_order(lists), strict=False):
            self.cells[index].y = y + offset


def _in_order(wishes: list[list[tuple[float, float]]]) -> list[float]:
    """Rising numbers nearest to what each of them is wished to be: neighbours that are in each other's way join."""
    blocks: list[_Block] = []
    for one in wishes:
        block = _Block(one)
        while blocks and blocks[-1].median > block.median:
            block = blocks.pop().joined(block)
        blocks.append(block)
    return [block.median for block in blocks for _ in range(block.count)]


class _Block:
    """Neighbours at one height, and their wishes, ranked; joining two costs no more than the smaller one is long."""

    def __init__(self, wishes: list[tuple[float, float]]) -> None:
        self.ranked = sorted(wishes)
        self.count = 1
        self.whole = sum(weight for _, weight in self.ranked)
        self.place = 0
        """The first wish up to which half of all weight lies; `reached` is the weight up to and with it."""
        self.reached = self.ranked[0][1]
        self._settle()

    def joined(self, other: _Block) -> _Block:
        """Both as one; neither is of use any more."""
        large, small = (self, other) if len(self.ranked) >= len(other.ranked) else (other, self)
        large.count += small.count
        large.whole += small.whole
        for wish in small.ranked:
            at = bisect_left(large.ranked, wish)
            large.ranked.insert(at, wish)
            if at <= large.place:
                large.place += 1
                large.reached += wish[1]
        large._settle()
        return large

    def _settle(self) -> None:
        """Set `place` anew, from where it was."""
        half = self.whole / 2
        while self.place and self.reached - self.ranked[self.place][1] >= half:
            self.reached -= self.ranked[self.place][1]
            self.place -= 1
        while self.reached < half and self.place + 1 < len(self.ranked):
            self.place += 1
            self.reached += self.ranked[self.place][1]

    @property
    def median(self) -> float:
        """The weighted median; between two that are equally good their middle, where all weigh the same."""
        value = self.ranked[self.place][0]
        if len(self.ranked) == 2 and self.place == 0 and self.reached == self.whole / 2:
            return (value + self.ranked[1][0]) / 2
        return value
