"""The contract of metrics: figures of a split hang on nothing but its samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.counted import is_of_classes
from netcfg.blocks.metrics.judgement import CLIP, Case, Verdict
from netcfg.blocks.metrics.weighed import WeighedMetric
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.contract.variations import Variation, idle_options, variations
from netcfg.results import Baseline, Curve, Matrix, Table
from netcfg.shapes import Shape, show
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = 1499
"""A prime, so that a metric that works in portions of any size has a rest."""
CLIPS = 37
SHAPES: tuple[tuple[int, ...], ...] = ((), (4,), (4, 1, 1), (4, 3, 2), (3, 2))
PICTURE = (1, 12, 12)
_FIXED = frozenset(
    {
        "input",
        "target",
        "name",
        "mask",
        "ignore",
        "group",
        "pool",
        "interval",
        "interval_over",
        "without",
        "apart",
    }
)
"""Options that name signals, say nothing without one, or are the same for all: what they do is tested by itself."""
Numbers = dict[str, float]


@dataclass(frozen=True)
class Split:
    """Made up signals of a split; `clips` say which clip each sample belongs to."""

    scores: Tensor
    targets: Tensor | None
    names: tuple[str, ...]
    clips: Tensor

    def case(
        self, metric: Metric, order: Tensor | None = None, thresholds: Sequence[float] | None = None
    ) -> Case:
        """What the metric is given of it, in another order where one is given."""

        def placed(values: Tensor | None) -> Tensor | None:
            return values if values is None or order is None else values[order]

        scores = placed(self.scores)
        assert scores is not None
        clips = placed(self.clips) if CLIP in metric.reads.values() else None
        return Case(scores, placed(self.targets), self.names, clips, thresholds)


def verify_metric(kind: type[Metric]) -> Iterator[Breach]:
    """What is untrue about a metric; the first case of each kind."""
    try:
        metric = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    varied = list(variations(metric, _FIXED))
    seen: set[str] = set()
    for text, section in [
        ("", metric),
        *((one.text, one.section) for one in varied if one.section is not None),
    ]:
        for breach in _verify_options(section, text):
            if breach.check not in seen:
                seen.add(breach.check)
                yield breach
    if not seen:
        yield from _at_the_ends(metric)
        yield from _without_effect(metric, varied)


def _verify_options(metric: Metric, text: str) -> Iterator[Breach]:
    taken = _taken(metric)
    if not taken:
        yield Breach(
            metric.type_name, "check", text, "that it takes its signals", "no shapes that it takes", "check"
        )
    for shapes in taken:
        try:
            variation = ", ".join(filter(None, [text, _shown(*shapes)]))
            yield from _verify(metric, _split(*shapes), variation)
        except Exception as error:  # whatever its methods raise is its author's to read
            variation = ", ".join(filter(None, [text, _shown(*shapes)]))
            yield Breach(
                metric.type_name, "figures", variation, "figures of these shapes", what_was_raised(error),
                "check, or compute",
            )  # fmt: skip


def _verify(metric: Metric, split: Split, text: str) -> Iterator[Breach]:
    def breach(check: str, declared: object, found: object, write: str) -> Breach:
        return Breach(metric.type_name, check, text, str(declared), str(found), write)

    given = split.case(metric)
    before = [values.clone() for values in (given.scores, given.targets) if values is not None]
    whole = metric.judge(given)
    figures = numbers_of(whole)
    after = [values for values in (given.scores, given.targets) if values is not None]
    if not all(
        bool((one.nan_to_num() == other.nan_to_num()).all()) for one, other in zip(before, after, strict=True)
    ):
        yield breach(
            "signals", "left as they are, for the metrics after it", "that it writes into them", "compute"
        )
        return
    if tuple(whole.tables) != metric.table_names:
        yield breach("table_names", ", ".join(metric.table_names), ", ".join(whole.tables), "table_names")
    if type(metric).judge is Metric.judge:  # whose table takes the first figure, whatever it is called
        case = split.case(metric)
        first = next(iter(metric.compute(case.scores, case.targets, case.names)))
        if first != metric.table_names[0]:
            yield breach("figures", f"`{metric.table_names[0]}` first", f"`{first}`", "compute")
    bad = [name for name, value in figures.items() if math.isinf(value)]
    if bad:
        yield breach("figures", "numbers, or none", f"infinite ones ({bad[0]})", "compute")
    if metric.needs_validation != (whole.thresholds is not None) and metric.needs_validation:
        yield breach("needs_validation", True, "that it has chosen no thresholds", "judge")
    # Of another split first, then of this one again: what it has seen of one split may not stay for the next.
    metric.judge(split.case(metric, order=_order(split, CLIPS // 2)))
    again = numbers_of(metric.judge(split.case(metric)))
    if not _alike(figures, again):
        # Judging takes most of the time here: whose fault it is, is asked where there is one.
        is_settled = _alike(again, numbers_of(metric.judge(split.case(metric))))
        found = "others after another split" if is_settled else "others when it is judged once more"
        yield breach("figures", "those of the split", found, "compute")
    if not metric.depends_on_order():
        moved = numbers_of(metric.judge(split.case(metric, order=_order(split, CLIPS))))
        if not _alike(figures, moved):
            name = next(name for name in figures if not _close(figures[name], moved.get(name, math.nan)))
            yield breach(
                "figures", f"{name} = {figures[name]:.6g} of the split",
                f"{moved.get(name, math.nan):.6g} of the same samples cut and put together otherwise", "compute",
            )  # fmt: skip
    yield from _one_sided(metric, split, breach)
    if isinstance(metric, WeighedMetric) and metric.model_copy(update={"mask": "shown"}).conflict() is None:
        yield from _masked(metric, split, figures, breach)


def _at_the_ends(metric: Metric) -> Iterator[Breach]:
    """Of nothing there is no figure, and the best scores are judged best; the first case of each."""
    for check in (_empty, _direction):
        for shapes in _taken(metric):

            def breach(
                check: str, declared: object, found: object, write: str, text: str = _shown(*shapes)
            ) -> Breach:
                return Breach(metric.type_name, check, text, str(declared), str(found), write)

            found = list(check(metric, _split(*shapes), breach))
            yield from found
            if found:
                break


def _masked(metric: WeighedMetric, split: Split, figures: dict[str, float], breach: Any) -> Iterator[Breach]:
    """What is masked is as if it were not there; where all is masked there is no figure, and no exception."""
    import torch

    shown = torch.arange(SAMPLES) % 3 > 0
    whole = split.case(metric)
    less = numbers_of(metric.judge(split.case(metric, order=shown.nonzero()[:, 0])))
    for name, mask, expected in (
        ("a mask of ones", torch.ones(SAMPLES), figures),
        ("a mask of two thirds", shown.float(), less),
    ):
        found = numbers_of(metric.judge(whole._replace(mask=mask)))
        if not _alike(found, expected):
            yield breach(f"figures with {name}", "those of what it shows", "others", "rows")
    nothing = metric.judge(whole._replace(mask=torch.zeros(SAMPLES)))
    if next(iter(nothing.tables.values())).main is not None:
        yield breach("figures of nothing", "none", "a number", "weigh")


def _one_sided(metric: Metric, split: Split, breach: Any) -> Iterator[Breach]:
    """A split without a positive, and one without a negative: no exception, whatever the figures."""
    if split.targets is None:
        return
    for name, value in (("without a positive", 0), ("without a negative", 1)):
        one_sided = replace(split, targets=split.targets * 0 + value)
        try:
            metric.judge(one_sided.case(metric))
        except Exception as error:
            yield breach(f"figures {name}", "numbers, or none", what_was_raised(error), "compute")


def _empty(metric: Metric, split: Split, breach: Any) -> Iterator[Breach]:
    """A split without samples, as a source among several may leave it: no figure, or a refusal that says why."""
    few = split.case(metric, order=_order(split, 1))
    try:
        kept = metric.keep(few)
        if kept is not None:
            verdict = metric.judge_rows({name: rows[:0] for name, rows in kept.items()}, split.names)
        else:
            verdict = metric.judge(split.case(metric, order=_order(split, 0)))
    except NetcfgError:
        return
    except Exception as error:
        yield breach("figures without a sample", "none, or a refusal", what_was_raised(error), "compute")
        return
    main = next(iter(verdict.tables.values())).main
    if main is not None and not math.isnan(main):
        yield breach("figures without a sample", "none, or a refusal", f"{main:g}", "compute")


def _direction(metric: Metric, split: Split, breach: Any) -> Iterator[Breach]:
    """Whether scores that are their targets are judged better than scores that say the opposite."""
    import torch

    targets = split.targets
    if targets is None:
        return
    if split.scores.numel() == targets.numel():
        right = targets.reshape(split.scores.shape).float() * 6 - 3
    elif (
        split.scores.ndim > 1
        and not targets.is_floating_point()
        and targets.shape[1:] == split.scores.shape[2:]
    ):
        right = torch.nn.functional.one_hot(targets, split.scores.shape[1]).movedim(-1, 1) * 6.0 - 3
    else:
        return
    noise = 0.5 * torch.randn(right.shape, generator=torch.Generator().manual_seed(9))
    turned = torch.arange(SAMPLES).flip(0)
    told, against, mixed = (
        _main_of(metric, replace(split, scores=scores))
        for scores in (right + noise, -right + noise, right[turned] + noise)
    )
    if told is None or against is None or mixed is None:
        return
    least = 0.05 * max(abs(told), abs(against))
    if (
        abs(told - mixed) <= least or abs(told - against) <= least
    ):  # it compares no sample with its own target
        return
    if (told > against) != metric.higher_is_better:
        found = f"{told:.4g} where scores are their targets, {against:.4g} where they are the opposite"
        yield breach("higher_is_better", metric.higher_is_better, found, "higher_is_better")


def _main_of(metric: Metric, split: Split) -> float | None:
    try:
        return next(iter(metric.judge(split.case(metric)).tables.values())).main
    except NetcfgError:
        return None


def numbers_of(verdict: Verdict) -> Numbers:
    """All numbers of a verdict by where they stand; what is undefined is left out."""
    return dict(_numbers("", verdict))


def _numbers(place: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _numbers(f"{place}.{key}".strip("."), one)
    elif isinstance(value, Verdict | Table | Baseline | Matrix | Curve):
        yield from _numbers(place, value._asdict())
    elif isinstance(value, int | float):
        if not math.isnan(value):
            yield place, float(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, one in enumerate(value):
            yield from _numbers(f"{place}.{index}", one)


def _order(split: Split, clips: int) -> Tensor:
    """The samples of some clips in another order: clips change places, the frames of one stay together."""
    import torch

    generator = torch.Generator().manual_seed(7)
    order = torch.randperm(CLIPS, generator=generator)[:clips]
    rows = [(split.clips == clip).nonzero().flatten() for clip in order.tolist()]
    return torch.cat(rows) if rows else torch.zeros(0, dtype=torch.long)


def _shapes(metric: Metric) -> Iterator[tuple[Shape, Shape | None]]:
    compares = metric.target is not None
    yield from product(SHAPES, SHAPES if compares else (None,))


def _taken(metric: Metric) -> list[tuple[Shape, Shape | None]]:
    """The shapes that it takes; only where it takes none of the small ones, a picture's."""
    small = [shapes for shapes in _shapes(metric) if _takes(metric, *shapes)]
    compares = metric.target is not None
    large = (PICTURE, PICTURE if compares else None)
    return small or ([large] if _takes(metric, *large) else [])


