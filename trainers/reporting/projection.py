"""Embeddings in the plane in which they lie farthest apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.trainers.reporting.saved import saved

MOST_NAMED = 20
"""Classes with an entry in the legend."""


def projected(rows: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows (N, D) along their first two principal axes, (N, 2), and the share of the variance along each.

    The sign of an axis, which is free, makes its largest weight positive: the same rows give the same picture.
    """
    centred = rows.astype(np.float64) - rows.mean(0, dtype=np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred)  # D×D: N may be a million
    axes, variances = axes[:, ::-1][:, :2], variances[::-1].clip(min=0)
    axes = axes * np.where(axes[np.abs(axes).argmax(0), range(axes.shape[1])] < 0, -1.0, 1.0)
    plane = centred @ axes
    if plane.shape[1] < 2:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    total = variances.sum()
    shares = variances[:2] / total if total else np.zeros(2)
    return plane, np.resize(shares, 2) if len(shares) == 2 else np.array([*shares, 0.0])


def projection_figure(
    rows: NDArray[np.floating[Any]], classes: NDArray[np.int64], names: Sequence[str], title: str
) -> Any:
    """A figure with a point a row, coloured by class; `names` () leaves all of one colour."""
    from matplotlib.figure import Figure

    plane, shares = projected(rows)
    figure = Figure(figsize=(7.0, 5.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    size = 18 if len(rows) < 2000 else 4
    if not names:
        axes.scatter(plane[:, 0], plane[:, 1], size, linewidths=0)
    colours = "tab10" if len(names) <= 10 else "tab20" if len(names) <= 20 else "hsv"
    for number, colour in zip(range(len(names)), _colours(colours, len(names)), strict=True):
        of = plane[classes == number]
        if len(of):
            axes.scatter(of[:, 0], of[:, 1], size, color=[colour], linewidths=0, label=names[number])
    axes.set(
        title=title,
        xlabel=f"first principal axis ({shares[0]:.0%} of the variance)",
        ylabel=f"second ({shares[1]:.0%})",
    )
    axes.grid(alpha=0.3)
    if 1 < len(names) <= MOST_NAMED:
        figure.legend(loc="outside right upper", fontsize="small")
    return figure


def _colours(name: str, count: int) -> list[Any]:
    from matplotlib import colormaps

    chosen = colormaps[name]
    return [chosen(place if name != "hsv" else place / count) for place in range(count)]


def draw_projection(
    rows: NDArray[np.floating[Any]], classes: NDArray[np.int64], names: Sequence[str], title: str
) -> bytes:
    """The figure as a PNG file."""
    return saved(projection_figure(rows, classes, names, title), "png")
