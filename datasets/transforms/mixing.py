"""Batches whose samples are mixed with each other, and labels that say by what parts.

Legend: N samples, K classes, C channels, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Batch = dict[str, Tensor]


class Mixture(Protocol):
    """Mixes pictures N×…×H×W with others by a part that is to stay; gives them, and what has stayed of the first."""

    def __call__(
        self, pictures: list[Tensor], others: list[Tensor], part: float, random: np.random.Generator
    ) -> tuple[list[Tensor], float]: ...


@dataclass(frozen=True)
class SoftLabels:
    """Adds the field `to`: a probability for each of `classes` (N×K) of the class `labels`; or these, as they are."""

    labels: str
    to: str
    classes: int | None

    def __call__(self, batch: Batch) -> Batch:
        """The batch with it; what another one has made so stays."""
        if self.labels not in batch or self.to in batch:
            return batch
        labels = batch[self.labels]
        soft = labels if self.classes is None else functional.one_hot(labels, self.classes).float()
        return batch | {self.to: soft}


@dataclass(frozen=True)
class MixBatch:
    """Mixes each sample of a batch with the one before it, the first with the last, all by one draw."""

    pictures: tuple[str, ...]
    labels: SoftLabels
    alpha: float
    probability: float
    mixture: Mixture

    def __call__(self, batch: Batch, random: np.random.Generator) -> Batch:
        """The batch, mixed or as it was, with soft labels."""
        batch = self.labels(batch)
        if random.random() >= self.probability:
            return batch
        part = float(random.beta(self.alpha, self.alpha))
        names = [name for name in self.pictures if name in batch]
        pictures = [batch[name] for name in names]
        mixed, part = self.mixture(pictures, [picture.roll(1, 0) for picture in pictures], part, random)
        batch = batch | dict(zip(names, mixed, strict=True))
        if self.labels.to in batch:
            soft = batch[self.labels.to]
            batch[self.labels.to] = torch.lerp(soft.roll(1, 0), soft, part)
        return batch


@dataclass(frozen=True)
class Blended:
    """All of both, by parts."""

    def __call__(
        self, pictures: list[Tensor], others: list[Tensor], part: float, random: np.random.Generator
    ) -> tuple[list[Tensor], float]:
        """As `Mixture`."""
        pairs = zip(pictures, others, strict=True)
        return [torch.lerp(other, picture, part) for picture, other in pairs], part


@dataclass(frozen=True)
class Cut:
    """A rectangle of the other one, whose middle is anywhere; beyond the edges it is cut off."""

    def __call__(
        self, pictures: list[Tensor], others: list[Tensor], part: float, random: np.random.Generator
    ) -> tuple[list[Tensor], float]:
        """As `Mixture`; all pictures are cut at the same parts of their sides."""
        middle = random.random(2)
        half = 0.5 * (1 - part) ** 0.5
        mixed, stays = [], part
        for picture, other in zip(pictures, others, strict=True):
            sides = picture.shape[-2:]
            edges = [
                (int(max(0, (at - half) * side)), int(min(side, (at + half) * side)))
                for at, side in zip(middle, sides, strict=True)
            ]
            (top, bottom), (left, right) = edges
            made = picture.clone()
            made[..., top:bottom, left:right] = other[..., top:bottom, left:right]
            mixed.append(made)
            if len(mixed) == 1:  # labels go by the first picture
                stays = 1 - (bottom - top) * (right - left) / (sides[0] * sides[1])
        return mixed, stays
