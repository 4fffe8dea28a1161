"""Losses of numbers against numbers, place by place. Shapes: equal, but for trailing ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from netcfg.builder.modules.losses.comparing import Comparing, like


class Mse(Comparing):
    """Squared difference."""

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return functional.mse_loss(values, targets, reduction="none")

    def whole(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The mean."""
        return functional.mse_loss(values, targets)


class L1(Comparing):
    """Absolute difference."""

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return functional.l1_loss(values, targets, reduction="none")

    def whole(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The mean."""
        return functional.l1_loss(values, targets)


class Huber(Comparing):
    """Half the square up to `delta`, then a line of slope `delta`."""

    def __init__(self, delta: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.delta = delta

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return functional.huber_loss(values, targets, reduction="none", delta=self.delta)


class SmoothL1(Comparing):
    """The square over 2·`beta` up to `beta`, then a line of slope 1."""

    def __init__(self, beta: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.beta = beta

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return functional.smooth_l1_loss(values, targets, reduction="none", beta=self.beta)


class GaussianNll(Comparing):
    """How unlikely targets are under normal distributions of these means and variances."""

    def __init__(self, full: bool = False, eps: float = 1e-6, **options: Any) -> None:
        super().__init__(**options)
        self.full = full
        self.eps = eps

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place, of `variance`, which is no less than `eps`."""
        variance = others["variance"]
        if self.channels == "target" and targets.ndim > 1:
            variance = variance[:, : targets.shape[1]]
        variance = like(variance, values).clamp(
            min=self.eps
        )  # before PyTorch, which asks the GPU about its sign
        made = 0.5 * (variance.log() + (values - targets).square() / variance)
        return made + 0.5 * torch.log(variance.new_tensor(2 * torch.pi)) if self.full else made


class BceWithLogits(Comparing):
    """Binary cross-entropy of logits against labels from 0 to 1; `pos_weight` are factors of the positives."""

    def __init__(
        self, pos_weight: tuple[float, ...] = (), label_smoothing: float = 0.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.pos_weight = pos_weight
        self.label_smoothing = label_smoothing

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return self._loss(values, targets, "none")

    def whole(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The mean."""
        return self._loss(values, targets, "mean")

    def _loss(self, values: Tensor, targets: Tensor, reduction: str) -> Tensor:
        factors = None
        if self.pos_weight:  # one a label, or one for all; labels are axis 1
            factors = values.new_tensor(self.pos_weight).reshape(-1, *[1] * max(0, values.ndim - 2))
        if self.label_smoothing:
            targets = targets * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return functional.binary_cross_entropy_with_logits(
            values, targets, pos_weight=factors, reduction=reduction
        )
