"""What metrics share: figures by name, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.judgement import Decision, Figures
from netcfg.results import OVERALL, Counts, Figure, Table, mean_of
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor

DECISION = (
    "what the threshold is for: the logit's sigmoid, or the logit itself, as in AUDetNet with 0/1 labels"
)

Undefined = Literal["excluded", "zero"]
UNDEFINED = (
    "a label that has no figure, as the split lacks positives of it (for pairs, or negatives): `excluded` from the "
    "mean, without a figure; `zero`: it counts 0, as in AUNets' and AUDetNet's published code"
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


def figures(metric: Metric, main: float, details: Mapping[str, float] = {}) -> Figures:
    """The main figure first, under the metric's name, which no detail may take."""
    name = own_name(metric)
    return {name: main, **{detail: value for detail, value in details.items() if detail != name}}


def lacking(actual_NA: Tensor, needs_negatives: bool) -> list[str]:
    """What a split lacks of each label for a figure: `no positive`, `no negative`; empty where nothing."""
    positives = actual_NA.sum(0).tolist()
    size = len(actual_NA) if needs_negatives else -1
    words = {0: "no positive", size: "no negative"}
    return [words.get(count, "") for count in positives]


def label_table(
    name: str,
    each: Sequence[Figure],
    names: Sequence[str],
    *,
    details: Mapping[str, Figure] = {},
    pooled: Mapping[str, Counts] | None = None,
    reasons: Sequence[str] = (),
) -> Table:
    """The mean over labels, their figures, and where they are several `details`, such as `overall`.

    With `pooled`, the counts by label, `overall` is the main figure. `reasons` say why a label has no figure.
    """
    known = names if len(names) == len(each) else [name] * len(each)
    missing = zip(known, each, reasons, strict=False)
    return Table(
        name,
        main=mean_of(each) if pooled is None else details[OVERALL],
        labels=dict(zip(names, each, strict=False)),
        details=details if len(each) > 1 and pooled is None else {},
        counts=pooled,
        undefined={label: why for label, figure, why in missing if figure is None and why},
    )


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
