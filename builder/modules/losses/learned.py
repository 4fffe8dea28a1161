"""Losses with parameters of their own."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.blocks.changing import Scheduled
from netcfg.builder.changing import now, number
from netcfg.builder.modules.losses.classes import OverClasses
from netcfg.builder.modules.losses.counted import in_single

_CENTRES = 0.01
"""The spread of fresh vectors; only their directions count in ArcFace."""


class _OfClasses(OverClasses):
    """Vectors N×F against a learned one for each of K classes."""

    def __init__(self, classes: int, features: int, **shared: Any) -> None:
        super().__init__(**shared)
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.normal_(self.weight, std=_CENTRES)

    def pair(self, values: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor]:
        """N×F, and N class numbers."""
        assert targets is not None
        return values.flatten(1), targets.flatten().long()

    def places(self, values: Tensor, targets: Tensor) -> torch.Size:
        """One a sample."""
        return targets.shape

    def own(self, values: Tensor) -> Tensor:
        """Its vectors, in the precision of what they are compared with, at the least in single."""
        return self.weight.to(values.dtype) if values.dtype == torch.float64 else self.weight


class ArcFace(_OfClasses):
    """Cross-entropy of `scale` times the cosines of N×F vectors with those of K classes, with a margin.

    `margin_of = angle`: the right class's angle is made larger by `margin`; beyond π, where its cosine would rise
    again, a line goes on. `cosine`: its cosine is made smaller.
    """

    def __init__(
        self,
        classes: int,
        features: int,
        margin: float | Scheduled,
        scale: float,
        margin_of: str,
        **shared: Any,
    ) -> None:
        super().__init__(classes, features, **shared)
        self.margin = number(margin)
        self.scale = scale
        self.of_angle = margin_of == "angle"

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The loss of each sample; on a GPU, 0 where a target is no class."""
        vectors = functional.normalize(self.own(values))
        with in_single(values):
            cosines = functional.linear(functional.normalize(values), vectors)
        targets, is_class = self.known(cosines, targets)
        right = cosines.gather(1, targets[:, None])
        logits = self.scale * cosines.scatter(1, targets[:, None], self._smaller(right))
        each = functional.cross_entropy(logits, targets, reduction="none")
        return each if is_class is None else torch.where(is_class, each, 0)

    def _smaller(self, cosines: Tensor) -> Tensor:
        """The cosines of the right classes, with the margin."""
        margin = now(self.margin)
        if not self.of_angle:
            return cosines - margin
        angle = torch.as_tensor(margin, dtype=cosines.dtype, device=cosines.device)
        # cos(a + m) by sums, without an arc cosine, whose gradient is infinite at its ends; the root of a tiny number
        # for 0 keeps that of the sine finite.
        sines = (1 - cosines.square()).clamp(min=1e-12).sqrt()
        larger = cosines * angle.cos() - sines * angle.sin()
        return torch.where(cosines > -angle.cos(), larger, cosines - angle * angle.sin())


class Center(_OfClasses):
    """Half the squared distance of N×F vectors to those of their classes."""

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The loss of each sample; on a GPU, 0 where a target is no class."""
        centres = self.own(values)
        if targets.device.type == "cpu":
            self.known(values.new_empty(len(values), len(centres)), targets)
            is_class = None
        else:
            is_class = (targets >= 0) & (targets < len(centres))
            targets = torch.where(is_class, targets, 0)
        each = (values - functional.embedding(targets, centres)).square().sum(1) / 2
        return each if is_class is None else torch.where(is_class, each, 0)


class Uncertainty(nn.Module):
    """Σ exp(-s) · value + s over losses, with a learned s for each."""

    def __init__(self, of: tuple[str, ...], start: float) -> None:
        super().__init__()
        self.of = of
        self.log_variance = nn.Parameter(torch.full((len(of),), start))

    def forward(self, values: Tensor, counts: Tensor) -> Tensor:
        """Of as many values; where nothing counts, an s stays as it is."""
        s = self.log_variance
        return (torch.exp(-s) * values + torch.where(counts > 0, s, s.detach())).sum()

    def figures(self) -> dict[str, float]:
        """What each loss weighs."""
        return {
            name: math.exp(-value) for name, value in zip(self.of, self.log_variance.tolist(), strict=True)
        }


__all__ = ["ArcFace", "Center", "Uncertainty"]
