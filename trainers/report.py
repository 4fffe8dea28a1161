"""The tables at the end of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rich.table import Table

Figures = Mapping[str, float]
Splits = Mapping[str, Mapping[str, Figures]]

OVERALL = "overall"
_ABSENT = "–"


def result_tables(result: Mapping[str, Any], labels: Collection[str] = ()) -> list[Table]:
    """What the best epoch reached.

    Metrics that judge the same labels (`AU12`) stand side by side, a table per split; one that is alone has the
    splits side by side. All others share a table of their main figures; one that judges a single label, known by
    `labels`, names it there.
    """
    splits = _splits(result)
    epoch = f"best epoch ({result['best_epoch']})"
    groups = by_labels(splits.values())
    plain = groups.pop((), [])
    tables = []
    for judged, metrics in groups.items():
        if len(metrics) == 1:
            columns = {split: figures.get(metrics[0], {}) for split, figures in splits.items()}
            tables.append(_label_table(f"{metrics[0]}, {epoch}", judged, _by_role(columns, metrics[0])))
            continue
        for split, figures in splits.items():
            roles = {name: _roles(name, figures[name]) for name in metrics if name in figures}
            tables.append(_label_table(f"{split}, {epoch}", judged, roles))
    if plain:
        tables.append(_plain_table(epoch, plain, splits, labels))
    return tables


def _splits(result: Mapping[str, Any]) -> Splits:
    """The metrics of each split that has been judged."""
    found = {split: (result.get(split) or {}).get("metrics", {}) for split in ("validation", "test")}
    return {split: metrics for split, metrics in found.items() if metrics}


def own_figures(evaluation: Mapping[str, Any]) -> dict[str, Figures]:
    """The metrics of an evaluation without their variants."""
    variants = evaluation.get("variants", ())
    metrics = evaluation.get("metrics", {})
    return {name: figures for name, figures in metrics.items() if name not in variants}


def by_labels(evaluations: Iterable[Mapping[str, Figures]]) -> dict[tuple[str, ...], list[str]]:
    """The metrics of some evaluations by the labels that they judge, in the order of the file; () is none."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for metrics in evaluations:
        for name, values in metrics.items():
            names = groups.setdefault(_labels(values), [])
            if name not in names:
                names.append(name)
    return groups


def _labels(figures: Figures) -> tuple[str, ...]:
    """The labels among a metric's figures: several, as one says no more than the main figure."""
    labels = tuple(label for label in list(figures)[1:] if label != OVERALL)
    return labels if len(labels) > 1 else ()


def _by_role(columns: Mapping[str, Figures], metric: str) -> dict[str, Figures]:
    return {split: _roles(metric, figures) for split, figures in columns.items() if figures}


def _roles(metric: str, figures: Figures) -> dict[str, float]:
    """The figures, the main one as `mean`."""
    return {"mean" if name == metric else name: value for name, value in figures.items()}


def _label_table(title: str, labels: Iterable[str], columns: Mapping[str, Figures]) -> Table:
    """Rows are labels, then the mean over them and what they come to together."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for label in labels:
        _add_row(table, label, columns, label)
    table.add_section()
    _add_row(table, "mean", columns, "mean")
    if any(OVERALL in figures for figures in columns.values()):
        _add_row(table, OVERALL, columns, OVERALL)
    return table


def _plain_table(epoch: str, metrics: Iterable[str], splits: Splits, labels: Collection[str]) -> Table:
    """A row per metric, a column per split."""
    table = Table(title=epoch, title_justify="left")
    table.add_column("")
    for split in splits:
        table.add_column(split, justify="right")
    for name in metrics:
        main = {split: dict(list(figures.get(name, {}).items())[:1]) for split, figures in splits.items()}
        label = next((label for label in next(iter(splits.values())).get(name, {}) if label in labels), None)
        _add_row(table, f"{name} ({label})" if label else name, main, name)
    return table


def _add_row(table: Table, title: str, columns: Mapping[str, Figures], key: str) -> None:
    table.add_row(title, *(number(figures.get(key)) for figures in columns.values()))


def number(value: float | None) -> str:
    """Three digits after the point; very small and very large numbers by their first three digits."""
    if value is None:
        return _ABSENT
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 10_000 else f"{value:.3g}"


__all__ = ["by_labels", "number", "own_figures", "result_tables"]
