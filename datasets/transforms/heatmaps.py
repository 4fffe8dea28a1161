"""Maps of action units about points of the face, made of whole batches.

Legend: N samples, P points, K places (two a unit), A units, S side of a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.samples import Sample
from netcfg.datasets.samples.declared import SampleError

INNER_CORNERS = (39, 42)
"""The points of the eyes between which is the distance that moves places down."""
FAINTEST = 0.01


@dataclass(frozen=True)
class ExpectFace:
    """Looks at each sample: 68 points are finite, apart from each other, and their middle lies in the picture.

    `size` is the picture's height and width. Raises `SampleError`.
    """

    points: str
    size: tuple[int, int]

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample."""
        if self.points in sample:
            self._look_at(sample[self.points])
        return sample

    def _look_at(self, points: NDArray[np.float32]) -> None:
        if not np.isfinite(points).all():
            raise SampleError(f"`{self.points}` holds numbers that are none (NaN or infinite)")
        x, y = points.mean(0)
        height, width = self.size
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise SampleError(
                f"the middle of its `{self.points}` is ({x:.1f}, {y:.1f}), outside the picture of "
                f"{width} by {height} pixels",
                "points are x, y in pixels of the picture that the network sees",
            )
        eyes = float(np.hypot(*(points[INNER_CORNERS[0]] - points[INNER_CORNERS[1]])))
        if eyes < 1:
            raise SampleError(
                f"the eyes of its `{self.points}` are {eyes:.2g} pixels apart",
                "points are in pixels, not parts of the picture's sides",
            )


def placing(places: Sequence[Sequence[int]], points: int) -> tuple[tuple[float, ...], ...]:
    """The matrix (K, P) by which the points (P, 2) become places, each the middle of some of them."""
    return tuple(tuple((point in place) / len(place) for point in range(points)) for place in places)


@dataclass(frozen=True)
class HeatmapsOfBatch:
    """Adds the field `field`, N×A×S×S, to a batch that has `points` (N×P×2) and `labels` (N×A).

    `placing` is the matrix of `placing`, `down` how far each place is moved, in distances between the eyes; `source`
    is the height and width of the picture whose pixels the points count.
    """

    points: str
    labels: str
    field: str
    placing: tuple[tuple[float, ...], ...]
    down: tuple[float, ...]
    source: tuple[int, int]
    size: int
    sigma: float
    active_above: float

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The batch with its maps."""
        if self.points not in batch or self.labels not in batch:
            return batch
        return batch | {self.field: self.maps(batch[self.points].float(), batch[self.labels])}

    def maps(self, points: Tensor, labels: Tensor) -> Tensor:
        """The maps (N, A, S, S) of points (N, P, 2), x and y, and labels (N, A)."""
        height, width = self.source
        # No half pixels: FG-Net halves its points, and these are its targets.
        points = points * points.new_tensor([self.size / width, self.size / height])
        places = self._places(points)
        across, along = (self._bumps(places[..., axis]) for axis in (0, 1))
        left, right = (self._cut(along[:, side::2, :, None] * across[:, side::2, None, :]) for side in (0, 1))
        sign = torch.where(labels > self.active_above, 1.0, -1.0).to(points.dtype)
        return left.add_(right).clamp_(max=1).mul_(sign[..., None, None])

    def _places(self, points: Tensor) -> Tensor:
        """(N, K, 2), left and right of each unit beside each other."""
        places = points.new_tensor(self.placing) @ points
        apart = (points[:, INNER_CORNERS[0]] - points[:, INNER_CORNERS[1]]).norm(dim=-1)
        places[..., 1] += apart[:, None] * points.new_tensor(self.down)
        return places

    def _bumps(self, centres: Tensor) -> Tensor:
        """exp(-(i - c)² / 2σ²) at each pixel of a side: (N, K) -> (N, K, S). A bump is the product of two."""
        side = torch.arange(self.size, dtype=centres.dtype, device=centres.device)
        return ((side - centres[..., None]) / self.sigma).square_().mul_(-0.5).exp_()

    def _cut(self, bumps: Tensor) -> Tensor:
        return bumps.masked_fill_(bumps < FAINTEST, 0)
