"""The tables at the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table as Printed

from netcfg.results import OVERALL, Evaluation, Figure, Matrix, Result, Table
from netcfg.trainers.reporting.grid import Grid, Rows, number

Tables = Mapping[str, Table]
Splits = Mapping[str, Tables]
Columns = Mapping[str, Mapping[str, Figure]]

_MEAN = "mean"
_MEANS = (_MEAN, "macro", "micro", "weighted", OVERALL)
"""Rows below those of labels; a metric that tells several means calls each by its name."""


def result_tables(result: Result) -> list[Printed]:
    """What the best epoch reached on the validation and the test split, as `split_tables`."""
    judged = {split: result.split(split) for split in ("validation", "test")}
    return split_tables(judged, f"best epoch ({result.best_epoch})")


def notes(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Of each split what labels have no figure there, and why; and which figures no answer was needed for."""
    found = (
        note
        for split, evaluation in evaluations.items()
        for note in (evaluation.note(split), *evaluation.trivial(split))
    )
    return [f"note: {note}" for note in found if note]


def split_tables(evaluations: Mapping[str, Evaluation], title: str) -> list[Printed]:
    """The metrics of evaluated splits.

    Metrics that judge the same labels (`AU12`) stand side by side, a table per split; one that is alone has the
    splits side by side, and one with variants has a table of its own. All others share a table of their main
    figures; one that judges a single label names it there. Matrices have a table each.
    """
    splits = {split: found.tables for split, found in evaluations.items() if found.tables}
    variants: Mapping[str, Sequence[str]] = next(
        (found.variants for found in evaluations.values() if found.tables), {}
    )
    groups = by_labels(splits.values())
    plain = groups.pop((), [])
    tables = []
    for judged, names in groups.items():
        for metrics in _families(names, variants):
            tables += _tables_of_labels(splits, judged, metrics, title)
    if plain:
        tables.append(_plain_table(title, plain, splits))
    for split, found in evaluations.items():
        tables += _interval_tables(found, split)
        tables += [_matrix_table(matrix, split) for matrix in found.matrices.values()]
    return tables


def _interval_tables(found: Evaluation, split: str) -> list[Printed]:
    """Of each metric with intervals, the figures and where they lie."""
    tables = []
    for table in found.tables.values():
        if table.level is not None:
            rows = [
                (name, [number(table.figures.get(name)), number(low), number(high)])
                for name, (low, high) in table.intervals.items()
            ]
            title = f"{table.name}, {split} split, intervals of {table.level:.3g}"
            tables.append(Grid(title, ["figure", "from", "to"], [Rows(rows)]).as_text())
    return tables


def _families(names: list[str], variants: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each metric that has variants with them; then all others together."""
    families = [[name, *variants[name]] for name in names if name in variants]
    taken = {name for family in families for name in family}
    rest = [name for name in names if name not in taken]
    return [*families, rest] if rest else families


def _tables_of_labels(splits: Splits, judged: Sequence[str], metrics: list[str], title: str) -> list[Printed]:
    if len(metrics) == 1:
        name = metrics[0]
        columns = {split: _with_role(tables[name]) for split, tables in splits.items() if name in tables}
        return [_label_table(f"{name}, {title}", judged, columns)]
    found = []
    for split, tables in splits.items():
        columns = {name: _with_role(tables[name]) for name in metrics if name in tables}
        found.append(_label_table(f"{split}, {title}", judged, columns))
    return found


def _with_role(table: Table) -> dict[str, Figure]:
    """A table's figures; the main one is called for what it is of its labels."""
    if "macro" in table.details:
        return {**table.labels, **table.details}
    role = _MEAN if table.counts is None else OVERALL
    return {**table.labels, **table.details, role: table.main}


def by_labels(evaluated: Iterable[Tables]) -> dict[tuple[str, ...], list[str]]:
    """The metrics of some evaluations by the labels that they judge, in the order of the file; () is none."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for tables in evaluated:
        for name, table in tables.items():
            names = groups.setdefault(table.judged, [])
            if name not in names:
                names.append(name)
    return groups


def _label_table(title: str, labels: Iterable[str], columns: Columns) -> Printed:
    """Rows are labels, then the mean over them and what they come to together."""
    below = [key for key in _MEANS if any(key in figures for figures in columns.values())]
    parts = [Rows([_row(key, columns, key) for key in keys]) for keys in (labels, below)]
    return Grid(title, list(columns), parts).as_text()


def _plain_table(title: str, metrics: Iterable[str], splits: Splits) -> Printed:
    """A row per metric, a column per split."""
    rows = []
    for name in metrics:
        found = [tables[name] for tables in splits.values() if name in tables]
        main = {
            split: {name: tables[name].main} if name in tables else {} for split, tables in splits.items()
        }
        rows.append(_row(_with_label(found[0]), main, name))
    return Grid(title, list(splits), [Rows(rows)]).as_text()


def _with_label(table: Table) -> str:
    """A metric's name, and the label where it judges one."""
    return " ".join([table.name, *(f"({label})" for label in table.labels)])


def _matrix_table(matrix: Matrix, split: str) -> Printed:
    rows = [
        (name, [cell_text(cell) for cell in cells])
        for name, cells in zip(matrix.rows, matrix.cells, strict=True)
    ]
    corner = " / ".join(title for title in (matrix.row_title, matrix.column_title) if title)
    return Grid(f"{matrix.name}, {split} split", list(matrix.columns), [Rows(rows)], corner).as_text()


def cell_text(cell: Figure) -> str:
    """A cell of a matrix: whole numbers, as counts are, without a point."""
    return f"{cell:.0f}" if cell is not None and cell == round(cell) else number(cell)


def _row(title: str, columns: Columns, key: str) -> tuple[str, list[str]]:
    return title, [number(figures.get(key)) for figures in columns.values()]


__all__ = ["by_labels", "cell_text", "notes", "number", "result_tables", "split_tables"]
