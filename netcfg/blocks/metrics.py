"""The sections of `{Metric}`: figures of merit over a whole split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.kinds import Metric
from netcfg.blocks.losses import compare, squeezed
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor

Threshold = Annotated[float, Option(ge=0, le=1)]


class F1(Metric, name="f1"):
    """F1 of the positive class, 2 TP / (2 TP + FP + FN), per action unit, and their mean.

    A score is the sigmoid of a logit, and positive where it exceeds the threshold. Without any positive, true
    or predicted, F1 is 0.
    Shapes: logits (A) or (A, 1, 1), labels (A).
    Source: AUNets, section "Evaluation".
    Example::

        [f1]
        input = AUNet
        target = labels
        threshold = 0.5
    """

    threshold: Threshold = Option(0.5, description="a score above it counts as present")

    def check(self, input: Shape, target: Shape) -> None:
        """One logit for each label."""
        compare("logits", input, target)

    def compute(self, scores: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, float]:
        """The mean under the metric's name, then each label's F1 under its own."""
        from torchmetrics.functional.classification import binary_f1_score

        predicted, actual = decisions(scores, targets, self.threshold)
        each = [
            float(binary_f1_score(predicted[:, column], actual[:, column], zero_division=0.0))
            for column in range(actual.shape[1])
        ]
        return named_figures(self.name or self.type_name, each, names)


class Accuracy(Metric, name="accuracy"):
    """The share of right answers.

    For a class, the highest logit is the answer; for labels each counts by itself, as for `f1`.
    Shapes: logits (K) against one class, or (A) against labels (A); trailing ones do not matter.
    Source: the usual one, e.g. torchmetrics'.
    Example::

        [accuracy]
        input = Classifier
        target = emotion
    """

    threshold: Threshold = Option(0.5, description="for labels: a score above it counts as present")

    def check(self, input: Shape, target: Shape) -> None:
        """Logits per class against one class, or one logit for each label."""
        if target:
            compare("logits", input, target)
        elif len(squeezed(input)) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(input)}", code="NC402"
            )

    def compute(self, scores: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, float]:
        """The share over all under the metric's name; for labels each one's share under its own."""
        own_name = self.name or self.type_name
        if targets.ndim == 1 and not targets.is_floating_point():
            right = scores.flatten(1).argmax(1) == targets
            return {own_name: float(right.double().mean())}
        predicted, actual = decisions(scores, targets, self.threshold)
        return named_figures(own_name, (predicted == actual).double().mean(0).tolist(), names)


def decisions(logits: Tensor, targets: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """What is predicted and what is true, both (N, A) of 0 and 1; a score must exceed the threshold."""
    predicted = (logits.flatten(1).float().sigmoid() > threshold).long()
    return predicted, (targets.flatten(1) > 0.5).long()


def named_figures(metric: str, figures: Sequence[float], names: Sequence[str]) -> dict[str, float]:
    """The mean under the metric's name, then the single figures that have names."""
    mean = sum(figures) / len(figures)
    return {metric: mean, **dict(zip(names, figures, strict=False))}
