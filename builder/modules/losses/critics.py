"""Losses of what a critic says."""

from __future__ import annotations

from torch import Tensor, nn

from netcfg.builder.modules.losses.counted import precise


class Mean(nn.Module):
    """The mean of all numbers. Shapes: any."""

    def forward(self, values: Tensor) -> Tensor:
        """In single precision at least: critics' means are small differences of large sums."""
        return precise(values).mean()
