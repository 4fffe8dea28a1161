"""The figures of runs by row and column, each with what its run was told beside these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from netcfg.frames import frame_of
from netcfg.opened import Run
from netcfg.results import ABSENT, Figure, number
from netcfg.source import NetcfgError, did_you_mean, shown_path

PROGRAM, METRIC, LABEL = "program", "metric", "label"
"""What rows and columns may be beside the variables of the runs."""
Rest = tuple[tuple[str, str], ...]
"""The variables of a run that are neither rows nor columns, sorted by name: its fold, its seed."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """What a table is of: rows, columns, a metric where no column says so, and a split."""

    rows: str = PROGRAM
    columns: str = METRIC
    metric: str | None = None
    split: str = "test"
    factor: float = 1.0


@dataclass(frozen=True)
class Sample:
    """A run's figure, and its other variables."""

    rest: Rest
    figure: float


@dataclass(frozen=True)
class Cell:
    """The figures that share a row and a column."""

    samples: tuple[Sample, ...] = ()

    @property
    def figures(self) -> list[float]:
        """The known ones."""
        return [sample.figure for sample in self.samples]

    @property
    def mean(self) -> Figure:
        """None for a cell without a figure."""
        return fmean(self.figures) if self.samples else None

    @property
    def deviation(self) -> Figure:
        """The standard deviation of a sample; None for fewer than two figures."""
        return stdev(self.figures) if len(self.samples) > 1 else None


