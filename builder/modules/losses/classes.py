"""Losses of one number for each class.

Shapes: (N, K, …); as signals lie, K is the first axis of a map and the last of a row: see `netcfg.shapes.class_axis`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from netcfg.builder.modules.losses.comparing import Comparing, laid
from netcfg.shapes import class_axis


class OutsideClass(ValueError):
    """A target is no number of a class. `sample` is its place in the batch, from 0."""

    def __init__(self, sample: int, number: int, classes: int) -> None:
        super().__init__(f"class {number} of sample {sample} is not among 0 to {classes - 1}")
        self.sample = sample
        self.number = number
        self.classes = classes


class OverClasses(Comparing):
    """Compares K numbers at each place with the number of a class, or with K numbers (`soft`)."""

    soft = False

    def pair(self, values: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor]:
        """Classes as axis 1 of both; (N, K, 1, 1) is (N, K) to a target of one place."""
        assert targets is not None
        if self.soft:
            if values.ndim != targets.ndim:
                values = values.reshape(targets.shape)
            axis = 1 + class_axis(values.ndim - 1)
            return values.movedim(axis, 1), targets.to(values.dtype).movedim(axis, 1)
        if targets.ndim == values.ndim and targets.shape[1] == 1:  # a map of one channel
            targets = targets[:, 0]
        if targets.numel() == len(targets):
            return values.flatten(1), targets.flatten().long()
        return values.movedim(1 + class_axis(values.ndim - 1), 1), targets.long()

    def places(self, values: Tensor, targets: Tensor) -> torch.Size:
        """Without the classes."""
        return torch.Size((values.shape[0], *values.shape[2:]))

    def cleared(self, targets: Tensor, kept: Tensor) -> Tensor:
        """Of the first class where nothing counts."""
        return torch.where(kept.unsqueeze(1) if self.soft else kept, targets, 0)

    def known(self, values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | None]:
        """Targets that are classes, and on a GPU, where looking would stall it, which of them were."""
        classes = values.shape[1]
        if targets.device.type != "cpu":
            is_class = (targets >= 0) & (targets < classes)
            return torch.where(is_class, targets, 0), is_class
        if targets.numel():
            least, most = map(int, targets.aminmax())
            if least < 0 or most >= classes:
                place = int(((targets < 0) | (targets >= classes)).flatten().nonzero()[0])
                raise OutsideClass(
                    place // (targets.numel() // len(targets)), int(targets.flatten()[place]), classes
                )
        return targets, None


class CrossEntropy(OverClasses):
    """Cross-entropy of logits.

    `class_weights` are K factors, by which a place also counts: the mean is over their sum, as PyTorch has it.
    """

    def __init__(
        self,
        class_weights: tuple[float, ...] = (),
        label_smoothing: float = 0.0,
        soft: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.class_weights = class_weights
        self.label_smoothing = label_smoothing
        self.soft = soft

    def counts(self, values: Tensor, targets: Tensor) -> Tensor | None:
        """By the weight of the class; soft labels of a place count as one."""
        if not self.class_weights or self.soft:
            return None
        targets, _ = self.known(values, targets)
        return values.new_tensor(self.class_weights)[targets]

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        return self._loss(values, targets, "none")

    def whole(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The mean."""
        return self._loss(values, targets, "mean")

    def _loss(self, values: Tensor, targets: Tensor, reduction: str) -> Tensor:
        is_class = None
        if not self.soft:
            targets, is_class = self.known(values, targets)
        made = functional.cross_entropy(
            values,
            targets,
            weight=values.new_tensor(self.class_weights) if self.class_weights else None,
            label_smoothing=self.label_smoothing,
            reduction=reduction,
        )
        return made if is_class is None else _broken_outside(made, is_class)