def _takes(metric: Metric, input: Shape, target: Shape | None) -> bool:
    try:
        metric.check(input, target)
    except ShapeError:
        return False
    return True


def _split(input: Shape, target: Shape | None) -> Split:
    """Scores that tell something of their targets; targets are yes and no, or for one number a class."""
    import torch

    generator = torch.Generator().manual_seed(5)
    shape, sizes = [int(str(size)) for size in input], [int(str(size)) for size in target or ()]
    scores = torch.randn(SAMPLES, *shape, generator=generator)
    clips = torch.arange(SAMPLES) * CLIPS // SAMPLES
    targets = None
    of_classes = target is not None and is_of_classes(input, target)
    if target is not None:
        # Later clips show more: a split in which all portions are alike would hide that one is cut.
        likely = 0.2 + 0.6 * clips.reshape(-1, *([1] * len(sizes))) / CLIPS
        drawn = torch.rand(SAMPLES, *sizes, generator=generator) < likely
        targets = drawn.long() if of_classes or not target else drawn.float()
        if scores[0].numel() == drawn[0].numel():
            scores = scores + 0.5 * drawn.reshape(scores.shape)
    return Split(
        scores, targets, tuple(f"AU{number + 1}" for number in range(sizes[0] if sizes else 0)), clips
    )


