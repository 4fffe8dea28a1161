"""Epochs as lines of columns under a header, and what a run says of itself at its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from netcfg.results import Epoch, Result, Table, number
from netcfg.trainers.reporting.estimate import si
from netcfg.trainers.reporting.progress import clock, sums

TRIVIAL = "!"
"""Behind a figure that is no better than an answer that looks at nothing."""
_NARROWEST = 7
_GAP = "  "


@dataclass(frozen=True)
class _Cell:
    """`rank`: where lines are too long, columns of the highest leave first; those of 0 stay."""

    title: str
    text: str
    rank: int


class EpochLines:
    """Makes an epoch's lines: its figures, and before the first, or where columns change, the header.

    `width` is what a line may hold, None: anything. Columns for which there is no room are named once.
    """

    def __init__(self, epochs: int, width: int | None = None) -> None:
        self.epochs = epochs
        self.width = width
        self._widths: dict[str, int] = {}
        self._explained: set[str] = set()

    def lines(self, record: Epoch) -> list[str]:
        """The epoch's line, after the header where it is due; then what a mark means, once for each metric."""
        cells = list(self._cells(record))
        needed = {cell.title: max(_NARROWEST, len(cell.title), len(cell.text)) for cell in cells}
        fits = all(self._widths.get(title, 0) >= width for title, width in needed.items())
        if not fits:
            self._widths = {title: max(width, self._widths.get(title, 0)) for title, width in needed.items()}
        shown = self._shown(cells)
        line = self._line({cell.title: cell.text for cell in shown}, record.best)
        header = [] if fits else self._header(cells, shown)
        return [*header, line, *self._explanations(record)]

    def _explanations(self, record: Epoch) -> Iterator[str]:
        for table in record.validation.own_tables.values():
            if table.is_trivial and table.baseline is not None and table.name not in self._explained:
                self._explained.add(table.name)
                reached = f"{table.baseline.what}: {table.baseline.figure:.3f}"
                yield f"note: {TRIVIAL} behind {table.name}: no better than {reached}"

    def _header(self, cells: list[_Cell], shown: list[_Cell]) -> Iterator[str]:
        yield self._line({cell.title: cell.title for cell in shown})
        missing = [cell.title for cell in cells if cell not in shown]
        if missing:
            yield f"(no room for {', '.join(missing)}: see metrics.jsonl)"

    def _line(self, texts: dict[str, str], is_best: bool = False) -> str:
        columns = [text.rjust(self._widths[title]) for title, text in texts.items()]
        return _GAP.join([*columns, *(["best so far"] if is_best else [])])

    def _shown(self, cells: list[_Cell]) -> list[_Cell]:
        """Those for which there is room, beside `best so far`."""
        shown = list(cells)
        while self.width is not None and self._length(shown) > self.width:
            last = max(range(len(shown)), key=lambda place: (shown[place].rank, place))
            if not shown[last].rank:
                break
            del shown[last]
        return shown

    def _length(self, cells: list[_Cell]) -> int:
        return sum(self._widths[cell.title] + len(_GAP) for cell in cells) + len("best so far")

    def _cells(self, record: Epoch) -> Iterator[_Cell]:
        yield _Cell("epoch", f"{record.epoch}/{self.epochs}".rjust(2 * len(str(self.epochs)) + 1), 0)
        for name, value in sums(record.train):
            yield _Cell(name, f"{value:.4f}", 0)
        for name, value in sums(record.validation.losses):
            yield _Cell(f"validation {name}", f"{value:.4f}", 2)
        for place, table in enumerate(record.validation.own_tables.values()):
            yield _Cell(table.name, _marked(table), min(place, 1))
        for name, value in record.numbers.items():
            yield _Cell(name, f"{value:.3g}", 2)
        rates = record.rates
        yield _Cell("samples/s", f"{rates.step_samples_per_second:.1f}", 4)
        yield _Cell("data/s", f"{rates.data_samples_per_second:.0f}", 5)
        yield _Cell("waited", f"{rates.waiting_share:.0%}", 5)
        yield _Cell("time", clock(record.seconds.train + record.seconds.validation), 3)


def _marked(table: Table) -> str:
    return number(table.main) + (TRIVIAL if table.is_trivial else "")


def width_of(console: Console) -> int | None:
    """What a line may hold: a terminal's width, or COLUMNS; None for a file or a pipe without."""
    return console.width if console.is_terminal or "COLUMNS" in os.environ else None


def ending(result: Result) -> str:
    """What a run took: `12 epochs in 3 min 20 s, at most 1.2 GB of memory; last learning rate 0.001`."""
    time = "" if result.seconds is None else f" in {clock(result.seconds)}"
    memory = "" if result.peak_bytes is None else f", at most {si(result.peak_bytes)}B of memory"
    rates = result.learning_rate
    named = [f"{rate:.3g}" + (f" ({name})" if len(rates) > 1 else "") for name, rate in rates.items()]
    last = f"; last learning rate {', '.join(named)}" if named else ""
    return f"{result.epochs} epoch{'s' if result.epochs != 1 else ''}{time}{memory}{last}"
