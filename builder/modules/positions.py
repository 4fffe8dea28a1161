"""Where a token stands, as numbers; and classes as vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netcfg.blocks.initial import Initial
from netcfg.builder.modules.initialization import initialize


def waves(places: Tensor, features: int) -> tuple[Tensor, Tensor]:
    """Sines and cosines of places: L -> twice L×(features/2), from one radian a place down to 1/10000."""
    rates = 10_000.0 ** -(torch.arange(0, features, 2, device=places.device, dtype=torch.float32) / features)
    angles = places[:, None] * rates
    return angles.sin(), angles.cos()


class Waves(nn.Module):
    """Adds waves to N×L×F, or with `plane` to N×C×H×W."""

    def __init__(self, *, plane: bool) -> None:
        super().__init__()
        self.plane = plane

    def forward(self, x: Tensor) -> Tensor:
        """Unchanged in shape."""
        return x + (self._plane(x) if self.plane else self._row(x)).to(x.dtype)

    @staticmethod
    def _row(x: Tensor) -> Tensor:
        # In single precision, whatever the signal: from 256 on, bf16 does not have every whole number.
        places = torch.arange(x.shape[1], device=x.device, dtype=torch.float32)
        return torch.stack(waves(places, x.shape[2]), -1).flatten(1)

    @staticmethod
    def _plane(x: Tensor) -> Tensor:
        channels, height, width = x.shape[1:]
        rows, columns = (torch.arange(size, device=x.device, dtype=torch.float32) for size in (height, width))
        across = torch.cat(waves(columns, channels // 2), 1).mT[:, None].expand(-1, height, -1)
        down = torch.cat(waves(rows, channels // 2), 1).mT[:, :, None].expand(-1, -1, width)
        return torch.cat((across, down))


class Embedding(nn.Embedding):
    """PyTorch's, of class numbers in any type."""

    def __init__(self, count: int, features: int, *, initialization: Initial | None = None) -> None:
        super().__init__(count, features)
        initialize(initialization, self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Class numbers of any shape -> a vector each."""
        return super().forward(x if x.dtype in (torch.int64, torch.int32) else x.long())
