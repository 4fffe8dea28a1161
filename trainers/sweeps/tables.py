"""The tables of a sweep: the figures of many runs, by the variables in which they differ.

Columns are the values of the last variable, rows those of the one before it, and each value of earlier ones has a
part of the table to itself. Where every run judges several labels, these are the rows, and all variables but the last
make the parts. Of a single variable with a single label, the columns are the metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev
from typing import Any

from netcfg.blocks.general.training import Published
from netcfg.results import ABSENT, Counts, Evaluation, Figure, mean_of, number
from netcfg.trainers.reporting.grid import PLUS_MINUS, Grid, Rows

Values = tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """What one run has given: the values of the sweep's variables, and its evaluation of a split."""

    values: Values
    evaluation: Evaluation

    def labels(self, name: str) -> Sequence[str]:
        """The labels that a table has a figure for each, where they are several."""
        table = self.evaluation.tables.get(name)
        return table.judged if table else ()

    def cell(self, name: str, label: str | None) -> Cell | None:
        """The figure of a label, or the main one; None where the run has no such."""
        table = self.evaluation.tables.get(name)
        if table is None or (label is not None and label not in table.labels):
            return None
        counts = table.counts or {}
        chosen = list(counts.values()) if label is None else [counts[label]] if label in counts else []
        value = table.main if label is None else table.labels[label]
        return Cell(value, _sum(chosen) if chosen else None)


@dataclass(frozen=True)
class Cell:
    """A figure, None where it is undefined, with the counts behind it where it can be pooled with others."""

    value: Figure
    counts: Counts | None = None


def together(cells: Iterable[Cell | None]) -> Cell | None:
    """What cells come to together: F1 of their counts added up, where they have them, else the mean."""
    found = [cell for cell in cells if cell is not None]
    if not found:
        return None
    counts = [cell.counts for cell in found if cell.counts is not None]
    if len(counts) < len(found):
        return Cell(mean_of(cell.value for cell in found))
    hits, false, missed = _sum(counts)
    is_known = (
        hits + missed > 0 or mean_of(cell.value for cell in found) is not None
    )  # or counted 0 by its metric
    return Cell(2 * hits / max(2 * hits + false + missed, 1) if is_known else None, (hits, false, missed))


def _sum(counts: Sequence[Counts]) -> Counts:
    hits, false, missed = (sum(column) for column in zip(*counts, strict=True))
    return hits, false, missed


