"""Answers and what is right, brought into one form: of classes and of labels, single ones and maps of them.

Legend: N samples, K classes or labels, P places of a sample (pixels, tokens, frames; 1 for a single answer).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netcfg.source import NetcfgError
from netcfg.trainers.judging.scores import expect_numbers


class NoClass(NetcfgError):
    """A target that is no class (NC414), in a row of so many that a metric was given."""

    def __init__(
        self, judged: tuple[str, str], number: int, classes: int, row: int, rows: int, of: str = ""
    ) -> None:
        metric, target = judged
        super().__init__(
            f"the metric `{metric}` compares {classes} classes, 0 to {classes - 1}, and `{target}`{of} is the class "
            f"{number}\n"
            f"help: `ignore = {number}` where that stands for what nobody knows, else as many outputs as classes",
            code="NC414",
        )
        self.row, self.rows = row, rows
        self._told = judged, number, classes, row, rows

    def of(self, sample: str) -> NoClass:
        """The same of a sample whose name is known."""
        return NoClass(*self._told, of=f" of the sample {sample}")


@dataclass(frozen=True)
class Answers:
    """Scores and truth of samples.

    Shapes: `scores` (N, K, P); `truth` of classes whole numbers (N, P), of labels numbers (N, K, P); `counts`, whether
    a place counts, as `truth`; `all_count`, whether all do. `is_class`: one of K is right, else each of K is right or
    wrong by itself.
    """

    scores: Tensor
    truth: Tensor
    counts: Tensor
    is_class: bool
    all_count: bool = False

    @property
    def is_single(self) -> bool:
        """Whether a sample has one answer, not a map of them."""
        return self.scores.shape[2] == 1


def class_axis(axes: int) -> int:
    """Where the classes or labels stand in a sample's shape: F, L×F, C×H×W, T×C×H×W."""
    return {1: 0, 2: 1, 3: 0}.get(axes, axes - 3)


def answers(
    judged: tuple[str, str, str],
    scores: Tensor,
    targets: Tensor,
    mask: Tensor | None = None,
    ignore: float | None = None,
) -> Answers:
    """The form of a metric's signals; `judged` are the names of the metric, its input and its target.

    Raises `NetcfgError` where it cannot judge them.

    Shapes: scores of a sample (K), (L, K), (K, H, W) or (T, K, H, W); targets the same, for labels, or without K, for
    classes. `mask` has the shape of a sample's target, or its first or last sizes, or is one number.
    """
    metric, input, target = judged
    expect_numbers(metric, input, scores)
    scores = _squeezed(scores)
    targets = targets if targets.ndim == 1 else _squeezed(targets)
    if targets.ndim == scores.ndim and targets.shape[1] == 1 != scores.shape[1]:
        targets = targets[:, 0]  # 1×H×W, a map of classes with an axis of its own
    is_class = targets.ndim < scores.ndim
    counts = masked(targets, mask)
    all_count = mask is None and ignore is None
    if ignore is not None:
        counts = counts & (targets != ignore)
    axis = class_axis(scores.ndim - 1) + 1
    shaped = scores.movedim(axis, 1)
    shaped = shaped.reshape(*shaped.shape[:2], -1)
    if is_class:
        truth = targets.reshape(len(targets), -1).long()
        counts = counts.reshape(truth.shape)
        _expect_classes((metric, target), truth, None if all_count else counts, shaped.shape[1])
    else:
        expect_numbers(metric, target, targets)
        truth = targets.movedim(axis, 1).reshape(shaped.shape)
        counts = counts.movedim(axis, 1).reshape(shaped.shape)
    return Answers(shaped, truth, counts, is_class, all_count)


