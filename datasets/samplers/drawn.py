"""Samples as draws want them: with the face box moved, or mirrored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.samples import Draw, MovableSamples, Sample, Samples, SampleTable
from netcfg.datasets.samples.table_samples import moved
from netcfg.datasets.transforms.geometry import FlipSample
from netcfg.source import NetcfgError


class Drawing:
    """Makes the sample of a draw.

    Where samples cannot be cut out of their frames anew (`MovableSamples`), a moved box shows what of it lies in the
    picture, as a box is clipped at the edge of a frame. `kinds` are those of their fields.
    Errors: `NetcfgError` for landmarks, which would stay where they are.
    """

    def __init__(self, samples: Samples, kinds: Mapping[str, str]) -> None:
        self.samples = samples
        self._has_landmarks = bool({"landmarks", "mask"} & set(kinds.values()))
        self._pictures, self._flows = (
            tuple(name for name in kinds if kinds[name] == kind) for kind in ("image", "flow")
        )
        self._flip = FlipSample(self._pictures, self._flows, (), size=(0, 0), probability=1.0)
        # FlipSample wants one; with a probability of 1 it does not matter.
        self._random = np.random.default_rng(0)

    def expect_possible(self, draws: Sequence[Draw], sampler: Sampler) -> None:
        """Refuse draws of a sampler that would leave landmarks behind."""
        if self._has_landmarks and any(is_changed(draw) for draw in draws):
            raise NetcfgError(
                f"[{sampler.type_name}] moves and mirrors pictures, not landmarks or masks\n"
                "help: [horizontal_flip] mirrors both",
                code="NC502",
            )

    def sample(self, draw: Draw) -> Sample:
        """The sample, moved and mirrored as the draw says."""
        if draw.jitter is None:
            sample = self.samples[draw.sample]
        elif isinstance(self.samples, MovableSamples):
            sample = self.samples.jittered(draw.sample, draw.jitter)
        else:
            sample = self._moved(self.samples[draw.sample], draw.jitter)
        return self._flip(sample, self._random) if draw.mirrored else sample

    def _moved(self, sample: Sample, jitter: int) -> Sample:
        changed = {
            name: _moved_within(sample[name], jitter, nearest=name in self._flows)
            for name in (*self._pictures, *self._flows)
            if name in sample
        }
        return sample | changed


class Drawn:
    """A map-style data set: a list of draws in the place of another one's samples."""

    def __init__(self, samples: Samples, draws: Sequence[Draw], kinds: Mapping[str, str]) -> None:
        self.samples = samples
        self.draws = draws
        self._kinds = kinds
        self._drawing = Drawing(samples, kinds)
        self._table: SampleTable | None = None

    def __len__(self) -> int:
        return len(self.draws)

    def __getitem__(self, index: int) -> Sample:
        return self._drawing.sample(self.draws[index])

    @property
    def table(self) -> SampleTable:
        """What is known of each draw's sample; names say what was done to it."""
        if self._table is None:
            table = self.samples.table.rows([draw.sample for draw in self.draws])
            names = [name + change_words(draw) for name, draw in zip(table.ids, self.draws, strict=True)]
            self._table = replace(table, ids=tuple(names), has_copies=any(map(is_changed, self.draws)))
        return self._table

    def only(self, fields: Sequence[str]) -> Drawn:
        """The same draws of samples with other fields."""
        return Drawn(self.samples.only(fields), self.draws, self._kinds)


def is_changed(draw: Draw) -> bool:
    """Whether it is another sample than the one in the list."""
    return draw.jitter is not None or draw.mirrored


def change_words(draw: Draw) -> str:
    """What was done to a sample: ` moved 0 mirrored`."""
    return ("" if draw.jitter is None else f" moved {draw.jitter}") + (" mirrored" if draw.mirrored else "")


def drawn(samples: Samples, draws: Sequence[Draw], kinds: Mapping[str, str], sampler: Sampler) -> Samples:
    """The samples in the order of a sampler's list; themselves where that shows each of them once, unchanged.

    Errors: `NetcfgError` for landmarks that would be left behind.
    """
    if list(draws) == [Draw(index) for index in range(len(samples))]:
        return samples
    listed = Drawn(samples, draws, kinds)
    Drawing(samples, kinds).expect_possible(draws, sampler)
    return listed


def _moved_within(picture: NDArray[Any], jitter: int, nearest: bool) -> NDArray[Any]:
    height, width = picture.shape[:2]
    return moved(picture, jitter, (height, width), nearest)
