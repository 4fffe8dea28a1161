"""Decisions over a whole split: thresholds that are searched for, and decisions smoothed over time.

Legend: N samples, A labels (action units), T thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from netcfg.source import NetcfgError
from netcfg.trainers.judging.scores import order_keys, sorted_keys

THRESHOLDS = 200
"""How many are tried, evenly from 0.01 to 0.99, both included."""


# --- thresholds


@dataclass(frozen=True)
class Search:
    """F1 of every label at every threshold tried, where a score of at least the threshold counts as present.

    Shapes: `thresholds` (T), `f1` (A, T): NaN where it is 0 / 0, because nothing present was found.
    """

    thresholds: Tensor
    f1: Tensor

    @staticmethod
    def over(scores_NA: Tensor, actual_NA: Tensor) -> Search:
        """Try all thresholds; time O(A (N + T) log N)."""
        thresholds = np.linspace(0.01, 0.99, THRESHOLDS).astype(np.float32)
        keys = sorted_keys(scores_NA, actual_NA)
        marks = order_keys(thresholds, np.zeros(THRESHOLDS, bool))
        below = np.stack([np.searchsorted(row, marks) for row in keys])
        present_below = np.pad(np.cumsum(keys & 1, axis=1), ((0, 0), (1, 0)))
        positives = present_below[:, -1:]
        hits = positives - np.take_along_axis(present_below, below, axis=1)
        f1 = 2.0 * hits / np.maximum(positives + keys.shape[1] - below, 1)
        f1[hits == 0] = np.nan
        return Search(torch.from_numpy(thresholds), torch.from_numpy(f1))

    def best(self) -> Tensor:
        """The first threshold with the highest F1 of each label, (A); where none has one, the first of all."""
        return self.thresholds[self.f1.nan_to_num(-1.0).argmax(1)]

    def first_undefined(self) -> Tensor:
        """The first threshold at which F1 is 0 / 0, or where there is none the best, (A).

        What a search by `argmax` finds in F1 computed as 2 P R / (P + R): NaN counts as the maximum.
        """
        undefined = self.f1.isnan()
        first = undefined.float().argmax(1)
        return torch.where(undefined.any(1), self.thresholds[first], self.best())


# --- time


def median_filtered(decisions_NA: Tensor, window: int, clips_N: Tensor | None) -> Tensor:
    """The centred rolling median of decisions; near the ends of a clip it is that of the nearest whole window.

    A clip shorter than the window stays as it is. Without clips all samples are one.
    Shapes: booleans (N, A), whole numbers (N) -> booleans (N, A). Source: AUNets' evaluation.
    """
    if window == 1:
        return decisions_NA
    half, size = window // 2, len(decisions_NA)
    starts, ends = _borders(clips_N, size)
    is_long = ends - starts >= window
    if not bool(is_long.any()):
        return decisions_NA
    place = torch.arange(size)
    first = torch.minimum((place - half).maximum(starts), ends - window)  # of the nearest whole window
    smooth = _majorities(decisions_NA, window).index_select(1, first.clamp(0, size - window)).T
    return torch.where(is_long[:, None], smooth, decisions_NA)


def _majorities(decisions_NA: Tensor, window: int) -> Tensor:
    """Whether more than half of the decisions from each one on are positive, (A, N - window + 1)."""
    sums = decisions_NA.T.contiguous().cumsum(1, dtype=torch.int32)
    sums = functional.pad(sums, (1, 0))
    return sums[:, window:] - sums[:, :-window] > window // 2


def _borders(clips_N: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """Where each sample's clip begins, and where it has ended, (N) both."""
    if clips_N is None:
        return torch.zeros(size, dtype=torch.long), torch.full((size,), size)
    numbers = clips_N.reshape(-1)
    starts_clip = torch.ones(size, dtype=torch.bool)
    starts_clip[1:] = numbers[1:] != numbers[:-1]
    first = starts_clip.nonzero()[:, 0]
    _expect_whole(numbers[first])
    lengths = torch.diff(first, append=torch.tensor([size]))
    ends = lengths.cumsum(0)
    return (ends - lengths).repeat_interleave(lengths), ends.repeat_interleave(lengths)


def _expect_whole(clips: Tensor) -> None:
    """Refuse clips whose frames do not stand together, as nothing could be smoothed over time in them."""
    ordered = clips.sort().values
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(again):
        raise NetcfgError(
            f"the frames of clip {int(again[0])} do not stand together in the split, so that no median over time "
            "can be taken\nhelp: put the frames of a clip next to each other, in their order, or write "
            "`median_window = 1`",
            code="NC414",
        )
