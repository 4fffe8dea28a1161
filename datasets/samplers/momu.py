"""MOMU: which frames an epoch shows, so that frequent action units do not drown rare ones.

Classes are the action units and `neutral`, the frames that show none. Every class keeps a set of frames that
are left; a frame that is drawn leaves the sets of all its classes. Legend: N frames, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Draw, SampleTable
from netcfg.source import NetcfgError

NEUTRAL = "neutral"

Frames = NDArray[np.intp]
Take = Callable[[Frames, int], Frames]
"""How to take so many frames out of those that are left (ascending)."""


class Momu:
    """The lists of frames of one epoch after the other.

    `labels` is N×units, a unit is shown above `active_above`. Sets persist from epoch to epoch. An epoch depends
    on the seed and its number alone: one that is not the next is found by going through those before it.

    Errors: `NetcfgError` for a class that no frame or too few frames show.
    Source: AUDetNet, its multi-label sampling.
    """

    def __init__(
        self,
        labels: NDArray[np.float32],
        epoch_size: int,
        sampling_size: int,
        *,
        active_above: float = 0.5,
        names: Sequence[str] = (),
        seed: int = 0,
        draw: Take | None = None,
    ) -> None:
        active = labels > np.float32(active_above)  # in float32, where 2/5 is not above 0.4
        self.member = np.column_stack([active, ~active.any(1)])
        self.names = (*(names or [f"unit {unit + 1}" for unit in range(labels.shape[1])]), NEUTRAL)
        self.epoch_size = epoch_size
        self.sampling_size = sampling_size
        self.seed = seed
        self.classes: list[int] = []
        """The classes that the last epoch drew from, in order."""
        self._draw = draw
        self._frames = [np.flatnonzero(column) for column in self.member.T]
        self._check_classes()
        self._restart()

    def _check_classes(self) -> None:
        for name, frames in zip(self.names, self._frames, strict=True):
            unit = name if name != NEUTRAL else "no action unit"
            if not len(frames):
                remedy = "" if name == NEUTRAL else f"leave {name} out of the action units, or "
                raise NetcfgError(
                    f"[momu] draws frames of every class, and no training frame shows {unit}\n"
                    f"help: {remedy}leave [momu] out",
                    code="NC502",
                )
            if len(frames) < self.sampling_size:
                raise NetcfgError(
                    f"[momu] draws {self.sampling_size} frames of a class at a time, and only {len(frames)} "
                    f"training {'frame shows' if len(frames) == 1 else 'frames show'} {unit}\n"
                    f"help: a `sampling_size` of at most {len(frames)}",
                    code="NC502",
                )

    def _restart(self) -> None:
        self._next = 0
        self._left = np.ones(len(self.member), bool)  # a frame is in all sets of its classes, or in none
        self._sizes = self.member.sum(0)

    @property
    def set_sizes(self) -> list[int]:
        """How many frames each class has left."""
        return [int(size) for size in self._sizes]

    def epoch(self, number: int) -> Frames:
        """The frames of an epoch, in the order they were drawn; later calls for earlier epochs start over."""
        if number < self._next:
            self._restart()
        for _ in range(self._next, number):
            self._one_epoch()
        return self._one_epoch()

    def _one_epoch(self) -> Frames:
        # The last number spells MOMU: others that draw by seed and epoch draw something else.
        random = np.random.default_rng((self.seed, self._next, 0x4D4F4D55))
        counts = np.zeros(len(self.names), np.int64)
        # Of several equal classes the first, here and below, as in the original.
        chosen = int(np.argmin(self._sizes))
        drawn, self.classes = [], []
        for _ in range(self.epoch_size // self.sampling_size):
            self.classes.append(chosen)
            frames = self._take(chosen, random)
            counts += self.member[frames].sum(0)
            drawn.append(frames)
            chosen = int(np.argmin(counts))
        self._next += 1
        return np.concatenate(drawn)

    def _take(self, chosen: int, random: np.random.Generator) -> Frames:
        """Frames of a class, out of all their sets; a class with too few left first gets all of its back."""
        full = self._frames[chosen]
        if self._sizes[chosen] < self.sampling_size:
            # All of the class, and into the sets of all their classes.
            back = full[~self._left[full]]
            self._left[back] = True
            self._sizes = self._sizes + self.member[back].sum(0)
        frames = self._some_left(chosen, random)
        self._left[frames] = False
        self._sizes = self._sizes - self.member[frames].sum(0)
        return frames

    def _some_left(self, chosen: int, random: np.random.Generator) -> Frames:
        full, wanted = self._frames[chosen], self.sampling_size
        if self._draw is None and self._sizes[chosen] > 16 * wanted:
            # Going through large sets takes long: the first different ones of a few blind draws are as good.
            blind = full[random.integers(0, len(full), 4 * wanted * len(full) // self._sizes[chosen])]
            hits = blind[self._left[blind]]
            first = np.sort(np.unique(hits, return_index=True)[1])[:wanted]
            if len(first) == wanted:
                return np.asarray(hits[first])
        left = full[self._left[full]]
        if self._draw is not None:
            return self._draw(left, wanted)
        return np.asarray(left[random.choice(len(left), wanted, replace=False)])


def chosen_frames(
    table: SampleTable,
    field: str,
    epoch_size: int,
    sampling_size: int,
    active_above: float,
    *,
    epoch: int,
    seed: int,
) -> list[Draw]:
    """The frames that an epoch shows, by a field of labels, in the order they were drawn."""
    return [
        Draw(frame)
        for frame in _momu(table, field, epoch_size, sampling_size, active_above, seed).epoch(epoch).tolist()
    ]


@lru_cache(maxsize=4)
def _momu(
    table: SampleTable, field: str, epoch_size: int, sampling_size: int, active_above: float, seed: int
) -> Momu:
    """The lists of a table: kept, as an epoch goes on from what the one before it left."""
    names = table.names.get(field, ())
    return Momu(
        table.labels[field], epoch_size, sampling_size, active_above=active_above, names=names, seed=seed
    )
