"""A data set of one clip in which everything moves to the right, for tests of optical flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.datasets.flow.samples import fitted


class MovingClip:
    """Three frames; samples show the part of them in `crop`. `decoded` counts how often whole frames were asked for."""

    def __init__(
        self, crop: tuple[int, int, int, int] | None = None, size: tuple[int, int] = (48, 48)
    ) -> None:
        texture = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
        self.frames = [np.roll(np.repeat(texture, 2, 1), 2 * shift, 1) for shift in range(3)]
        self.crop = crop
        self.decoded = 0

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        return {"image": fitted(self.frames[index], self.crop, (24, 24))}

    @property
    def table(self) -> SampleTable:
        return SampleTable(("a", "b", "c"), frames=np.arange(3))

    def only(self, fields: Sequence[str]) -> MovingClip:
        return self

    def with_frames(self) -> MovingClip:
        return self

    def with_flow(self) -> None:
        return None

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        first = min(index, len(self) - 2)
        return FramePair(f"clip {first}", lambda: self._read(first), lambda: self._read(first + 1), self.crop)

    def _read(self, index: int) -> NDArray[np.uint8]:
        self.decoded += 1
        return self.frames[index]