def masked(targets: Tensor, mask: Tensor | None) -> Tensor:
    """Which numbers of the targets count, a truth each: all, or those where the mask is above a half."""
    if mask is None:
        return torch.ones_like(targets, dtype=torch.bool)
    kept = mask > 0.5
    sizes = tuple(targets.shape[1:])
    while kept.ndim > 1 and kept.ndim - 1 > len(sizes) and kept.shape[1] == 1:
        kept = kept[:, 0]
    while kept.ndim > 1 and kept.ndim - 1 > len(sizes) and kept.shape[-1] == 1:
        kept = kept[..., 0]
    own = tuple(kept.shape[1:])
    missing = len(sizes) - len(own)
    ones = (1,) * missing
    if own == sizes[: len(own)]:
        kept = kept.reshape(len(kept), *own, *ones)
    else:
        kept = kept.reshape(len(kept), *ones, *own)
    return kept.expand(targets.shape)


def _squeezed(values: Tensor) -> Tensor:
    while values.ndim > 2 and values.shape[-1] == 1:
        values = values[..., 0]
    return values[:, None] if values.ndim == 1 else values


def _expect_classes(judged: tuple[str, str], truth: Tensor, counts: Tensor | None, classes: int) -> None:
    """Refuse truths that are none of so many classes; without `counts` all count."""
    known = truth if counts is None else truth.masked_fill(~counts, 0)
    if not known.numel():
        return
    least, most = known.aminmax()
    if bool((least < 0) | (most >= classes)):
        wrong = (known < 0) | (known >= classes)
        row = int(wrong.flatten(1).any(1).nonzero()[0])
        raise NoClass(judged, int(truth[wrong][0]), classes, row, len(truth))


# --- what is judged as one


def pooled(found: Answers, groups: Tensor, pool: str, metric: str) -> tuple[Answers, Tensor]:
    """One answer a group, and the first sample of each. Raises `NetcfgError` where a group's samples have other truths.

    `pool`: `sum` adds the scores, `mean_probability` takes the mean of softmax or sigmoid, `vote` counts the highest
    scores, of labels the shares above a half; what comes out is scores again, logarithms of probabilities. Samples that
    do not count are left out; a group counts where one of its samples does.
    """
    numbers, place = torch.unique(groups.reshape(len(groups), -1)[:, 0], return_inverse=True)
    size = len(numbers)
    kept = found.counts.reshape(len(groups), -1, 1)
    scores = _votes(found.scores.double(), found.is_class, pool).masked_fill(~kept, 0)
    sums = torch.zeros(size, *scores.shape[1:], dtype=torch.float64).index_add_(0, place, scores)
    share = torch.zeros(size, *kept.shape[1:], dtype=torch.float64).index_add_(0, place, kept.double())
    if pool != "sum":
        probability = sums / share.clamp(min=1)
        sums = probability.log() if found.is_class else torch.logit(probability)
    order = torch.arange(len(groups))
    first = torch.full((size,), len(groups)).scatter_reduce_(0, place, order, "amin")
    # Where the first sample does not count, that of one which does is the group's truth.
    flat = found.truth.reshape(len(groups), -1).double()
    open_end = torch.full((size, flat.shape[1]), torch.inf, dtype=torch.float64)
    index = place[:, None].expand_as(flat)
    counted = kept.reshape(flat.shape)
    low = open_end.scatter_reduce(0, index, flat.masked_fill(~counted, torch.inf), "amin")
    high = (-open_end).scatter_reduce(0, index, flat.masked_fill(~counted, -torch.inf), "amax")
    counts = share[..., 0] > 0
    differs = counts & (low != high)
    if bool(differs.any()):
        group = int(numbers[int(differs.nonzero()[0, 0])])
        raise NetcfgError(
            f"the metric `{metric}` judges groups as one, and the samples of group {group} have different targets\n"
            "help: a target that is the same for a whole group, or no `group`",
            code="NC414",
        )
    truth = low.masked_fill(~counts, 0).to(found.truth.dtype).reshape(size, *found.truth.shape[1:])
    return Answers(sums, truth, counts.reshape(truth.shape), found.is_class), first


