"""Losses of regions: how far a map of probabilities and a map of what is there overlap."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from netcfg.builder.modules.losses.classes import OverClasses
from netcfg.builder.modules.losses.comparing import like
from netcfg.builder.modules.losses.counted import Counted


class Tversky(OverClasses):
    """1 - TP / (TP + `alpha` FP + `beta` FN), of each class of each sample, or of the batch.

    Shapes: logits (N, K, …), with softmax, against classes (N, …); logits of labels (N, A, …), by themselves, against
    labels (N, A, …).
    """

    def __init__(
        self,
        alpha: float,
        beta: float,
        smooth: float = 1.0,
        of: str = "classes",
        over: str = "sample",
        background: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.alpha = alpha
        self.beta = beta
        self.smooth = smooth
        self.of = of
        self.over = over
        self.background = background

    def forward(
        self,
        values: Tensor,
        targets: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **others: Tensor,
    ) -> Tensor | Counted:
        """The mean over classes and samples; a sample of which nothing is kept does not count."""
        values, targets = self.precise(values, targets)
        if self.of == "labels":
            assert targets is not None
            values = like(values, targets)
            targets = targets.to(values.dtype)
            places = targets.shape
        else:
            values, targets = self.pair(values, targets)
            places = self.places(values, targets)
        kept = self._kept(targets, mask, places)
        if kept is not None:
            kept = kept.expand(places)
            targets = torch.where(kept, targets, 0)
        if self.of == "classes" and values.device.type == "cpu":
            sums = self._sums_by_class(values, targets, kept)
        else:
            sums = self._sums(*self._maps(values, targets), kept)
        each = self._overlap(*sums)
        if kept is None:
            return 1 - each.mean()
        # Nothing kept is an overlap of 1 by `smooth`, and would count as a perfect answer.
        counts = kept.reshape(len(kept), -1).any(1).to(each.dtype)
        if self.over == "batch":
            return Counted((1 - each.mean()) * counts.sum(), counts.sum())
        return Counted(((1 - each.mean(1)) * counts).sum(), counts.sum())

    def _sums_by_class(
        self, values: Tensor, targets: Tensor, kept: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `_sums`, without a map of what is there for each class: half the time. On a GPU the order in which
        places are added up would change from run to run.
        """
        targets, _ = self.known(values, targets)
        targets = targets.reshape(len(targets), -1)
        chances = values.softmax(1).reshape(*values.shape[:2], -1)
        right = chances.gather(1, targets.unsqueeze(1))[:, 0]
        ones = torch.ones_like(right)
        if kept is not None:
            kept = kept.reshape(len(kept), -1)
            chances = torch.where(kept.unsqueeze(1), chances, 0)
            right, ones = torch.where(kept, right, 0), kept.to(ones.dtype)
        nothing = chances.new_zeros(chances.shape[:2])
        hits, there = (nothing.scatter_add(1, targets, one) for one in (right, ones))
        sums = hits, chances.sum(2), there
        return sums if self.background else (hits[:, 1:], sums[1][:, 1:], there[:, 1:])

    def _sums(self, chances: Tensor, truth: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """What is found, what is claimed and what is there, by sample and class."""
        if kept is not None:
            by_class = kept if self.of == "labels" else kept.unsqueeze(1)
            by_class = by_class if by_class.ndim > 2 else by_class.unsqueeze(2)
            chances, truth = (torch.where(by_class, one, 0) for one in (chances, truth))
        chances, truth = chances.flatten(2), truth.flatten(2)
        return (chances * truth).sum(2), chances.sum(2), truth.sum(2)

    def _maps(self, values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities and what is there, of each class: N×K×…, one place at least."""
        if self.of == "labels":
            chances, truth = values.sigmoid(), targets
        else:
            targets, is_class = self.known(values, targets)
            truth = functional.one_hot(targets, values.shape[1]).movedim(-1, 1).to(values.dtype)
            chances = values.softmax(1)
            if is_class is not None:
                chances = torch.where(is_class.unsqueeze(1), chances, torch.nan)
            if not self.background:
                chances, truth = chances[:, 1:], truth[:, 1:]
        return (chances, truth) if chances.ndim > 2 else (chances.unsqueeze(2), truth.unsqueeze(2))

    def _overlap(self, hits: Tensor, claimed: Tensor, there: Tensor) -> Tensor:
        """By sample and class, or by class in a batch of one."""
        if self.over == "batch":
            hits, claimed, there = hits.sum(0), claimed.sum(0), there.sum(0)
        wrong = self.alpha * (claimed - hits) + self.beta * (there - hits)
        return (hits + self.smooth) / (hits + wrong + self.smooth)
