"""The arithmetic of the metrics, over a whole split at once.

Legend: N samples, A labels (action units), C and D components of a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.metrics.judgement import Decision
from netcfg.results import Figure
from netcfg.source import NetcfgError

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


# --- what a metric is given


def table(metric: str, signal: str, values: Tensor | None, *, least: int = 1, finite: bool = False) -> Tensor:
    """A signal's values as N×numbers, once they can be judged.

    Raises `NetcfgError`, which names the metric and the signal, where fewer than `least` samples are there,
    or a value is NaN (with `finite`, also where one is infinite).
    """
    if values is None:
        raise NetcfgError(
            f"the metric `{metric}` needs a target\nhelp: write `target = …` in its section", code="NC414"
        )
    if len(values) < least:
        raise NetcfgError(
            f"the metric `{metric}` needs at least {least} samples of `{signal}`, and the split gives "
            f"{len(values)}\nhelp: evaluate on more samples",
            code="NC414",
        )
    expect_numbers(metric, signal, values, finite=finite)
    return values.reshape(len(values), -1)


def expect_numbers(metric: str, signal: str, values: Tensor, *, finite: bool = False) -> None:
    """Raise `NetcfgError` where a value is NaN (with `finite`, also where one is infinite)."""
    if not values.is_floating_point():
        return
    # Whatever is no number is in the sum, in a tenth of the time; a sum may also be none of large numbers.
    total = values.sum()
    if bool(total.isfinite() if finite else ~total.isnan()):
        return
    bad = ~values.isfinite() if finite else values.isnan()
    if bad.any():
        what = "NaN or infinite" if finite else "NaN"
        raise NetcfgError(
            f"the metric `{metric}` has no value: {int(bad.sum())} of the {values.numel()} numbers of "
            f"`{signal}` are {what}\n"
            "help: the networks have diverged, or the data hold such numbers: look at the losses of the epochs "
            "before, and try a smaller learning rate or `clip_grad_norm`",
            code="NC414",
        )


# --- decisions


def decide(scores: Tensor, decision: Decision, threshold: float) -> Tensor:
    """Which scores count as present: those whose sigmoid (or which themselves) exceed the threshold."""
    return judged(scores, decision) > threshold


def judged(scores: Tensor, decision: Decision) -> Tensor:
    """What a threshold is compared with: the sigmoid of the scores, or they themselves, in single precision."""
    return scores.float().sigmoid() if decision == "probability" else scores.float()


@dataclass(frozen=True)
class Counts:
    """Right and wrong decisions per label. Shapes: (A), whole numbers."""

    true_positive: Tensor
    false_positive: Tensor
    false_negative: Tensor

    @staticmethod
    def of(predicted: Tensor, actual: Tensor) -> Counts:
        """Shapes: booleans (N, A) both."""
        hits = (predicted & actual).sum(0)
        return Counts(hits, predicted.sum(0) - hits, actual.sum(0) - hits)

    def f1(self) -> list[Figure]:
        """2 TP / (2 TP + FP + FN) per label; None where nothing is positive, so that nothing could be found."""
        twice = 2 * self.true_positive
        shares = twice.double() / (twice + self.false_positive + self.false_negative).clamp(min=1)
        return known(
            shares.reshape(-1).tolist(), (self.true_positive + self.false_negative).reshape(-1).tolist()
        )

    def total(self) -> Counts:
        """The counts of all labels together."""
        return Counts(self.true_positive.sum(), self.false_positive.sum(), self.false_negative.sum())

    def by_label(self, names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """True positives, false positives and false negatives of each label that has a name."""
        columns = (self.true_positive.tolist(), self.false_positive.tolist(), self.false_negative.tolist())
        return dict(zip(names, zip(*columns, strict=True), strict=False))


def known(figures: Sequence[float], of: Sequence[int]) -> list[Figure]:
    """Figures, and None for those that are of nothing."""
    return [figure if count else None for figure, count in zip(figures, of, strict=True)]


# --- pairs


def share_of_pairs(scores: Tensor, actual: Tensor) -> tuple[list[Figure], Figure]:
    """How many pairs of a positive and a negative are in order: per label, and over the pairs of all labels.

    A tie counts half; without a positive or without a negative there is no share, None. Scores are compared in
    single precision, as networks give them. Time O(n log n).
    Shapes: scores (N, A), booleans (N, A).
    """
    keys = sorted_keys(scores, actual)
    each = _share(keys)
    overall = _share(np.sort(keys, axis=None)[np.newaxis]) if len(keys) > 1 else each
    return each, overall[0]


def sorted_keys(scores_NA: Tensor, actual_NA: Tensor) -> Integers:
    """Each label's `order_keys` from low to high, (A, N)."""
    keys = order_keys(scores_NA.detach().float().numpy().T, actual_NA.numpy().T)
    keys.sort(axis=1)
    return keys


