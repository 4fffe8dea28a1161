"""The share of right answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare, squeezed
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import (
    ACTIVE_ABOVE,
    DECISION,
    both,
    figures,
    impossible_threshold,
    label_table,
    own_name,
)
from netcfg.blocks.metrics.judgement import Cut, Decision, Figures
from netcfg.results import Baseline
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor


class Accuracy(Metric, name="accuracy"):
    """The share of right answers.

    For a class, the highest logit is the answer; for labels each counts by itself, as for `f1`.
    Shapes: logits (K) against one class, or (A) against labels (A); trailing ones do not matter.
    Source: the usual one, e.g. torchmetrics'; AUDetNet's for labels.
    Example::

        [accuracy]
        input = Classifier
        target = emotion
    """

    target: str = Option(description="the data field it is compared with")
    decision: Decision = Option("probability", description=f"for labels: {DECISION}")
    threshold: float = Option(0.5, description="for labels: a score above it counts as present")
    active_above: float = Option(0.5, description=f"for labels: {ACTIVE_ABOVE}")

    def conflict(self) -> str | None:
        """A probability is compared with one."""
        return impossible_threshold(self.decision, self.threshold)

    @property
    def cut(self) -> Cut:
        """By its threshold."""
        return Cut(self.threshold, self.decision)

    def check(self, input: Shape, target: Shape | None) -> None:
        """Logits per class against one class, or one logit for each label."""
        if target is None or target:
            compare("logits", input, target)
        elif len(squeezed(input)) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(input)}", code="NC402"
            )

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The share over all under the metric's name; for labels each one's share under its own."""
        from netcfg.trainers.judging.scores import decide

        is_class = targets is not None and targets.ndim == 1  # a class is one number, labels are a vector
        scores, targets = both(self, scores, targets)
        if is_class:
            return figures(self, float((scores.argmax(1) == targets[:, 0]).double().mean()))
        right = decide(scores, self.decision, self.threshold) == (targets > self.active_above)
        each = right.double().mean(0).tolist()
        return label_table(own_name(self), each, names).figures | {}

    def baseline(self, targets: "Tensor | None") -> Baseline | None:
        """The most frequent class, or of each label the more frequent of the two answers."""
        if targets is None:
            return None
        if targets.ndim == 1:
            share = float(targets.long().bincount().max()) / len(targets)
            return Baseline("always the most frequent class", share)
        present = (targets.reshape(len(targets), -1) > self.active_above).double().mean(0)
        share = float(present.maximum(1 - present).mean())
        return Baseline("always the more frequent answer of each label", share)
