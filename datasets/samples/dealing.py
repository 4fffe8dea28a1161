"""Samples dealt to splits: by shares or folds, alike for each class, by a seed; groups of them are never divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Dealing:
    """How samples become splits: the shares of the validation and the test split, or `folds` of which one is tested.

    A share of 0 leaves a split out. `validation` is then a share of what is not tested.
    """

    validation: float
    test: float
    folds: int | None = None
    fold: int = 0
    seed: int = 0


def dealt(
    classes: NDArray[np.int64], dealing: Dealing, groups: NDArray[np.int64] | None = None
) -> NDArray[np.int8]:
    """The number in `SPLITS` of each of N samples, by its class and, where these are given, its group (N each).

    Each class is dealt by itself, so that all splits show it. A group goes to one split as a whole.
    """
    deal = _dealt_one_by_one if groups is None else _dealt_in_groups
    random = np.random.default_rng(dealing.seed)
    if dealing.folds is None:
        shares = (1 - dealing.validation - dealing.test, dealing.validation, dealing.test)
        return deal(classes, shares, groups, random).astype(np.int8)
    folds = deal(classes, (1 / dealing.folds,) * dealing.folds, groups, random)
    tested = folds == dealing.fold
    found = np.where(tested, 2, 0).astype(np.int8)
    rest = np.flatnonzero(~tested)
    own = None if groups is None else groups[rest]
    found[rest] = deal(classes[rest], (1 - dealing.validation, dealing.validation), own, random)
    return found


def _dealt_one_by_one(
    classes: NDArray[np.int64],
    shares: Sequence[float],
    groups: NDArray[np.int64] | None,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    found = np.zeros(len(classes), np.int64)
    # One sort for all classes: `order` holds the samples class by class, each class in an order drawn at random.
    order = np.lexsort((random.random(len(classes)), classes))
    _, starts, counts = np.unique(classes[order], return_index=True, return_counts=True)
    for number, (start, count) in enumerate(zip(starts, counts, strict=True)):
        sizes = _sizes(int(count), shares, number)
        found[order[start : start + count]] = np.repeat(np.arange(len(shares)), sizes)
    return found


def _sizes(count: int, shares: Sequence[float], number: int) -> NDArray[np.int64]:
    """How many of a class each part has: about its share, and one at least where it has one and there are enough.

    Where there are too few, the first parts have them. `number` is that of the class: what a division leaves goes to
    other parts in each.
    """
    wanted = np.array(shares) * count
    # 0.29 of 100 are 28.999…96 in binary: a share that comes out even must not lose one by that.
    sizes = np.floor(wanted + 1e-9).astype(np.int64)
    remainders = np.roll(wanted - sizes, -number)
    left = np.argsort(-remainders, kind="stable")[: count - int(sizes.sum())]
    sizes[(left + number) % len(shares)] += 1
    for part in np.flatnonzero((sizes == 0) & (np.array(shares) > 0)):
        largest = int(sizes.argmax())
        if sizes[largest] > 1:
            sizes[largest] -= 1
            sizes[part] += 1
    if sizes[0] == 0 and len(shares) <= len(SPLITS):  # nothing is learned of what only a test shows
        largest = int(sizes.argmax())
        sizes[largest] -= 1
        sizes[0] += 1
    return sizes


def _dealt_in_groups(
    classes: NDArray[np.int64],
    shares: Sequence[float],
    groups: NDArray[np.int64] | None,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Large groups first, each to the part that is farthest from its share of the classes that the group shows."""
    assert groups is not None
    _, group_of = np.unique(groups, return_inverse=True)
    _, class_of = np.unique(classes, return_inverse=True)
    count, kinds = int(group_of.max(initial=-1)) + 1, int(class_of.max(initial=-1)) + 1
    table = np.zeros((count, kinds))
    np.add.at(table, (group_of, class_of), 1)
    # What a part still lacks of each class; a group that is given to it takes its own away, below zero if need be.
    wanted = np.array(shares)[:, None] * table.sum(axis=0)
    part_of = np.zeros(count, np.int64)
    # Large groups first, as they find no place later; among those of one size chance decides, by a sort that keeps it.
    order = random.permutation(count)
    order = order[np.argsort(-table[order].sum(axis=1), kind="stable")]
    taken = np.zeros(len(shares))
    scale = np.maximum(table.sum(axis=0), 1)
    for place, group in enumerate(order.tolist()):
        own = table[group]
        gap = ((wanted * own) / scale).sum(axis=1)
        # As many groups as parts are left: each part that has none yet is given one.
        if count - place <= int(((taken == 0) & (np.array(shares) > 0)).sum()):
            gap = np.where((taken == 0) & (np.array(shares) > 0), gap + scale.sum(), gap)
        part = int(gap.argmax())
        part_of[group] = part
        wanted[part] -= own
        taken[part] += 1
    return part_of[group_of]
