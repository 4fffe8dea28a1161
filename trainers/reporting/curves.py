"""Losses and metrics over epochs, as one picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, nan
from pathlib import Path
from typing import Any

from netcfg.program import Program
from netcfg.results import Epoch, Table, by_labels
from netcfg.trainers.runs.checkpoints import write_synced
from netcfg.trainers.step.step import report_names, total_name

Groups = Mapping[str, Mapping[str, str]]
"""By phase the names under which training reports its losses, each with the name under which validation does."""

Curves = dict[str, list[float]]
Splits = dict[str, list[float]]

MOST_NAMES = 3
"""In one panel of losses; each is drawn for training and for validation."""
MOST_METRICS = 6
MOST_COLUMNS = 4
SPREAD = 30.0
"""Curves whose sizes lie further apart than this factor would leave the smaller one flat."""


@dataclass(frozen=True)
class Panel:
    """Curves that share axes: by name, then by split; NaN in epochs without a value."""

    title: str
    curves: Mapping[str, Splits]


def draw_curves(records: Sequence[Epoch], path: Path, groups: Groups | None = None) -> None:
    """Draw the epochs of a run. Raises `NetcfgError` where the picture cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in records]
    panels = [*loss_panels(records, groups or {}), *metric_panels(records), *number_panels(records)]
    columns = max(1, min(len(panels), MOST_COLUMNS))
    rows = max(1, ceil(len(panels) / columns))
    width, height = 5.0 * columns, 4.0 * rows
    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    for place, panel in enumerate(panels, start=1):
        _draw(figure.add_subplot(rows, columns, place), epochs, panel)
    inner_width, inner_height = (width - 0.85) / columns - 0.8, (height - 0.9) / rows - 0.8
    figure.subplots_adjust(
        left=0.7 / width,
        right=1 - 0.15 / width,
        bottom=0.5 / height,
        top=1 - 0.4 / height,
        wspace=0.8 / inner_width,
        hspace=0.8 / inner_height,
    )
    beside = path.with_name(path.name + ".new")
    write_synced(beside, lambda target: figure.savefig(target, format="png"))
    os.replace(beside, path)


def _draw(axes: Any, epochs: Sequence[int], panel: Panel) -> None:
    """Training is a line, validation is dashed in the same colour where both are there."""
    from matplotlib.ticker import MaxNLocator

    for number, (name, splits) in enumerate(panel.curves.items()):
        for split, values in splits.items():
            label = f"{name} ({split})" if split else name
            style = "--" if split == "validation" and len(splits) > 1 else "-"
            axes.plot(epochs, values, style, marker="o", markersize=3, color=f"C{number}", label=label)
    axes.set(title=panel.title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def loss_groups(program: Program) -> dict[str, dict[str, str]]:
    """The losses that a run reports, by the phase that minimises them; the sum first."""
    reported = report_names(program)
    groups = {}
    for phase in program.phases:
        total = total_name(program, phase)
        groups[phase.name] = {total: total, **{reported[phase.name, loss]: loss for loss in phase.losses}}
    return groups


def loss_panels(records: Sequence[Epoch], groups: Groups) -> list[Panel]:
    """The losses of each phase, in as many panels as their sizes ask for. A sum of one loss stands for it."""
    train = _losses([record.train for record in records])
    validation = _losses([record.validation.losses for record in records])
    panels: list[Panel] = []
    known = set()
    for phase, names in groups.items():
        known |= {*names, *names.values()}
        shown = dict(list(names.items())[:1]) if len(names) == 2 else names
        title = f"losses of {phase}" if len(groups) > 1 else "losses"
        panels += _panels(title, _by_split(train, validation, shown), MOST_NAMES)
    rest = {name: name for name in (*train, *validation) if name not in known}
    return panels + _panels(
        "other losses" if panels else "losses", _by_split(train, validation, rest), MOST_NAMES
    )


def metric_panels(records: Sequence[Epoch]) -> list[Panel]:
    """The metrics' main figures on the validation split: those that judge labels, then others of like size.

    Where one is undefined is a gap.
    """
    metrics = [record.validation.own_tables for record in records]
    groups = by_labels(metrics)
    panels = []
    for judged in ((labels for labels in groups if labels), [()]):
        names = [name for labels in judged for name in groups.get(labels, [])]
        curves = {name: {"": [_main(tables.get(name)) for tables in metrics]} for name in names}
        panels += _panels("validation metrics", curves, MOST_METRICS)
    return panels


def number_panels(records: Sequence[Epoch]) -> list[Panel]:
    """Schedules, and what losses have learned of themselves, as they were in each epoch's last batch."""
    curves = _losses([record.numbers for record in records])
    return (
        _panels("numbers that change", {name: {"": curve} for name, curve in curves.items()}, MOST_METRICS)
        if curves
        else []
    )


def _by_split(train: Curves, validation: Curves, names: Mapping[str, str]) -> dict[str, Splits]:
    """The curves of losses by name and split, of those that were reported."""
    curves: dict[str, Splits] = {}
    for name, in_validation in names.items():
        splits = {"train": train.get(name), "validation": validation.get(in_validation)}
        found = {split: curve for split, curve in splits.items() if curve is not None}
        if found:
            curves[name] = found
    return curves


def _losses(values: Sequence[Mapping[str, float]]) -> Curves:
    """The losses of epochs by name. One that only some epochs report has gaps."""
    names = dict.fromkeys(name for losses in values for name in losses)
    return {name: [losses.get(name, nan) for losses in values] for name in names}


def _main(table: Table | None) -> float:
    return nan if table is None or table.main is None else table.main


def _panels(title: str, curves: Mapping[str, Splits], most: int) -> list[Panel]:
    """The curves in panels of at most `most` names, of like size each; in their own order where one is enough."""
    parts = list(_by_size(curves, most))
    if len(parts) == 1:
        return [Panel(title, curves)]
    places = list(curves)
    parts.sort(key=lambda part: min(map(places.index, part)))
    return [Panel(title, {name: curves[name] for name in curves if name in part}) for part in parts]


def _by_size(curves: Mapping[str, Splits], most: int) -> Iterator[list[str]]:
    """Names whose curves fit on one axis, the largest first."""
    sizes = {name: _size(splits) for name, splits in curves.items()}
    part: list[str] = []
    for name in sorted(curves, key=lambda name: -sizes[name]):
        if part and (len(part) == most or sizes[part[0]] > SPREAD * sizes[name] > 0):
            yield part
            part = []
        part.append(name)
    if part:
        yield part


def _size(splits: Splits) -> float:
    """The largest absolute value; 0 where there is none."""
    values = [abs(value) for curve in splits.values() for value in curve if isfinite(value)]
    return max(values, default=0.0)


__all__ = ["Panel", "draw_curves", "loss_groups", "loss_panels", "metric_panels", "number_panels"]
