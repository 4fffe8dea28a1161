"""The sections of `{Metric}`: figures of merit over a whole split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.kinds import Metric
from netcfg.blocks.losses import compare, squeezed
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor

Decision = Literal["probability", "logit"]

DECISION = (
    "what the threshold is for: the logit's sigmoid, or the logit itself, as in AUDetNet with 0/1 labels"
)
ACTIVE_ABOVE = "a label above it is present; graded labels lie between 0 and 1"


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

    def check(self, input: Shape, target: Shape | None) -> None:
        """Logits per class against one class, or one logit for each label."""
        if target is None or target:
            compare("logits", input, target)
        elif len(squeezed(input)) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(input)}", code="NC402"
            )

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        """The share over all under the metric's name; for labels each one's share under its own."""
        from netcfg.trainers.scores import decide

        is_class = targets is not None and targets.ndim == 1  # a class is one number, labels are a vector
        scores, targets = both(self, scores, targets)
        if is_class:
            return figures(self, float((scores.argmax(1) == targets[:, 0]).double().mean()))
        right = decide(scores, self.decision, self.threshold) == (targets > self.active_above)
        return label_figures(self, right.double().mean(0).tolist(), names)


class TwoAfc(Metric, name="two_afc"):
    """How often a positive scores higher than a negative, over all pairs, per action unit, and their mean.

    A tie counts half; the figure is the area under the ROC curve. Without a positive, or without a negative,
    it is 0. Of several labels, `overall` takes the pairs across all of them. Takes any score, no threshold.
    Shapes: scores (A) or (A, 1, 1), labels (A).
    Source: AUDetNet's 2AFC (two alternatives, forced choice); Mann and Whitney, 1947, the statistic U.
    Example::

        [two_afc]
        input = action_units
        target = labels
    """

    target: str = Option(description="the data field it is compared with")
    active_above: float = Option(0.5, description=ACTIVE_ABOVE)

    def check(self, input: Shape, target: Shape | None) -> None:
        """One score for each label."""
        compare("scores", input, target)

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        """The mean under the metric's name, then each label's share under its own, then `overall`."""
        from netcfg.trainers.scores import share_of_pairs

        scores, targets = both(self, scores, targets)
        each, overall = share_of_pairs(scores, targets > self.active_above)
        return label_figures(self, each, names, overall)


class Auc(TwoAfc, name="auc"):
    """The area under the ROC curve, per action unit, and the mean.

    The same number as `two_afc`: the share of pairs of a positive and a negative in which the positive scores
    higher, ties counting half; 0 without a positive, or without a negative. Takes any score, no threshold.
    Shapes: scores (A) or (A, 1, 1), labels (A).
    Source: Fawcett, "An introduction to ROC analysis", 2006.
    Example::

        [auc]
        input = AUNet
        target = labels
    """


class Xcov(Metric, name="xcov"):
    """How much one code tells of another: the mean square of the correlations of their components.

    From 0, no linear dependence, to 1; lower is better. A constant component has no correlation, and counts 0.
    Shapes: (C) or (C, 1, 1), and (D) or (D, 1, 1).
    Source: AUDetNet's XCov(z1, z2); Cheung et al., "Discovering hidden factors of variation", 2014.
    Example::

        [xcov]
        input = z1
        target = z2
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Option(description="the other code, a signal")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Two vectors, of any lengths."""
        expect_code(self.input, input)
        expect_code(self.target, target or (), argument=1)

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        """The one figure."""
        from netcfg.trainers.scores import correlations

        scores, targets = both(self, scores, targets, least=2, finite=True)
        return figures(self, float(correlations(scores, targets).square().mean()))


class Variance(Metric, name="variance"):
    """How much a code varies over the samples: the mean of its components' variances.

    A code that a network ignores falls towards 0. The variances are unbiased, their sums divided by N - 1.
    Shapes: (C) or (C, 1, 1).
    Source: AUDetNet's variability of z2.
    Example::

        [variance]
        input = z2
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def check(self, input: Shape, target: Shape | None) -> None:
        """A vector."""
        expect_code(self.input, input)

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        """The one figure."""
        from netcfg.trainers.scores import table, variances

        codes = table(own_name(self), self.input, scores, least=2, finite=True)
        return figures(self, float(variances(codes).mean()))


class EmdBound(Metric, name="emd_bound"):
    """A critic's bound on the earth mover's distance of two sides: how far its mean scores lie apart.

    Of all functions whose slope is at most 1, the largest difference of means is the distance itself, so that
    the critic's difference bounds it from below, as far as a gradient penalty keeps its slope at 1. Which side
    it scores higher does not matter to the bound: the figure is the absolute value, `signed` is mean input
    minus mean target. Lower is better: the two sides are alike.
    Shapes: any, the mean is over all numbers.
    Source: Arjovsky et al., "Wasserstein GAN", 2017, equation 2 (Kantorovich's duality).
    Example::

        [emd_bound]
        input = critic_real
        target = critic_shuffled
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Option(description="the critic's scores on the other side, a signal")

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        """The bound under the metric's name, then `signed`."""
        scores, targets = both(self, scores, targets, finite=True)
        signed = float(scores.double().mean() - targets.double().mean())
        return figures(self, abs(signed), {"signed": signed})


# --- what metrics share


def own_name(metric: Metric) -> str:
    """What others call it."""
    return metric.name or metric.type_name


def both(
    metric: Metric, scores: Tensor, targets: Tensor | None, least: int = 1, finite: bool = False
) -> tuple[Tensor, Tensor]:
    """Scores and targets, N×numbers each. Raises `NetcfgError` where they cannot be judged."""
    from netcfg.trainers.scores import table

    name, target = own_name(metric), metric.target or ""
    return (
        table(name, metric.input, scores, least=least, finite=finite),
        table(name, target, targets, least=least, finite=finite),
    )


def figures(metric: Metric, main: float, details: Mapping[str, float] = {}) -> dict[str, float]:
    """The main figure first, under the metric's name, which no detail may take."""
    name = own_name(metric)
    return {name: main, **{detail: value for detail, value in details.items() if detail != name}}


def label_figures(
    metric: Metric, each: Sequence[float], names: Sequence[str], overall: float | None = None
) -> dict[str, float]:
    """The mean, then the figures of the labels that have names, then `overall` where labels are several."""
    details = dict(zip(names, each, strict=False))
    if overall is not None and len(each) > 1:
        details["overall"] = overall
    return figures(metric, sum(each) / len(each), details)


def impossible_threshold(decision: Decision, threshold: float) -> str | None:
    """What is wrong with a threshold that no probability can be on both sides of."""
    if decision == "logit" or 0 <= threshold <= 1:
        return None
    return (
        f"compares probabilities, from 0 to 1, with `threshold = {threshold:g}`; "
        "to compare the scores themselves, write `decision = logit`"
    )


def expect_code(name: str, shape: Shape, argument: int = 0) -> None:
    """Refuse a signal that is no vector, but for trailing ones."""
    if len(squeezed(shape)) != 1:
        given = show(shape) or "one number"
        raise ShapeError(
            f"needs a vector for each sample, and `{name}` gives {given}",
            argument=argument,
            code="NC402",
            help="put a [flatten] or a [global_avgpool] before it",
        )
