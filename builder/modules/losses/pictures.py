"""Losses of pictures. Shapes: (N, C, H, W)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.builder.modules.losses.comparing import Comparing
from netcfg.builder.modules.losses.counted import in_single, precise


class Ssim(Comparing):
    """1 minus the structural similarity of two pictures, in windows with Gaussian weights."""

    def __init__(self, window: int = 11, sigma: float = 1.5, data_range: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.window = window
        self.sigma = sigma
        self.data_range = data_range

    def places(self, values: Tensor, targets: Tensor) -> torch.Size:
        """A number for each picture."""
        return targets.shape[:1]

    def cleared(self, targets: Tensor, kept: Tensor) -> Tensor:
        """Black where a picture does not count."""
        return torch.where(kept.reshape(-1, *[1] * (targets.ndim - 1)), targets, 0)

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """Of every picture, the mean over the windows that lie in it."""
        # The constants of the paper: they keep the quotient finite in windows of one colour.
        first, second = (0.01 * self.data_range) ** 2, (0.03 * self.data_range) ** 2
        mean_x, mean_y = self._smoothed(values), self._smoothed(targets)
        var_x = self._smoothed(values.square()) - mean_x.square()
        var_y = self._smoothed(targets.square()) - mean_y.square()
        both = self._smoothed(values * targets) - mean_x * mean_y
        made = ((2 * mean_x * mean_y + first) * (2 * both + second)) / (
            (mean_x.square() + mean_y.square() + first) * (var_x + var_y + second)
        )
        return 1 - made.flatten(1).mean(1)

    def _smoothed(self, pictures: Tensor) -> Tensor:
        """Along height, then along width: a Gaussian is a product."""
        channels = pictures.shape[1]
        places = torch.arange(self.window, device=pictures.device, dtype=pictures.dtype)
        line = torch.exp(-((places - (self.window - 1) / 2) ** 2) / (2 * self.sigma**2))
        line = (line / line.sum()).expand(channels, 1, -1)
        with in_single(pictures):  # variances are small differences
            down = functional.conv2d(pictures, line.unsqueeze(3), groups=channels)
            return functional.conv2d(down, line.unsqueeze(2), groups=channels)


class TotalVariation(nn.Module):
    """The mean absolute difference of neighbours, along height and along width."""

    def forward(self, pictures: Tensor) -> Tensor:
        """The sum of both means; along an axis of one place there are no neighbours."""
        pictures = precise(pictures)
        steps = [pictures.diff(dim=axis) for axis in (-2, -1) if pictures.shape[axis] > 1]
        return torch.stack([step.abs().mean() for step in steps] or [0.0 * pictures.sum()]).sum()