class Nll(OverClasses):
    """Minus the log-probability of the right class. The values are log-probabilities."""

    def __init__(self, class_weights: tuple[float, ...] = (), **options: Any) -> None:
        super().__init__(**options)
        self.class_weights = class_weights

    counts = CrossEntropy.counts

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        targets, is_class = self.known(values, targets)
        weight = values.new_tensor(self.class_weights) if self.class_weights else None
        made = functional.nll_loss(values, targets, weight=weight, reduction="none")
        return made if is_class is None else _broken_outside(made, is_class)


class KlDivergence(OverClasses):
    """Kullback–Leibler divergence of given probabilities from those of the values, which are their logarithms."""

    soft = True

    def __init__(self, log_target: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.log_target = log_target

    def cleared(self, targets: Tensor, kept: Tensor) -> Tensor:
        """Numbers, logarithms or not, of which none is NaN."""
        return torch.where(kept.unsqueeze(1), targets, 0)

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place, the sum over classes."""
        return functional.kl_div(values, targets, reduction="none", log_target=self.log_target).sum(1)


class Distillation(OverClasses):
    """Kullback–Leibler divergence of a teacher's probabilities from a student's, both softened."""

    soft = True

    def __init__(self, temperature: float = 4.0, **options: Any) -> None:
        super().__init__(**options)
        self.temperature = temperature

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place, times the square of the temperature, so that gradients stay as large."""
        student = (values / self.temperature).log_softmax(1)
        teacher = (targets / self.temperature).log_softmax(1)
        made = functional.kl_div(student, teacher, reduction="none", log_target=True).sum(1)
        return made * self.temperature**2


class Focal(OverClasses):
    """Cross-entropy times (1 - p)^`gamma`, p the probability of the right class: what is known counts little."""

    def __init__(self, gamma: float = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.gamma = gamma

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        targets, is_class = self.known(values, targets)
        # nll_loss, as gather by classes along axis 1 of any map, in the type of the values.
        right = -functional.nll_loss(values.log_softmax(1), targets, reduction="none")
        # 1 - p as -expm1(log p): of a p near 1, nothing would be left of the difference.
        made = -(-torch.expm1(right)).clamp(min=_LEAST).pow(self.gamma) * right
        return made if is_class is None else _broken_outside(made, is_class)


class FocalOfLabels(Comparing):
    """The same for labels that may hold together; `alpha` weighs positives, and 1 - `alpha` negatives."""

    def __init__(self, gamma: float = 2.0, alpha: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.gamma = gamma
        self.alpha = alpha

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place."""
        entropy = functional.binary_cross_entropy_with_logits(values, targets, reduction="none")
        chance = values.sigmoid()
        wrong = chance * (1 - targets) + (1 - chance) * targets
        made = entropy * wrong.clamp(min=_LEAST).pow(self.gamma)
        if self.alpha is None:
            return made
        return made * (self.alpha * targets + (1 - self.alpha) * (1 - targets))


class CosineEmbedding(OverClasses):
    """One minus the cosine between two vectors at each place; of those that should differ, what exceeds `margin`."""

    soft = True

    def __init__(self, margin: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.margin = margin

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """At every place; `same` is positive where the two belong together."""
        cosine = functional.cosine_similarity(values, targets, dim=1)
        if "same" not in others:
            return 1 - cosine
        same = laid(others["same"], cosine.shape) > 0
        return torch.where(same, 1 - cosine, (cosine - self.margin).clamp(min=0))


_LEAST = 1e-12
"""Below it a base of a power counts as this: the gradient of a power between 0 and 1 is infinite at 0."""


def _broken_outside(made: Tensor, is_class: Tensor) -> Tensor:
    """NaN where a target is no class: what finds it later looks for the sample. A mean is NaN altogether."""
    return torch.where(is_class if made.ndim else is_class.all(), made, torch.nan)


__all__ = [
    "CosineEmbedding",
    "CrossEntropy",
    "Distillation",
    "Focal",
    "FocalOfLabels",
    "KlDivergence",
    "Nll",
    "OutsideClass",
    "OverClasses",
]
