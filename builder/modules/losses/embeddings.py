"""Losses of vectors that should lie near or far from each other, within a batch.

Shapes: vectors (N, F), classes (N).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.builder.modules.losses.comparing import laid
from netcfg.builder.modules.losses.counted import Counted, in_single, precise


class WithinBatch(nn.Module):
    """Compares the vectors of a batch with each other, by their classes."""

    def __init__(self, margin: float, normalise: bool = False, ignore: float | None = None) -> None:
        super().__init__()
        self.margin = margin
        self.normalise = normalise
        self.ignore = ignore

    def forward(self, values: Tensor, targets: Tensor, mask: Tensor | None = None) -> Counted:
        """Over all pairs or triplets of samples that count."""
        values = precise(values).flatten(1)
        targets = targets.flatten()
        kept = torch.ones_like(targets, dtype=torch.bool) if mask is None else laid(mask, targets.shape) != 0
        if self.ignore is not None:
            kept = kept & (targets != self.ignore)
        if self.normalise:
            values = functional.normalize(values, dim=1)
        both = kept[:, None] & kept[None, :]
        same = (targets[:, None] == targets[None, :]) & both
        other = (targets[:, None] != targets[None, :]) & both
        itself = torch.eye(len(values), dtype=torch.bool, device=values.device)
        return self.compared(_distances(values), same & ~itself, other)

    def compared(self, distances: Tensor, same: Tensor, other: Tensor) -> Counted:
        """Of the distances N×N, which are of one class, which of two; a vector and itself are neither."""
        raise NotImplementedError


def _distances(values: Tensor) -> Tensor:
    """Euclidean, N×N; by differences, as squares of lengths lose what near vectors differ by."""
    squares = (values[:, None] - values[None, :]).square().sum(2)
    # The gradient of a root is infinite at 0: where vectors are one, the distance is 0 and moves nothing.
    is_zero = squares == 0
    return torch.where(is_zero, 0, torch.where(is_zero, 1, squares).sqrt())


class Contrastive(WithinBatch):
    """½ d² of pairs of one class, ½ max(0, margin - d)² of others."""

    def compared(self, distances: Tensor, same: Tensor, other: Tensor) -> Counted:
        """Over pairs, each once."""
        near = distances.square()
        far = (self.margin - distances).clamp(min=0).square()
        made = torch.where(same, near, torch.where(other, far, 0)).triu(1).sum() / 2
        return Counted(made, (same | other).triu(1).sum().to(made.dtype))


class Triplet(WithinBatch):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), over triplets that `mining` chooses."""

    def __init__(
        self, margin: float, mining: str = "hard", normalise: bool = False, ignore: float | None = None
    ) -> None:
        super().__init__(margin, normalise, ignore)
        self.mining = mining

    def compared(self, distances: Tensor, same: Tensor, other: Tensor) -> Counted:
        """By `mining`."""
        if self.mining == "all":
            chosen = same[:, :, None] & other[:, None, :]
            made = distances[:, :, None] - distances[:, None, :] + self.margin
        elif self.mining == "hard":
            chosen = same.any(1) & other.any(1)
            farthest = torch.where(same, distances, -torch.inf).amax(1)
            nearest = torch.where(other, distances, torch.inf).amin(1)
            # An anchor without a pair has infinities here, whose difference would be no number.
            made = torch.where(chosen, farthest, 0) - torch.where(chosen, nearest, 0) + self.margin
        else:
            chosen = same & other.any(1)[:, None]
            beyond = other[:, None, :] & (distances[:, None, :] > distances[:, :, None])
            nearest = torch.where(beyond, distances[:, None, :], torch.inf).amin(2)
            farthest = torch.where(other, distances, -torch.inf).amax(1)[:, None].expand_as(nearest)
            # The nearest negative that lies farther than the positive; where none does, the farthest there
            # is.
            negative = torch.where(beyond.any(2), nearest, farthest)
            made = distances - torch.where(chosen, negative, 0) + self.margin
        made = torch.where(chosen, made, 0).clamp(min=0)
        return Counted(made.sum(), chosen.sum().to(made.dtype))


class NtXent(nn.Module):
    """Cross-entropy of finding a vector's other view among those of the batch, by cosine over `temperature`."""

    def __init__(self, temperature: float = 0.5) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, values: Tensor, others: Tensor) -> Tensor:
        """The mean over all 2 N vectors. Shapes: (N, F) both."""
        both = torch.cat([precise(values).flatten(1), precise(others).flatten(1)])
        views = functional.normalize(both, dim=1)
        with in_single(views):
            scores = views @ views.T / self.temperature
        itself = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
        # The other view of a row stands N rows on, all round.
        right = torch.arange(len(scores), device=scores.device).roll(len(values))
        return functional.cross_entropy(scores.masked_fill(itself, -torch.inf), right)
