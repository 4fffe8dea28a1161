"""What runs of a sweep have reached over the numbers of one of its variables, as curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from netcfg.blocks.values import number_in
from netcfg.results import Curve, Evaluation, mean_of
from netcfg.trainers.reporting.figures import write_figures
from netcfg.trainers.sweeps.tables import Judged

_LOGARITHMIC_FROM = 20.0
"""Of numbers that lie further apart than this factor, the axis is logarithmic."""


def write_curves(
    folder: Path, name: str, variables: Sequence[str], judged: Sequence[Judged], split: str
) -> list[str]:
    """Draw each metric over a variable, means over all others; the names of the files, of each .svg, .png and .csv."""
    metrics = dict.fromkeys(metric for one in judged for metric in one.evaluation.tables)
    curves = {metric: curve for metric in metrics if (curve := _curve(metric, name, variables, judged))}
    return [file for file, _ in write_figures(folder, {split: Evaluation(curves=curves)})]


def _curve(metric: str, name: str, variables: Sequence[str], judged: Sequence[Judged]) -> Curve | None:
    at = list(variables).index(name)
    points = dict(sorted(_points(metric, at, judged)))
    if not points:
        return None
    spread = max(points) / min(points) if min(points) > 0 else 1.0
    y = [mean_of(values) for values in points.values()]
    title = f"{metric} over {name}"
    return Curve(metric, list(points), y, name, metric, title, is_logarithmic=spread > _LOGARITHMIC_FROM)


def _points(metric: str, at: int, judged: Sequence[Judged]) -> Iterator[tuple[float, list[float | None]]]:
    found: dict[float, list[float | None]] = {}
    for one in judged:
        table, x = one.evaluation.tables.get(metric), number_in(one.values[at])
        if table is not None and x is not None:
            found.setdefault(x, []).append(table.main)
    yield from found.items()