def _without_effect(metric: Metric, varied: list[Variation[Metric]]) -> Iterator[Breach]:
    """Options at another value of which all figures are the same, whatever the choices beside them."""
    for tried in idle_options(metric, varied, _has_effect):
        yield Breach(
            metric.type_name,
            "option",
            tried.text,
            f"`{tried.option}`",
            "that no figure changes with it",
            "compute",
        )


def _has_effect(base: Metric, option: str) -> bool:
    figures = _all_figures(base)
    for one in variations(base, _FIXED):
        if one.option == option and (one.section is None or _all_figures(one.section) != figures):
            return True
    return False


def _all_figures(metric: Metric) -> list[Numbers]:
    """Of all shapes that it takes, for labels that are yes and no, then for graded ones."""
    made = []
    for shapes in _taken(metric):
        split = _split(*shapes)
        made.append(numbers_of(metric.judge(split.case(metric))))
        if split.targets is not None and split.targets.is_floating_point():
            graded = replace(split, targets=split.targets * 0.4 + 0.3)
            made.append(numbers_of(metric.judge(graded.case(metric))))
            without = replace(split, targets=split.targets * 0, scores=-split.scores.abs())
            made.append(numbers_of(metric.judge(without.case(metric))))
    return made


def _alike(one: Numbers, other: Numbers) -> bool:
    return one.keys() == other.keys() and all(_close(value, other[name]) for name, value in one.items())


def _close(one: float, other: float) -> bool:
    return one == other or abs(one - other) <= 1e-5 * max(1.0, abs(one), abs(other))


def _shown(input: Shape, target: Shape | None) -> str:
    shapes = [input] if target is None else [input, target]
    return " and ".join(show(shape) or "one number" for shape in shapes)