def _votes(scores: Tensor, is_class: bool, pool: str) -> Tensor:
    if pool == "sum":
        return scores
    if pool == "mean_probability":
        return scores.softmax(1) if is_class else scores.sigmoid()
    if is_class:
        return torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1.0)
    return (scores > 0).double()


# --- counts


_FEW = 64
"""Of so many classes the highest is found by comparing all with it."""


def highest(scores: Tensor) -> Tensor:
    """Which of K is the highest, the first of several: (N, K, P) -> (N, P)."""
    _, classes, places = scores.shape
    # On the processor, `max` takes three times as long to find where it is as to find how high, and `argmax` fifteen.
    is_plain = scores.device.type == "cpu" and scores.dtype in (torch.float32, torch.float64)
    if places == 1 or classes > _FEW or not is_plain:
        return scores.max(1).indices
    best = scores.amax(1, keepdim=True)
    # As numpy's: that of PyTorch takes twice as long over shapes that broadcast.
    is_best = torch.from_numpy(np.equal(scores.detach().numpy(), best.detach().numpy()).view(np.uint8))
    order = torch.arange(classes, 0, -1, dtype=torch.uint8)[:, None]
    return classes - is_best.mul_(order).amax(1)


def class_counts(found: Answers, predicted: Tensor) -> Tensor:
    """Of each sample and class how many were right, predicted, actual, and how many count, (N, K, 4)."""
    size, classes = found.scores.shape[:2]
    table = confusion(found, predicted)
    right, said, actual = table.diagonal(dim1=1, dim2=2), table.sum(1), table.sum(2)
    total = actual.sum(1, keepdim=True).expand(size, classes)
    return torch.stack([right, said, actual, total], 2)


def confusion(found: Answers, predicted: Tensor) -> Tensor:
    """Of each sample how often a class was taken for which, (N, actual K, predicted K)."""
    size, classes = found.scores.shape[:2]
    cells = size * classes * classes
    kind = torch.int32 if cells < 2**31 else torch.int64
    truth = found.truth.to(kind)
    if not found.all_count:
        truth = truth.clamp(0, classes - 1)
    starts = torch.arange(0, cells, classes**2, dtype=kind, device=predicted.device)[:, None]
    index = truth.mul(classes).add_(predicted).add_(starts)
    # Chosen only where some do not count: that copies all of a map.
    chosen = index.flatten() if found.all_count or bool(found.counts.all()) else index[found.counts]
    flat = torch.bincount(chosen, minlength=cells)
    return flat.reshape(size, classes, classes)


def label_counts(found: Answers, present: Tensor, actual: Tensor) -> Tensor:
    """Of each sample and label how many were right, predicted, actual, and how many count, (N, K, 4)."""
    present, actual = present & found.counts, actual & found.counts
    return torch.stack([part.sum(2) for part in (present & actual, present, actual, found.counts)], 2)


def summed_counts(counts: Tensor, weights: Tensor) -> Tensor:
    """Counts of samples (N, K, 4) added up by weights (B, N): (B, K, 4)."""
    flat = weights @ counts.reshape(len(counts), -1).double()
    return flat.reshape(len(weights), *counts.shape[1:])


def counted_pairs(actual: Tensor, predicted: Tensor, classes: int, weights: Tensor) -> Tensor:
    """The same of single answers (N), where those of -1 do not count."""
    kept = actual >= 0
    actual, predicted, weights = actual[kept], predicted[kept], weights[:, kept]
    right = actual[actual == predicted], weights[:, actual == predicted]
    sums = [_added(index, by, classes) for index, by in (right, (predicted, weights), (actual, weights))]
    total = weights.sum(1, keepdim=True).expand(len(weights), classes)
    return torch.stack([*sums, total], 2)


def _added(index: Tensor, weights: Tensor, size: int) -> Tensor:
    return torch.zeros(len(weights), size, dtype=torch.float64).index_add_(1, index, weights)
