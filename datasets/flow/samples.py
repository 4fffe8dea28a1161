"""Samples of a source with their optical flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import ClipSamples, FramePair, MovableSamples, Sample, Samples, SampleTable
from netcfg.datasets.flow.cache import FlowCache
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.source import NetcfgError

Size = tuple[int, int]
FLOW = "flow"


class FlowSamples:
    """A map-style data set: another one's samples, each with the field `flow`, uint8 H×W×3.

    `size` (height, width) is that of the pictures; None: each as large as what it shows of its frame. Flow found
    before is taken from the cache.
    Errors: `NetcfgError` for frames that do not fit each other.
    """

    def __init__(
        self, samples: ClipSamples, pictures: FlowPictures, size: Size | None, cache: FlowCache | None
    ) -> None:
        self.samples = samples
        self.pictures = pictures
        self.size = size
        self.cache = cache

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return {**self.samples[index], FLOW: self._flow(self.samples.pair(index))}

    @property
    def table(self) -> SampleTable:
        """That of the other one: nothing else is known of them."""
        return self.samples.table

    def only(self, fields: Sequence[str]) -> Samples:
        """The same samples with other fields; the flow is found only where it is one of them."""
        others = self.samples.only([name for name in fields if name != FLOW])
        if FLOW not in fields:
            return others
        assert isinstance(others, ClipSamples)
        return with_found_flow(others, self.pictures, self.size, self.cache)

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample."""
        return self.samples.pair(index, jitter)

    def with_frames(self) -> FlowSamples:
        """Itself: the frames are there, as flow is found between them."""
        return self

    def with_flow(self) -> Samples | None:
        """Itself."""
        return self

    def _flow(self, pair: FramePair) -> NDArray[np.uint8]:
        key = f"{self.pictures.key} {self.size} {pair.crop} {pair.key}"
        kept = None if self.cache is None else self.cache.read(key)
        if kept is not None:
            return kept
        # Found on whole frames and cut out then, as AUNets does: what moves into the box comes from outside
        # it.
        found = fitted(self.pictures(pair.first(), pair.second()), pair.crop, self.size)
        if self.cache is not None:
            self.cache.write(key, found)
        return found


class MovableFlowSamples(FlowSamples):
    """The same of samples that can be cut out anew a little beside: their flow is, too."""

    def jittered(self, index: int, jitter: int | None) -> Sample:
        """A sample with its face box moved, and the flow in the moved box."""
        assert isinstance(self.samples, MovableSamples)
        return {**self.samples.jittered(index, jitter), FLOW: self._flow(self.samples.pair(index, jitter))}


def with_found_flow(
    samples: ClipSamples, pictures: FlowPictures, size: Size | None, cache: FlowCache | None
) -> FlowSamples:
    """Samples with their flow, which move with it where they can be moved."""
    kind = MovableFlowSamples if isinstance(samples, MovableSamples) else FlowSamples
    return kind(samples, pictures, size, cache)


def fitted(
    picture: NDArray[np.uint8], crop: tuple[int, int, int, int] | None, size: Size | None
) -> NDArray[np.uint8]:
    """The part of a flow picture inside `crop`, scaled to `size` without mixing pixels, as AUNets does.

    Raises `NetcfgError` for a box outside the picture.
    """
    if crop is not None:
        top, bottom, left, right = crop
        height, width = picture.shape[:2]
        # A negative number would count from the other end.
        picture = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if not picture.size:
            raise NetcfgError(
                f"a face's rows {top} to {bottom} and columns {left} to {right} lie outside of its frame of "
                f"{height}×{width}",
                code="NC505",
            )
    if size is None or picture.shape[:2] == size:
        return np.ascontiguousarray(picture)
    from netcfg.datasets.pictures.opencv import cv2

    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_NEAREST))
