"""What hangs on the order of scores, whatever the samples' weights.

Legend: B weights, N samples, U different scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_POINTS = 200
"""Of a curve: more cannot be seen."""


@dataclass(frozen=True)
class Ranked:
    """How much of each score is positive and negative, from the lowest score to the highest: (B, U)."""

    positive: Tensor
    negative: Tensor

    @classmethod
    def of(cls, scores: Tensor, positive: Tensor, weights: Tensor) -> Ranked:
        """Shapes: scores (N), truths (N), weights (B, N)."""
        levels, place = torch.unique(scores, return_inverse=True)
        empty = torch.zeros(len(weights), len(levels), dtype=torch.float64)
        is_positive = positive.double()
        return cls(
            empty.index_add(1, place, weights * is_positive),
            empty.index_add(1, place, weights * (1 - is_positive)),
        )

    def auc(self) -> Tensor:
        """How many pairs of a positive and a negative are in order, a tie counts half; NaN without a pair, (B)."""
        below = self.negative.cumsum(1) - self.negative
        pairs = self.positive.sum(1) * self.negative.sum(1)
        return (self.positive * (below + self.negative / 2)).sum(1) / torch.where(pairs > 0, pairs, torch.nan)

    def average_precision(self) -> Tensor:
        """The mean over positives of the precision at their score; NaN without a positive, (B)."""
        found, called = self._from_above()
        total = self.positive.sum(1)
        precision = found / called.clamp(min=1e-12)
        return (self.positive.flip(1) * precision).sum(1) / torch.where(total > 0, total, torch.nan)

    def roc(self) -> tuple[list[float], list[float]]:
        """False alarms and what is found, as shares, of the first weights."""
        found, called = self._from_above()
        wrong = called - found
        x, y = wrong[0] / wrong[0, -1], found[0] / found[0, -1]
        return _thinned(torch.cat([x.new_zeros(1), x]), torch.cat([y.new_zeros(1), y]))

    def precision_recall(self) -> tuple[list[float], list[float]]:
        """What is found, and how much of what is called so is right, of the first weights."""
        found, called = self._from_above()
        return _thinned(found[0] / found[0, -1], found[0] / called[0])

    def _from_above(self) -> tuple[Tensor, Tensor]:
        """How many positives, and how many of all, have at least each score, from the highest, (B, U)."""
        found = self.positive.flip(1).cumsum(1)
        return found, found + self.negative.flip(1).cumsum(1)


def _thinned(x: Tensor, y: Tensor) -> tuple[list[float], list[float]]:
    if len(x) > MOST_POINTS:
        chosen = torch.linspace(0, len(x) - 1, MOST_POINTS).round().long()
        x, y = x[chosen], y[chosen]
    return x.tolist(), y.tolist()