def order_keys(scores: NDArray[np.float32], actual: NDArray[np.bool_]) -> Integers:
    """Scores and labels as whole numbers of the same order: by score, then negatives before positives.

    Sorting numbers is many times faster than finding the order of scores and looking the labels up in it.
    The bits of a float, read as a whole number, have the float's order; negative ones, the opposite order.
    """
    bits = (scores + np.float32(0)).copy("C").view(np.int32)  # -0 + 0 = 0: both zeros are one score
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    return (ordered << 1) | actual


def _share(keys: Integers) -> list[Figure]:
    """The share of pairs in order in each row of sorted keys; None where there is no pair."""
    size = keys.shape[1]
    positive = keys & 1
    positives = positive.sum(1)
    # A positive in place i, the k-th of its kind, has i - k negatives below it or equal to it.
    in_order = positive @ np.arange(size) - positives * (positives - 1) // 2
    pairs = positives * (size - positives)
    share: Floats = (in_order - _ties(keys, positive) / 2) / np.maximum(pairs, 1)
    return known(share.tolist(), pairs.tolist())


def _ties(keys: Integers, positive: Integers) -> Floats:
    """How many pairs have equal scores, in each row of sorted keys."""
    rows, size = keys.shape
    starts_group = np.ones((rows, size), bool)
    np.not_equal(keys[:, 1:] >> 1, keys[:, :-1] >> 1, out=starts_group[:, 1:])
    starts = np.flatnonzero(starts_group)
    sizes = np.diff(starts, append=rows * size)
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    before = np.concatenate([[0], np.cumsum(positive)])
    positives = before[starts + sizes] - before[starts]
    pairs = positives * (sizes - positives)
    return np.bincount(starts // size, weights=pairs, minlength=rows).astype(np.float64, copy=False)


# --- moments


def correlations(x_NC: Tensor, y_ND: Tensor) -> Tensor:
    """The correlation of each component of x with each of y, (C, D); 0 where a component is constant."""
    return _standardised(x_NC).T @ _standardised(y_ND)


def variances(x_NC: Tensor) -> Tensor:
    """The unbiased variance of each component, (C)."""
    return _deviations(x_NC).square_().sum(0) / (len(x_NC) - 1)


def frechet_distance(x_NC: Tensor, y_MC: Tensor) -> tuple[float, float]:
    """The squared Fréchet distance of two normal distributions that have the means and covariances of x and y.

    In two parts: that of the means, and that of the covariances.
    """
    means = (x_NC.double().mean(0) - y_MC.double().mean(0)).square().sum()
    of_x, of_y = _covariance(x_NC), _covariance(y_MC)
    # tr (S T)^½ by a matrix that is symmetric, whose eigenvalues rounding cannot make complex.
    values, vectors = torch.linalg.eigh(of_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    both = torch.linalg.eigvalsh(root @ of_y @ root).clamp(min=0).sqrt().sum()
    return float(means), float((of_x.trace() + of_y.trace() - 2 * both).clamp(min=0))


def _covariance(x_NC: Tensor) -> Tensor:
    """The unbiased covariances of components, (C, C)."""
    deviations = _deviations(x_NC)
    return deviations.T @ deviations / (len(x_NC) - 1)


def _standardised(x_NC: Tensor) -> Tensor:
    """Centred columns of length 1 (0 where constant). The factors of unbiased estimates cancel out."""
    deviations = _deviations(x_NC)
    length = deviations.square().sum(0).sqrt()
    return deviations.div_(length.masked_fill(length == 0, 1))


def _deviations(x_NC: Tensor) -> Tensor:
    """Columns less their mean, in double precision; a constant one is exactly 0, as its first value goes first."""
    shifted = x_NC.double() - x_NC[0].double()
    return shifted.sub_(shifted.mean(0))
