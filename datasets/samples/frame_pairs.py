"""What a data set of frames of clips tells about its samples, so that motion can be found between them.

A source whose samples are frames of clips says `has_clips = True`; the data set that its `open` returns then has
the methods of `ClipSamples`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

WholeFrame = Callable[[], NDArray[np.uint8]]


class FramePair(NamedTuple):
    """Two frames of a clip that follow each other: a sample's own and the next one.

    The last frame of a clip has none after it, and so has the pair of the frame before.

    `key` identifies their content: path, size and time of change of both files, or seed and place.
    `first`, `second` give the whole frames, uint8 H×W×3, RGB; they are called only where the motion is not known yet.
    `crop` is the box (first row, row after the last, first column, column after the last) that the sample shows of
    its frame; None for all of it.
    """

    key: str
    first: WholeFrame
    second: WholeFrame
    crop: tuple[int, int, int, int] | None = None


@runtime_checkable
class ClipSamples(Protocol):
    """A map-style data set of frames of clips."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]: ...

    def pair(self, index: int) -> FramePair:
        """The frames whose motion belongs to a sample."""
        ...

    def clip_of(self, index: int) -> tuple[object, ...]:
        """Subject, clip and frame of a sample."""
        ...
