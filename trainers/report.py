"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

Figures = Mapping[str, float]


def result_tables(result: Mapping[str, Any]) -> list[Table]:
    """A table per metric: rows are labels (`AU12`) and the mean, columns the splits."""
    validation: Mapping[str, Figures] = result["validation"].get("metrics", {})
    test: Mapping[str, Figures] = (result.get("test") or {}).get("metrics", {})
    return [
        _table(name, {"validation": figures, "test": test.get(name, {})}, result["best_epoch"])
        for name, figures in validation.items()
    ]


def _table(metric: str, splits: Mapping[str, Figures], best_epoch: int) -> Table:
    shown = {split: figures for split, figures in splits.items() if figures}
    table = Table(title=f"{metric}, best epoch ({best_epoch})", title_justify="left")
    table.add_column("")
    for split in shown:
        table.add_column(split, justify="right")
    names = list(next(iter(shown.values())))
    for name in names[1:]:
        table.add_row(name, *(f"{figures[name]:.3f}" for figures in shown.values()))
    if len(names) > 1:
        table.add_section()
    table.add_row(
        "mean" if len(names) > 2 else names[0], *(f"{figures[names[0]]:.3f}" for figures in shown.values())
    )
    return table