@dataclass(frozen=True)
class Cells:
    """A table: its cells, and by column whether more is better, None where nobody knows."""

    asked: Asked
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[Key, Cell]
    higher: Mapping[str, bool | None]
    notes: tuple[str, ...] = ()

    def cell(self, row: str, column: str) -> Cell:
        """A cell, empty where no run has such a figure."""
        return self.cells.get((row, column), Cell())

    def to_rows(self) -> list[dict[str, Figure | str]]:
        """A row for each cell: its row and column, mean, standard deviation, and how many runs it is of."""
        names = self.asked.rows, self.asked.columns
        found: list[dict[str, Figure | str]] = []
        for row in self.rows:
            for column in self.columns:
                cell = self.cell(row, column)
                place: dict[str, Figure | str] = dict(zip(names, (row, column), strict=True))
                figures: dict[str, Figure | str] = {
                    "mean": cell.mean,
                    "standard_deviation": cell.deviation,
                    "runs": len(cell.samples),
                }
                found.append(place | figures)
        return found

    def to_frame(self) -> Any:
        """The same as a pandas `DataFrame`. Raises `NetcfgError` (NC807) without pandas."""
        return frame_of(self.to_rows())

    def _repr_html_(self) -> str:
        """Means and deviations, the best of each column in bold, which notebooks show."""
        head = "".join(f"<th>{escape(name)}</th>" for name in ("", *self.columns))
        body = "".join(
            f"<tr><th>{escape(row)}</th>{''.join(self._html(row, column) for column in self.columns)}</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _html(self, row: str, column: str) -> str:
        cell = self.cell(row, column)
        text = number(cell.mean) + ("" if cell.deviation is None else f" ± {number(cell.deviation)}")
        return f"<td><b>{text}</b></td>" if row in self.best(column) else f"<td>{text}</td>"

    def best(self, column: str) -> set[str]:
        """The rows with the best mean of a column; none where nobody knows which is better, or there is one row."""
        means = {row: mean for row in self.rows if (mean := self.cell(row, column).mean) is not None}
        higher = self.higher.get(column)
        if higher is None or len(means) < 2:
            return set()
        top = max(means.values()) if higher else min(means.values())
        return {row for row, mean in means.items() if mean == top}


def cells_of(runs: Sequence[Run], asked: Asked) -> Cells:
    """The figures of finished runs. Raises `NetcfgError` where none has finished, or has such figures."""
    finished = [run for run in runs if run.result is not None]
    unfinished = [run for run in runs if run.result is None]
    if not finished:
        raise NetcfgError(
            f"none of these runs has finished: {', '.join(shown_path(run.path) for run in unfinished)}\n"
            "help: `netcfg train --resume RUN` goes on with one",
            code="NC802",
        )
    _expect_metric(finished, asked)
    _expect_told(finished, asked)
    found: dict[Key, list[Sample]] = {}
    without = []
    for run, name in zip(finished, program_names(finished), strict=True):
        is_in = False
        for key, sample in _samples(run, name, asked):
            kept = found.setdefault(key, [])
            is_in = True
            if sample is not None:
                kept.append(sample)
        if not is_in:
            without.append(run)
    if not found:
        if LABEL in (asked.rows, asked.columns):
            message = f"these runs have no figures by label on the {asked.split} split"
            raise NetcfgError(f"{message}\nhelp: rows and columns by `program` and `metric`", code="NC802")
        other = "validation" if asked.split == "test" else "test"
        raise NetcfgError(
            f"these runs have no figures of the {asked.split} split\nhelp: `--split {other}`", code="NC802"
        )
    notes = [f"{shown_path(run.path)} has not finished, and is left out" for run in unfinished]
    notes += [f"{shown_path(run.path)} has no such figure, and is left out" for run in without]
    rows = tuple(dict.fromkeys(row for row, _ in found))
    columns = tuple(dict.fromkeys(column for _, column in found))
    cells = {key: Cell(tuple(samples)) for key, samples in found.items()}
    return Cells(asked, rows, columns, cells, _higher(finished, asked, columns), tuple(notes))


def _expect_metric(runs: Sequence[Run], asked: Asked) -> None:
    known = sorted(
        {name for run in runs if run.result is not None for name in run.result.split(asked.split).tables}
    )
    if asked.metric and asked.metric not in known:
        help = did_you_mean(asked.metric, known) or f"they have {', '.join(known) or 'none at all'}"
        raise NetcfgError(f"no run has a metric `{asked.metric}`\nhelp: {help}", code="NC802")


def _expect_told(runs: Sequence[Run], asked: Asked) -> None:
    """Rows and columns are of what at least one run was told."""
    told = sorted({name for run in runs for name in run.settings})
    for key in (asked.rows, asked.columns):
        if key in (METRIC, LABEL, PROGRAM, *told):
            continue
        help = (
            did_you_mean(key, [METRIC, LABEL, PROGRAM, *told]) or "`--rows label`, or a variable that was set"
        )
        raise NetcfgError(f"none of these runs was told `{key}`\nhelp: {help}", code="NC802")


def program_names(runs: Sequence[Run]) -> list[str]:
    """What each run's program is called: its file, with its folder only where two files would be called alike."""
    files = {run.name: Path(run.name).name for run in runs}
    counts = Counter(files.values())
    return [files[run.name] if counts[files[run.name]] == 1 else run.name for run in runs]


def _samples(run: Run, program: str, asked: Asked) -> list[tuple[Key, Sample | None]]:
    """A run's figures by row and column; None for one that cannot be known."""
    result = run.result
    assert result is not None
    wanted = asked.metric or result.monitor
    is_one = METRIC not in (asked.rows, asked.columns) or asked.metric is not None
    evaluation = result.split(asked.split)
    tables = evaluation.tables if asked.metric else evaluation.own_tables
    found: list[tuple[Key, Sample | None]] = []
    for name, table in tables.items():
        if is_one and name != wanted:
            continue
        by_label: Mapping[str, Figure] = (
            table.labels if LABEL in (asked.rows, asked.columns) else {"": table.main}
        )
        for label, figure in by_label.items():
            places = {METRIC: name, LABEL: label, PROGRAM: program}
            row, column = (_place(run, key, places) for key in (asked.rows, asked.columns))
            sample = None if figure is None else Sample(_rest(run, asked), figure * asked.factor)
            found.append(((row, column), sample))
    return found


def _place(run: Run, key: str, places: Mapping[str, str]) -> str:
    """Where a run stands among rows or columns."""
    return places[key] if key in places else run.settings.get(key, ABSENT)


def _rest(run: Run, asked: Asked) -> Rest:
    told = run.settings
    if PROGRAM not in (asked.rows, asked.columns):
        told = {**told, PROGRAM: run.name}
    return tuple(
        sorted((key, value) for key, value in told.items() if key not in (asked.rows, asked.columns))
    )


def _higher(runs: Sequence[Run], asked: Asked, columns: Sequence[str]) -> dict[str, bool | None]:
    """By column whether more is better, as the runs' own programs say."""
    found: dict[str, bool] = {}
    for run in runs:
        try:
            metrics = run.program.metrics
        except NetcfgError:  # its Python files are gone: which way is better nobody knows
            continue
        found |= {name: metric.higher_is_better for name, metric in metrics.items()}
    if asked.columns == METRIC and asked.metric is None:
        return {column: _way(found, column) for column in columns}
    monitors = {asked.metric or (run.result.monitor if run.result is not None else None) for run in runs}
    only = monitors.pop() if len(monitors) == 1 else None
    return dict.fromkeys(columns, None if only is None else _way(found, only))


def _way(known: Mapping[str, bool], metric: str) -> bool | None:
    """A metric's way; that of a metric that it is a variant of, such as `f1_median3` of `f1`."""
    if metric in known:
        return known[metric]
    owners = [name for name in known if metric.startswith(f"{name}_")]
    return known[max(owners, key=len)] if owners else None


__all__ = ["LABEL", "METRIC", "PROGRAM", "Asked", "Cell", "Cells", "Sample", "cells_of", "program_names"]
