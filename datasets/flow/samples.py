"""Samples of a source with their optical flow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.flow.cache import FlowCache
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.samples.frame_pairs import ClipSamples, FramePair
from netcfg.source import NetcfgError

Sample = dict[str, NDArray[Any]]
Size = tuple[int, int]


class FlowSamples:
    """A map-style data set: another one's samples, each with the field `flow`, uint8 H×W×3.

    `size` (height, width) is that of the pictures; None: each as large as what it shows of its frame. Flow found
    before is taken from the cache. Whatever else the other data set can tell, this one tells, too.
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
        sample: Sample = self.samples[index]
        return {**sample, "flow": self._flow(self.samples.pair(index))}

    def __getattr__(self, name: str) -> Any:
        if name == "samples":  # while it is unpickled
            raise AttributeError(name)
        found = getattr(self.samples, name)
        return self._jittered if name == "jittered" else found

    def _jittered(self, index: int, jitter: int | None) -> Sample:
        """A sample with its face box moved, and the flow in the moved box, of data that can move it."""
        samples: Any = self.samples
        return {**samples.jittered(index, jitter), "flow": self._flow(samples.pair(index, jitter))}

    def _flow(self, pair: FramePair) -> NDArray[np.uint8]:
        key = f"{self.pictures.key} {self.size} {pair.crop} {pair.key}"
        kept = None if self.cache is None else self.cache.read(key)
        if kept is not None:
            return kept
        found = fitted(self.pictures(pair.first(), pair.second()), pair.crop, self.size)
        if self.cache is not None:
            self.cache.write(key, found)
        return found


def fitted(
    picture: NDArray[np.uint8], crop: tuple[int, int, int, int] | None, size: Size | None
) -> NDArray[np.uint8]:
    """The part of a flow picture inside `crop`, scaled to `size` without mixing pixels, as AUNets does.

    Raises `NetcfgError` for a box outside the picture.
    """
    if crop is not None:
        top, bottom, left, right = crop
        height, width = picture.shape[:2]
        picture = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if not picture.size:
            raise NetcfgError(
                f"a face's rows {top} to {bottom} and columns {left} to {right} lie outside of its frame of "
                f"{height}×{width}"
            )
    if size is None or picture.shape[:2] == size:
        return np.ascontiguousarray(picture)
    from netcfg.datasets.pictures.opencv import cv2

    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_NEAREST))
