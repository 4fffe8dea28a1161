"""Losses of whole batches of vectors: Gaussians of the classes, and their length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netcfg.builder.modules.losses.counted import in_single

SMALLEST = 1e-15
NO_CLASS = -1.0


class GaussianMixture(nn.Module):
    """How far the classes of a batch are from being Gaussians of one width that keep apart.

    Legend: N samples, D features.
    """

    def __init__(self, sigma: float, mix: str, mixed_labels: str) -> None:
        super().__init__()
        self.sigma = sigma
        self.mix = mix
        self.mixed_labels = mixed_labels

    def forward(
        self, vectors: Tensor, labels: Tensor, share: Tensor | None = None, order: Tensor | None = None
    ) -> Tensor:
        """The mean over the samples. `share` (one number) and `order` (N) mix the batch; drawn where not given."""
        vectors, labels = vectors.flatten(1), labels.flatten()
        # Squared distances go into an exponential, for which half precision has too few digits.
        if not vectors.is_floating_point() or vectors.dtype in (torch.float16, torch.bfloat16):
            vectors = vectors.float()
        # A loss is never switched between training and evaluation: whether gradients are kept tells them
        # apart.
        mixes = self.mix == "always" or (self.mix == "train" and torch.is_grad_enabled())
        if not (mixes or share is not None):
            return self._distance(vectors, labels)
        if share is None or order is None:
            share, order = self._drawn(vectors)
        vectors = torch.cat([vectors, share * vectors + (1 - share) * vectors[order]])
        all_labels = torch.cat([labels.float(), self._mixed(labels, share, order)])
        if self.mixed_labels != "shares":
            return self._distance(vectors, all_labels)
        one, other = (torch.cat([labels, whose])[:, None] == all_labels for whose in (labels, labels[order]))
        return self._distance(vectors, all_labels, share * one + (1 - share) * other)

    def _drawn(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Beta(2, 2), which is the middle of three even draws, and an order; in evaluation the same each time."""
        chance = None if torch.is_grad_enabled() else torch.Generator().manual_seed(0)
        order = torch.randperm(len(vectors), generator=chance).to(vectors.device)
        return torch.rand(3, generator=chance).median().to(vectors), order

    def _mixed(self, labels: Tensor, share: Tensor, order: Tensor) -> Tensor:
        """The labels of mixed samples: numbers between those of the two, or theirs where they are alike, else none."""
        others = labels[order]
        if self.mixed_labels == "numbers":
            return share.float() * labels.float() + (1 - share.float()) * others.float()
        return torch.where(labels == others, labels.float(), NO_CLASS)

    def _distance(self, vectors: Tensor, labels: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Each class stands there once for each of its samples, by as much less: so nobody counts classes.

        `wanted` N×N are the shares that samples should have of the class of each.
        """
        # A mixed label that comes out whole is of that class, though it may be a third one: FERAtt's quirk.
        is_class = (labels >= 0) & (labels == labels.floor())
        alike = ((labels[:, None] == labels) & is_class[:, None] & is_class).to(vectors.dtype)
        part = is_class.to(vectors.dtype) / alike.sum(0).clamp(min=1)
        # Not detached: gradients reach the means too, as in the original.
        with in_single(vectors):
            means = (alike @ vectors) * part[:, None]
            distances = (vectors[:, None] - means).square().sum(-1)
            near = torch.exp(-distances / (2 * self.sigma**2))
            # Far from all means every density underflows to 0, and 0 / 0 would be no number.
            shares = (near / ((near @ part)[:, None] + SMALLEST)).clamp(0, 1)
            wanted = alike if wanted is None else wanted.to(vectors.dtype)
            return ((shares - wanted).square() @ part).mean()


class Norm(nn.Module):
    """The root of the sum of squares of a whole batch."""

    def forward(self, values: Tensor) -> Tensor:
        """In single precision at least."""
        exact = values if values.dtype in (torch.float32, torch.float64) else values.float()
        length: Tensor = torch.linalg.vector_norm(exact)
        return length
