"""The tables at the end of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from netcfg.trainers.reporting.grid import Grid, Rows, number

Figures = Mapping[str, float]
Splits = Mapping[str, Mapping[str, Figures]]

OVERALL = "overall"
_MEAN = "mean"


def result_tables(result: Mapping[str, Any], labels: Collection[str] = ()) -> list[Table]:
    """What the best epoch reached on the validation and the test split, as `split_tables`."""
    judged = {split: result.get(split) or {} for split in ("validation", "test")}
    return split_tables(judged, f"best epoch ({result['best_epoch']})", labels)


def split_tables(
    evaluations: Mapping[str, Mapping[str, Any]], title: str, labels: Collection[str] = ()
) -> list[Table]:
    """The metrics of evaluated splits.

    Metrics that judge the same labels (`AU12`) stand side by side, a table per split; one that is alone has the
    splits side by side, and one with variants has a table of its own. All others share a table of their main
    figures; one that judges a single label, known by `labels`, names it there.
    """
    splits = {split: _with_roles(found) for split, found in evaluations.items() if found.get("metrics")}
    variants: Mapping[str, Sequence[str]] = next(
        (found.get("variants", {}) for found in evaluations.values() if found), {}
    )
    groups = by_labels(splits.values())
    plain = groups.pop((), [])
    tables = []
    for judged, names in groups.items():
        for metrics in _families(names, variants):
            tables += _tables_of_labels(splits, judged, metrics, title)
    if plain:
        tables.append(_plain_table(title, plain, splits, labels))
    return tables


def _families(names: list[str], variants: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each metric that has variants with them; then all others together."""
    families = [[name, *variants[name]] for name in names if name in variants]
    taken = {name for family in families for name in family}
    rest = [name for name in names if name not in taken]
    return [*families, rest] if rest else families


def _tables_of_labels(splits: Splits, judged: Sequence[str], metrics: list[str], title: str) -> list[Table]:
    if len(metrics) == 1:
        columns = {split: figures[metrics[0]] for split, figures in splits.items() if metrics[0] in figures}
        return [_label_table(f"{metrics[0]}, {title}", judged, columns)]
    tables = []
    for split, figures in splits.items():
        columns = {name: figures[name] for name in metrics if name in figures}
        tables.append(_label_table(f"{split}, {title}", judged, columns))
    return tables


def _with_roles(evaluation: Mapping[str, Any]) -> dict[str, Figures]:
    """The metrics of an evaluation; the main figure of each is called for what it is of its labels."""
    pooled = evaluation.get("counts", {})
    return {
        table: {
            (OVERALL if table in pooled else _MEAN) if name == table else name: value
            for name, value in figures.items()
        }
        for table, figures in evaluation["metrics"].items()
    }


def own_figures(evaluation: Mapping[str, Any]) -> dict[str, Figures]:
    """The metrics of an evaluation without their variants."""
    variants = {name for names in evaluation.get("variants", {}).values() for name in names}
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


def _label_table(title: str, labels: Iterable[str], columns: Mapping[str, Figures]) -> Table:
    """Rows are labels, then the mean over them and what they come to together."""
    below = [key for key in (_MEAN, OVERALL) if any(key in figures for figures in columns.values())]
    parts = [Rows([_row(key, columns, key) for key in keys]) for keys in (labels, below)]
    return Grid(title, list(columns), parts).as_text()


def _plain_table(title: str, metrics: Iterable[str], splits: Splits, labels: Collection[str]) -> Table:
    """A row per metric, a column per split."""
    rows = []
    for name in metrics:
        main = {split: _main(figures.get(name, {})) for split, figures in splits.items()}
        label = next((label for label in next(iter(splits.values())).get(name, {}) if label in labels), None)
        rows.append(_row(f"{name} ({label})" if label else name, main, ""))
    return Grid(title, list(splits), [Rows(rows)]).as_text()


def _main(figures: Figures) -> Figures:
    """A metric's main figure, nameless."""
    return dict(zip(("",), figures.values(), strict=False))


def _row(title: str, columns: Mapping[str, Figures], key: str) -> tuple[str, list[str]]:
    return title, [number(figures.get(key)) for figures in columns.values()]


__all__ = ["by_labels", "number", "own_figures", "result_tables", "split_tables"]
