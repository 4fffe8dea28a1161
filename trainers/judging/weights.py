"""How often each sample counts: once, or as bootstrap draws say.

Legend: B draws, N samples, U units (samples, clips, subjects) that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

DRAWS = 1000
_MOST = 4_000_000
"""Weights at a time."""


def ones(samples: int) -> Tensor:
    """Every sample once, (1, N)."""
    return torch.ones(1, samples, dtype=torch.float64)


def draws(samples: int, units: Tensor | None) -> Iterator[Tensor]:
    """`DRAWS` times as many units as there are, drawn with replacement; how often each sample is among them, (B, N)."""
    place = torch.arange(samples)
    if units is not None:
        place = torch.unique(units.reshape(samples, -1)[:, 0], return_inverse=True)[1]
    size = int(place.max()) + 1 if samples else 0
    generator = torch.Generator().manual_seed(0)
    left, portion = DRAWS, max(1, _MOST // max(samples, 1))
    while left and size:
        rows = min(left, portion)
        drawn = torch.randint(size, (rows, size), generator=generator)
        counts = torch.zeros(rows, size, dtype=torch.float64).scatter_add_(
            1, drawn, torch.ones(rows, size, dtype=torch.float64)
        )
        yield counts[:, place]
        left -= rows


def limits(values: Tensor, level: float) -> tuple[float, float] | None:
    """The middle `level` of draws' figures (B): percentiles; those that are undefined (NaN) are left out."""
    known = values[~values.isnan()]
    if len(known) < 2:
        return None
    low, high = torch.quantile(known, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    return float(low), float(high)


def figures_of_draws(figures: Callable[[Tensor], Tensor], samples: int, units: Tensor | None) -> Tensor:
    """The figures (B, F) of all draws, portion by portion."""
    parts = [figures(weights) for weights in draws(samples, units)]
    return torch.cat(parts) if parts else torch.empty(0, 0, dtype=torch.float64)
