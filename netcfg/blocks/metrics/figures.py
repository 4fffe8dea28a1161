"""What metrics share: figures by name, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.base import Metric
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor

Decision = Literal["probability", "logit"]
DECISION = (
    "what the threshold is for: the logit's sigmoid, or the logit itself, as in AUDetNet with 0/1 labels"
)

ACTIVE_ABOVE = "a label above it is present; graded labels lie between 0 and 1"


def own_name(metric: Metric) -> str:
    """What others call it."""
    return metric.name or metric.type_name


def both(
    metric: Metric, scores: Tensor, targets: Tensor | None, least: int = 1, finite: bool = False
) -> tuple[Tensor, Tensor]:
    """Scores and targets, N×numbers each. Raises `NetcfgError` where they cannot be judged."""
    from netcfg.trainers.judging.scores import table

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