@dataclass(frozen=True)
class Part:
    """The cells of a table for one choice of the variables that are neither rows nor columns."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[str, str], Cell | None]

    def row(self, name: str) -> list[Cell | None]:
        """The cells of a row."""
        return [self.cells.get((name, column)) for column in self.columns]

    def total(self) -> list[Cell | None]:
        """What all rows come to, by column."""
        return [together(self.cells.get((row, column)) for row in self.rows) for column in self.columns]


@dataclass(frozen=True)
class SweepTable:
    """One metric over all runs. `published` are figures that others have printed, by row, `mean` among them."""

    metric: str
    row_name: str
    column_name: str
    parts: Sequence[Part]
    published: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

    @property
    def is_pooled(self) -> bool:
        """Whether rows and columns are summed up by counts."""
        cells = [cell for part in self.parts for cell in part.cells.values() if cell is not None]
        return bool(cells) and all(cell.counts is not None for cell in cells)

    @property
    def total_name(self) -> str:
        """What sums up is called."""
        return "pooled" if self.is_pooled else "mean"

    @property
    def has_columns(self) -> bool:
        """Whether there is more than one figure in a row."""
        return any(len(part.columns) > 1 for part in self.parts)

    def grid(self, split: str) -> Grid:
        """The table as texts: a column for what each row comes to, and a row for what each column does."""
        columns = list(dict.fromkeys(column for part in self.parts for column in part.columns))
        summed = [self.total_name] if self.has_columns else []
        shown = [f"{self.column_name} {column}".strip() for column in columns]
        parts = [self._rows(part, columns) for part in self.parts]
        return Grid(
            f"{self.metric}, {split} split",
            [*shown, *summed, *(["published"] if self.published else [])],
            [rows for pair in parts for rows in pair],
            self.row_name,
            f"published: {self.source}" if self.published and self.source else "",
        )

    def _rows(self, part: Part, columns: Sequence[str]) -> list[Rows]:
        rows = [(name, self._texts(part.row(name), name)) for name in part.rows]
        below = [(self.total_name, self._texts(part.total(), "mean"))] if len(part.rows) > 1 else []
        return [Rows(rows, part.title), *([Rows(below)] if below else [])]

    def _texts(self, cells: Sequence[Cell | None], published: str) -> list[str]:
        texts = [number(cell.value if cell else None) for cell in cells]
        if self.has_columns:
            texts.append(spread_text(cells))
        if self.published:
            texts.append(number(self.published.get(published)))
        return texts

    def as_json(self) -> dict[str, Any]:
        """All its numbers."""
        return {
            "metric": self.metric,
            "rows": self.row_name,
            "columns": self.column_name,
            "summed_by": self.total_name,
            "source_of_published": self.source or None,
            "parts": [self._part_json(part) for part in self.parts],
        }

    def _part_json(self, part: Part) -> dict[str, Any]:
        rows = {name: self._row_json(part.columns, part.row(name), name) for name in part.rows}
        total = self._row_json(part.columns, part.total(), "mean")
        return {"title": part.title, "rows": rows, "total": total}

    def _row_json(
        self, columns: Sequence[str], cells: Sequence[Cell | None], published: str
    ) -> dict[str, Any]:
        summed = together(cells)
        return {
            "cells": {column: cell and cell.value for column, cell in zip(columns, cells, strict=True)},
            "total": summed and summed.value,
            "spread": spread(cells),
            "published": self.published.get(published),
        }


def spread(cells: Iterable[Cell | None]) -> Figure:
    """The standard deviation over known cells (of a sample, n - 1); None for fewer than two."""
    values = [cell.value for cell in cells if cell is not None and cell.value is not None]
    return stdev(values) if len(values) > 1 else None


def spread_text(cells: Sequence[Cell | None]) -> str:
    """`0.534 ± 0.021`: what cells come to, and how far they lie apart."""
    summed, apart = together(cells), spread(cells)
    mean = number(summed.value if summed else None)
    return mean if apart is None else f"{mean} {PLUS_MINUS} {number(apart)}"


# --- from runs to tables


def sweep_tables(
    variables: Sequence[str], runs: Sequence[Judged], published: Published | None = None
) -> list[SweepTable]:
    """A table per metric, without their variants."""
    names = dict.fromkeys(name for run in runs for name in run.evaluation.own_tables)
    return [_table(name, variables, runs, published) for name in names]


def _table(
    name: str, variables: Sequence[str], runs: Sequence[Judged], published: Published | None
) -> SweepTable:
    labels = list(dict.fromkeys(label for run in runs for label in run.labels(name)))
    is_by_label = bool(labels)
    several = is_by_label or len(variables) > 1
    row_name = "" if is_by_label else variables[-2] if several else variables[-1]
    grouped = variables[:-1] if is_by_label else variables[:-2]
    known = published if published is not None and published.metric == name else None
    if known is not None and known.of != (row_name or None):
        known = None
    parts = _parts(name, variables, runs, labels, grouped)
    return SweepTable(
        metric=name,
        row_name=row_name,
        column_name=variables[-1] if several else "",
        parts=parts,
        published=_beside(known, parts) if known else {},
        source=known.source if known else "",
    )


def _beside(published: Published, parts: Sequence[Part]) -> dict[str, float]:
    """The published figures of the rows there are; their printed mean only beside all of them."""
    shown = {row for part in parts for row in part.rows}
    figures = published.by_row
    if not shown <= figures.keys():
        figures.pop("mean", None)
    elif not set(published.rows) <= shown:
        figures["mean"] = fmean(figures[row] for row in shown)
    return figures


def _parts(
    name: str, variables: Sequence[str], runs: Sequence[Judged], labels: Sequence[str], grouped: Sequence[str]
) -> list[Part]:
    groups: dict[Values, list[Judged]] = {}
    for run in runs:
        groups.setdefault(run.values[: len(grouped)], []).append(run)
    return [_part(name, variables, group, labels, grouped) for group in groups.values()]


def _part(
    name: str, variables: Sequence[str], runs: Sequence[Judged], labels: Sequence[str], grouped: Sequence[str]
) -> Part:
    pairs = zip(grouped, runs[0].values, strict=False)
    title = ", ".join(f"{variable} {value}" for variable, value in pairs)
    cells: dict[tuple[str, str], Cell | None] = {}
    for run in runs:
        column = run.values[-1] if labels or len(variables) > 1 else ""
        if labels:
            cells |= {(label, column): run.cell(name, label) for label in labels}
        else:
            cells[run.values[-2] if len(variables) > 1 else run.values[-1], column] = run.cell(name, None)
    rows = list(dict.fromkeys(row for row, _ in cells))
    return Part(title, rows, list(dict.fromkeys(column for _, column in cells)), cells)


# --- for reading


def sweep_grids(
    variables: Sequence[str], runs: Sequence[Judged], split: str, published: Published | None = None
) -> list[Grid]:
    """The tables as texts: one per metric and one of them all; of a single variable just one."""
    tables = sweep_tables(variables, runs, published)
    if not tables:
        return []
    if len(variables) == 1 and not any(table.column_name for table in tables):
        grids = [_values_grid(variables[0], tables, split)]
    else:
        grids = [*(table.grid(split) for table in tables), _summary_grid(variables, runs, split)]
    note = "; ".join(part for part in (grids[-1].note, undefined_note(runs, split)) if part)
    return [*grids[:-1], replace(grids[-1], note=note)]


def undefined_note(runs: Sequence[Judged], split: str) -> str:
    """Which labels have no figure in how many runs, and why; empty where all have one."""
    found: dict[str, dict[str, int]] = {}
    for run in runs:
        lacking = {
            (why, of) for table in run.evaluation.tables.values() for of, why in table.undefined.items()
        }
        for reason, label in sorted(lacking):
            found.setdefault(reason, {})[label] = found.get(reason, {}).get(label, 0) + 1
    parts = [
        f"{reason} of {', '.join(f'{label} ({count} of {len(runs)} runs)' for label, count in labels.items())}"
        for reason, labels in found.items()
    ]
    return f"{ABSENT}: the {split} split has {'; '.join(parts)}" if parts else ""


def _values_grid(variable: str, tables: Sequence[SweepTable], split: str) -> Grid:
    """A row per value of the one variable, a column per metric, and beside it what others have published."""
    columns, known = [], [table for table in tables if table.published]
    rows: dict[str, list[str]] = {}
    for table in tables:
        part = table.parts[0]
        columns.append(table.metric)
        for name in part.rows:
            rows.setdefault(name, []).append(_text(part.row(name)))
        rows.setdefault("", []).append(spread_text([part.cells[name, ""] for name in part.rows]))
    for table in known:
        columns.append(f"published {table.metric}")
        for name, cells in rows.items():
            cells.append(number(table.published.get(name or "mean")))
    below = rows.pop("", [])
    note = f"published: {known[0].source}" if known and known[0].source else ""
    parts = [Rows(list(rows.items())), Rows([("mean", below)])]
    return Grid(f"{split} split", columns, parts, variable, note)


def _text(cells: Sequence[Cell | None]) -> str:
    return number(cells[0].value if cells and cells[0] else None)


def _summary_grid(variables: Sequence[str], runs: Sequence[Judged], split: str) -> Grid:
    """All tables of figures, variants too: what all rows of each come to, by column."""
    names = dict.fromkeys(name for run in runs for name in run.evaluation.tables)
    tables = [_table(name, variables, runs, None) for name in names]
    columns = list(dict.fromkeys(column for part in tables[0].parts for column in part.columns))
    parts = []
    for place, part in enumerate(tables[0].parts):
        totals = [(table.metric, table.parts[place].total()) for table in tables]
        rows = [(name, [*(_text([cell]) for cell in cells), spread_text(cells)]) for name, cells in totals]
        parts.append(Rows(rows, part.title))
    shown = [f"{variables[-1]} {column}" for column in columns]
    return Grid(f"all figures over {tables[0].row_name or 'labels'}, {split} split", [*shown, "mean"], parts)
