"""The tables at the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table as Printed

from netcfg.results import MEANS, Evaluation, Figure, Matrix, Result, Table, by_labels, cell_text, number
from netcfg.trainers.reporting.grid import Grid, Rows

Tables = Mapping[str, Table]
Splits = Mapping[str, Tables]
Columns = Mapping[str, Mapping[str, Figure]]


def result_tables(result: Result) -> list[Printed]:
    """What the best epoch reached on the validation and the test split, as `split_tables`."""
    judged = {split: result.split(split) for split in ("validation", "test")}
    return split_tables(judged, f"best epoch ({result.best_epoch})")


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
        columns = {split: tables[name].with_role for split, tables in splits.items() if name in tables}
        return [_label_table(f"{name}, {title}", judged, columns)]
    found = []
    for split, tables in splits.items():
        columns = {name: tables[name].with_role for name in metrics if name in tables}
        found.append(_label_table(f"{split}, {title}", judged, columns))
    return found


def _label_table(title: str, labels: Iterable[str], columns: Columns) -> Printed:
    """Rows are labels, then the mean over them and what they come to together."""
    below = [key for key in MEANS if any(key in figures for figures in columns.values())]
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
        rows.append(_row(found[0].with_label, main, name))
    return Grid(title, list(splits), [Rows(rows)]).as_text()


def _matrix_table(matrix: Matrix, split: str) -> Printed:
    rows = [
        (name, [cell_text(cell) for cell in cells])
        for name, cells in zip(matrix.rows, matrix.cells, strict=True)
    ]
    corner = " / ".join(title for title in (matrix.row_title, matrix.column_title) if title)
    return Grid(f"{matrix.name}, {split} split", list(matrix.columns), [Rows(rows)], corner).as_text()


def _row(title: str, columns: Columns, key: str) -> tuple[str, list[str]]:
    return title, [number(figures.get(key)) for figures in columns.values()]


__all__ = ["result_tables", "split_tables"]
