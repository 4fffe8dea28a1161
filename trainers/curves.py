"""Losses and metrics over epochs, as one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netcfg.trainers.checkpoints import write_synced

Curves = dict[str, list[float]]


def draw_curves(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the records of `metrics.jsonl`. Raises `NetcfgError` where the picture cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [record["epoch"] for record in records]
    panels = [(title, curves) for title, curves in _panels(records) if curves]
    figure = Figure(figsize=(5.5 * len(panels), 4.0), dpi=110)
    FigureCanvasAgg(figure)
    for place, (title, curves) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), place)
        for name, values in curves.items():
            axes.plot(epochs, values, marker="o", markersize=3, label=name)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.13, top=0.92, wspace=0.15)
    beside = path.with_name(path.name + ".new")
    write_synced(beside, lambda target: figure.savefig(target, format="png"))
    os.replace(beside, path)


def _panels(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, Curves]]:
    """Titles and curves: losses of both splits, then the metrics' main figures."""
    losses: Curves = {}
    metrics: Curves = {}
    for record in records:
        validation = record["validation"]
        for split, values in (("train", record["train"]), ("validation", validation.get("losses", {}))):
            shown = {"loss": values["loss"]} if len(values) == 2 else values  # one loss is also the sum
            for name, value in shown.items():
                losses.setdefault(f"{name} ({split})", []).append(value)
        for name, figures in validation.get("metrics", {}).items():
            metrics.setdefault(name, []).append(next(iter(figures.values())))
    return [("losses", losses), ("validation metrics", metrics)]
