"""Samples by how near their embeddings lie to each other.

Legend: N samples, F features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

_PORTION = 4_000_000
"""Distances at a time."""


def nearness(
    embeddings: Tensor, distance: str, apart: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Portions of samples, their numbers and how near each lies to all, (n, N).

    To itself, and to those with the same number in `apart` (N), it is infinitely far.
    """
    values = embeddings.float()
    if distance == "cosine":
        values = torch.nn.functional.normalize(values, dim=1)
    size = len(values)
    for numbers in torch.split(torch.arange(size), max(1, _PORTION // max(size, 1))):
        near = values[numbers] @ values.T
        if distance != "cosine":
            near = -torch.cdist(values[numbers], values)
        near[torch.arange(len(numbers)), numbers] = -torch.inf
        if apart is not None:
            near.masked_fill_(apart[numbers][:, None] == apart, -torch.inf)
        yield numbers, near


def nearest_class(
    embeddings: Tensor, classes: Tensor, k: int, distance: str, apart: Tensor | None = None
) -> Tensor:
    """The class of most of the `k` nearest others, among equals that of the nearest one, (N); -1 without any."""
    answers = torch.full_like(classes, -1)
    k = min(k, len(classes) - 1)
    if k < 1:
        return answers
    for numbers, near in nearness(embeddings, distance, apart):
        nearest = near.topk(k, dim=1)
        # Where fewer than k are left, those infinitely far have no class, and no vote.
        found = classes[nearest.indices].masked_fill(nearest.values == -torch.inf, -1)
        votes = (found[:, :, None] == found[:, None, :]).sum(2).double()
        # Of classes with as many votes the one whose first member lies nearest.
        votes -= torch.arange(k) / (k + 1)
        votes.masked_fill_(found < 0, -1.0)
        answers[numbers] = found.gather(1, votes.argmax(1, keepdim=True))[:, 0]
    return answers


def retrieved(
    embeddings: Tensor, classes: Tensor, first: tuple[int, ...], distance: str, apart: Tensor | None = None
) -> Tensor:
    """Of each sample the average precision of the others, nearest first, and whether the first hold one of its class.

    NaN where no other is of its class. Shape: (N, 1 + len(first)).
    """
    found = torch.full((len(classes), 1 + len(first)), torch.nan, dtype=torch.float64)
    for numbers, near in nearness(embeddings, distance, apart):
        # Those infinitely far come last, the sample itself among them.
        sorted_, order = (part[:, :-1] for part in _nearest_first(near))
        alike = ((classes[order] == classes[numbers][:, None]) & (sorted_ > -torch.inf)).double()
        total = alike.sum(1)
        places = torch.arange(1, alike.shape[1] + 1, dtype=torch.float64)
        precision = (alike.cumsum(1) / places * alike).sum(1) / total
        hits = [alike[:, :count].amax(1) if alike.shape[1] else total for count in first]
        rows = torch.stack([precision, *hits], 1)
        found[numbers] = torch.where(total[:, None] > 0, rows, torch.nan)
    return found


def _nearest_first(near: Tensor) -> tuple[Tensor, Tensor]:
    """The same numbers sorted and their places, equal ones in their order. Shape: (n, N)."""
    # NumPy's unstable sort takes a fifth of the time; only rows with equal numbers show that it is that.
    order = torch.from_numpy(np.argsort(-near.numpy(), axis=1))
    sorted_ = near.gather(1, order)
    equal = ((sorted_[:, 1:] == sorted_[:, :-1]) & (sorted_[:, 1:] > -torch.inf)).any(1)
    if equal.any():
        sorted_[equal], order[equal] = near[equal].sort(dim=1, descending=True, stable=True)
    return sorted_, order
