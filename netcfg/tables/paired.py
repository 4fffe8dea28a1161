"""Whether a method's figures differ from the best one's by more than chance: run against run on the same folds.

Source: F. Wilcoxon, Individual Comparisons by Ranking Methods (1945), as SciPy computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from netcfg.source import NetcfgError
from netcfg.tables.cells import Cell, Cells, Key

LEVEL = 0.05
FEWEST = 6
"""Of fewer pairs no difference can be significant at that level, however large."""


@dataclass(frozen=True)
class Compared:
    """A row against the best of its column: over how many pairs, and the probability that chance does as much.

    `p` is None where there are too few pairs to tell.
    """

    row: str
    best: str
    column: str
    pairs: int
    p: float | None

    @property
    def is_worse(self) -> bool:
        """Whether it is worse by more than chance."""
        return self.p is not None and self.p < LEVEL

    def __str__(self) -> str:
        """In a sentence."""
        against = f"{self.row} against {self.best}, {self.column}"
        if self.p is None:
            return f"{against}: {self.pairs} pairs, too few to tell ({FEWEST} at least)"
        return f"{against}: p = {self.p:.3g} ({self.pairs} pairs)"


def compared(table: Cells) -> dict[Key, Compared]:
    """Each cell against the best of its column. Raises `NetcfgError` without SciPy, or for runs that are no pairs."""
    stats = _scipy()
    found: dict[Key, Compared] = {}
    for column in table.columns:
        best = sorted(table.best(column), key=table.rows.index)
        if not best:
            continue
        for row in table.rows:
            if row in best or not table.cell(row, column).samples:
                continue
            pairs = paired(table.cell(best[0], column), table.cell(row, column), row, column)
            p = _wilcoxon(stats, pairs) if len(pairs) >= FEWEST else None
            found[row, column] = Compared(row, best[0], column, len(pairs), p)
    return found


def paired(one: Cell, other: Cell, row: str = "", column: str = "") -> list[tuple[float, float]]:
    """The figures of runs that were told the same in all else. Raises `NetcfgError` where one has several partners."""
    first, second = _by_rest(one, row, column), _by_rest(other, row, column)
    return [(figure, second[rest]) for rest, figure in first.items() if rest in second]


def _by_rest(cell: Cell, row: str, column: str) -> Mapping[Any, float]:
    found: dict[Any, float] = {}
    for sample in cell.samples:
        if sample.rest in found:
            told = ", ".join(f"{key} {value}" for key, value in sample.rest) or "nothing"
            raise NetcfgError(
                f"--test: two runs of one cell ({row}, {column}) differ in nothing they were told: {told}\n"
                "help: give each its own `--set fold=…` or `--seed`, or leave one of them out",
                code="NC802",
            )
        found[sample.rest] = sample.figure
    return found


def _wilcoxon(stats: Any, pairs: list[tuple[float, float]]) -> float:
    if all(one == other for one, other in pairs):
        return 1.0
    return float(stats.wilcoxon([one for one, _ in pairs], [other for _, other in pairs]).pvalue)


def _scipy() -> Any:
    try:
        return import_module("scipy.stats")
    except ImportError:
        raise NetcfgError(
            "SciPy is not installed, and `--test` compares by it\nhelp: `pip install 'netcfg[tables]'`",
            code="NC807",
        ) from None


__all__ = ["FEWEST", "LEVEL", "Compared", "compared", "paired"]
