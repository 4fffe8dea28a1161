"""How large gradients are from the first parameter to the last: where they vanish, where they explode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from math import ceil, floor, isfinite, log10
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netcfg.files import write_beside

Row = tuple[str, float, float]

ROW_HEIGHT = 0.17
"""Inches from one name to the next."""
TALLEST = 500.0
"""Inches; a picture of more parameters than fit has its rows closer together."""
COLOURS = {"mean": "#1f77b4", "largest": "#9ecae1", "none": "#d62728"}


def gradient_flow(parameters: Iterable[tuple[str, Tensor]]) -> list[Row]:
    """Name, mean and largest absolute gradient of each parameter, after a backward pass and before an update.

    `parameters` are such as `named_parameters()` gives. Those that need no gradient are left out; those that
    need one and have none are 0. Reads the device once, however many parameters there are.
    """
    learned = [(name, parameter) for name, parameter in parameters if parameter.requires_grad]
    sizes = [_size(parameter) for _, parameter in learned]
    figures = torch.stack([size.to(sizes[0].device) for size in sizes]).tolist() if sizes else []
    return [(name, mean, largest) for (name, _), (mean, largest) in zip(learned, figures, strict=True)]


def _size(parameter: Tensor) -> Tensor:
    """Mean and maximum, (2)."""
    if parameter.grad is None or not parameter.numel():
        return torch.zeros(2, device=parameter.device)
    size = parameter.grad.detach().abs().float()
    return torch.stack([size.mean(), size.max()])


def gradient_scalars(rows: Iterable[Row]) -> list[tuple[str, float]]:
    """Tags and values for TensorBoard: two groups, in each a curve by parameter."""
    both = [((f"gradient_mean/{name}", mean), (f"gradient_max/{name}", most)) for name, mean, most in rows]
    return [scalar for pair in both for scalar in pair]


def draw_gradient_flow(path: Path, rows: Sequence[Row]) -> None:
    """Draw a PNG with a row per parameter, the first on top: a dot at the mean, a line to the largest.

    The scale is logarithmic. Parameters without any gradient, and those where it is NaN or infinite, are red.
    Raises `NetcfgError` where the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = min(TALLEST, 1.2 + ROW_HEIGHT * max(len(rows), 3))
    left = min(4.5, 0.4 + 0.068 * max((len(name) for name, _, _ in rows), default=0))  # inches for the names
    width = 6.5 + left
    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=left / width, right=0.98, bottom=0.5 / height, top=1 - 0.65 / height)
    axes = figure.add_subplot()
    low, high = _limits(rows)
    axes.set(xscale="log", xlim=(low, high), ylim=(max(len(rows), 1) - 0.5, -0.5), xlabel="absolute gradient")
    _draw_rows(axes, rows, low)
    axes.set_yticks(range(len(rows)), [_short(name) for name, _, _ in rows], fontsize=7)
    axes.tick_params(axis="x", top=True, labeltop=True)
    axes.grid(alpha=0.3)
    if rows:
        figure.legend(fontsize="small", loc="upper right", ncols=3, frameon=False)
    target = BytesIO()
    figure.savefig(target, format="png")
    write_beside(path, target.getvalue())


def _draw_rows(axes: Any, rows: Sequence[Row], low: float) -> None:
    """Blue where there is a gradient; a red mark at the left end where there is none to speak of."""
    sound = [(place, mean, most) for place, (_, mean, most) in enumerate(rows) if _has_size(mean, most)]
    if sound:
        places, means, largest = zip(*sound, strict=True)
        axes.hlines(places, means, largest, color=COLOURS["largest"], linewidth=3, label="up to the largest")
        axes.plot(means, places, "o", markersize=4, color=COLOURS["mean"], label="mean")
    broken = [place for place, (_, mean, most) in enumerate(rows) if not _has_size(mean, most)]
    if broken:
        marks = [low] * len(broken)
        label = "0, NaN or infinite"
        axes.plot(marks, broken, ">", markersize=6, color=COLOURS["none"], clip_on=False, label=label)
    for place in broken:
        text = f"  {rows[place][2]:g}"
        axes.text(low, place, text, color=COLOURS["none"], fontsize=7, va="center")


def _has_size(mean: float, largest: float) -> bool:
    return isfinite(mean) and isfinite(largest) and mean > 0


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    """The ends of the scale: whole powers of ten around all gradients that have a size."""
    sound = [(mean, most) for _, mean, most in rows if _has_size(mean, most)]
    if not sound:
        return 1e-6, 1.0
    low = floor(log10(min(mean for mean, _ in sound)) - 0.1)
    return 10.0**low, 10.0 ** ceil(log10(max(most for _, most in sound)) + 0.05)


def _short(name: str, most: int = 56) -> str:
    """A long name by its end, which tells parameters apart."""
    return name if len(name) <= most else f"…{name[1 - most :]}"
