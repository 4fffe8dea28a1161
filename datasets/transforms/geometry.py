"""The callables behind the transforms of `{Data}`, per sample in the workers and per batch on the device.

A sample is a dict of numpy arrays: pictures uint8 H×W×C (clips T×H×W×C), landmarks float32 68×2, x to the
right and y down in pixels, whole numbers at pixel centres. A callable gives a new dict and changes no array.
Legend: H height, W width, C channels, T frames, N samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.samples import Sample
from netcfg.datasets.transforms.moves import resized, size_in

# For each of the 68 points the one on the other side of the face: jaw, brows, nose, eyes, mouth.
MIRRORED_POINTS = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])  # fmt: skip


@dataclass(frozen=True)
class ResizeSample:
    """Scale pictures to `size` (height, width); points move from `source` (height, width) along with them.

    With `shorter` the shorter side becomes that long, and the longer one keeps its proportion.
    """

    pictures: tuple[str, ...]
    points: tuple[str, ...]
    source: tuple[int, int]
    size: tuple[int, int]
    interpolation: str = "auto"
    masks: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    shorter: int | None = None

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample at the new size."""
        if not any(name in sample for name in (*self.pictures, *self.masks, *self.maps, *self.points)):
            return sample
        if self.shorter is not None:
            there = size_in(sample, self.pictures, (*self.masks, *self.maps), self.source)
            return replace(self, shorter=None, size=with_shorter_side(there, self.shorter))(sample, random)
        changed = {name: self._picture(sample[name]) for name in self.pictures if name in sample}
        changed |= {name: self._map(sample[name]) for name in self.maps if name in sample}
        if any(name in sample for name in self.points):
            source = size_in(sample, self.pictures, (*self.masks, *self.maps), self.source)
            changed |= {name: self._points(sample[name], source) for name in self.points if name in sample}
        changed |= {name: self._mask(sample[name]) for name in self.masks if name in sample}
        return sample | changed

    def _picture(self, picture: NDArray[Any]) -> NDArray[Any]:
        if picture.ndim == 4:
            return np.stack([self._picture(frame) for frame in picture])
        if picture.shape[:2] == self.size:
            return picture
        if self.interpolation == "lanczos":
            return _lanczos(picture, self.size)
        from netcfg.datasets.pictures.opencv import cv2

        methods = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}
        shrinks = picture.shape[0] > self.size[0] or picture.shape[1] > self.size[1]
        method = methods.get(self.interpolation, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        # OpenCV gives pictures of one channel back without their axis.
        return np.asarray(cv2.resize(picture, self.size[::-1], interpolation=method)).reshape(
            *self.size, picture.shape[2]
        )

    def _map(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Numbers for each pixel, ...×C×H×W."""
        if maps.ndim > 2:
            return np.stack([self._map(one) for one in maps])
        between = "auto" if self.interpolation == "lanczos" else self.interpolation
        return resized(maps[..., None], self.size, between)[..., 0]

    def _mask(self, mask: NDArray[Any]) -> NDArray[Any]:
        """The nearest class: between two there is none."""
        from netcfg.datasets.pictures.opencv import cv2

        if mask.ndim == 3:
            return np.stack([self._mask(frame) for frame in mask])
        # OpenCV's plain nearest does not go by the centres of pixels, this one does.
        return np.asarray(cv2.resize(mask, self.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))

    def _points(self, points: NDArray[Any], source: tuple[int, int]) -> NDArray[Any]:
        scale = np.array([self.size[1] / source[1], self.size[0] / source[0]], np.float32)
        # Whole numbers are centres of pixels, so that the picture's edges lie at -0.5 and size - 0.5.
        moved: NDArray[Any] = (points + np.float32(0.5)) * scale - np.float32(0.5)
        return moved


def with_shorter_side(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of which the shorter one is `side`, in the proportion of `size`, as torchvision rounds it."""
    height, width = size
    return (side, int(side * width / height)) if height <= width else (int(side * height / width), side)


def _lanczos(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """By Pillow: OpenCV's Lanczos does not smooth where it shrinks."""
    from PIL import Image

    # A picture of one channel has no axis for it there.
    image = Image.fromarray(np.ascontiguousarray(picture[..., 0] if picture.shape[2] == 1 else picture))
    return np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS)).reshape(*size, picture.shape[2])


@dataclass(frozen=True)
class LeastForSize:
    """What a picture may be brought to that will be scaled to a size, or to a shorter side: that."""

    size: tuple[int, int]
    shorter: int | None = None

    def __call__(self, size: tuple[int, int], random: np.random.Generator) -> tuple[float, float]:
        """Height and width."""
        return self.size if self.shorter is None else with_shorter_side(size, self.shorter)


@dataclass(frozen=True)
class FlipSample:
    """Mirror pictures, flow, masks and points together, with one draw for the sample, or one for each frame."""

    pictures: tuple[str, ...]
    flows: tuple[str, ...]
    points: tuple[str, ...]
    size: tuple[int, int]
    probability: float
    each_frame: bool = False
    masks: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    pairs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample, mirrored or as it was."""
        frames = self._frames_of(sample) if self.each_frame else 1
        mirrored = random.random(frames) < self.probability
        if not mirrored.any():
            return sample
        width = 0
        if any(name in sample for name in self.points):
            width = size_in(sample, (*self.pictures, *self.flows), (*self.masks, *self.maps), self.size)[1]
        changed: Sample = {}
        for names, of_a_clip, flipped in (
            (self.pictures, 4, lambda pictures: pictures[..., ::-1, :]),
            (self.flows, 4, flip_flow),
            (self.masks, 3, lambda masks: masks[..., ::-1]),
            (self.maps, 4, lambda maps: maps[..., ::-1]),
        ):
            changed |= {
                name: _where(
                    self._by_frame(mirrored, sample[name], of_a_clip), flipped(sample[name]), sample[name]
                )
                for name in names
                if name in sample
            }
        for name in self.points:
            if name in sample:
                before = sample[name]
                flipped_points = flip_points(before, width, self.pairs.get(name, ()))
                changed[name] = _where(self._by_frame(mirrored, before, 3), flipped_points, before)
        return sample | changed

    @staticmethod
    def _by_frame(mirrored: NDArray[Any], before: NDArray[Any], of_a_clip: int) -> NDArray[Any]:
        """The draws for a field's frames: what is no clip, beside one, goes with the first frame."""
        return mirrored if before.ndim == of_a_clip else mirrored[:1]

    def _frames_of(self, sample: Sample) -> int:
        """How many frames the clip of a sample has; a picture is one."""
        clips = [len(sample[name]) for name in self.pictures if name in sample and sample[name].ndim == 4]
        return max(clips, default=1)


def _where(mirrored: NDArray[Any], after: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
    """All of it mirrored or none where the draws agree; else each frame by its own."""
    if mirrored.all() or not mirrored.any():
        return after if mirrored[0] else before
    return np.where(mirrored.reshape(-1, *(1,) * (before.ndim - 1)), after, before)


def flip_flow(flow: NDArray[Any]) -> NDArray[Any]:
    """Mirror a flow picture and turn its horizontal motion (red) around.

    Red is trunc(255 (w + m) / 2m), so that -w is 254 - red, but for the whole number 255, which becomes 0.
    """
    mirrored = flow[..., ::-1, :].copy()
    red = mirrored[..., 0]
    mirrored[..., 0] = 254 - np.minimum(red, 254)
    return mirrored


def flip_points(points: NDArray[Any], width: int, pairs: tuple[int, ...] = ()) -> NDArray[Any]:
    """Mirror landmarks, or those of each frame, in pictures `width` pixels wide; left and right change places.

    `pairs` gives each point's counterpart; without it they are the 68 of the face.
    """
    mirrored: NDArray[Any] = points[..., list(pairs) if pairs else MIRRORED_POINTS, :].copy()
    mirrored[..., 0] = width - 1 - mirrored[..., 0]
    return mirrored


@dataclass(frozen=True)
class BrightenSample:
    """Multiply pictures by one random factor from 1 - amount to 1 + amount."""

    pictures: tuple[str, ...]
    amount: float

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with brighter or darker pictures."""
        factor = random.uniform(1 - self.amount, 1 + self.amount)
        # Of 8 bits there are 256 values: looked up, which is quicker than arithmetic at every pixel.
        table = np.clip(np.round(np.arange(256) * factor), 0, 255).astype(np.uint8)
        return sample | {name: table[sample[name]] for name in self.pictures if name in sample}


@dataclass(frozen=True)
class NormaliseBatch:
    """(value - mean) / std per channel, in place on fresh float tensors ... C×H×W."""

    pictures: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The batch with normalised pictures."""
        for name in self.pictures:
            if name in batch:
                picture = batch[name]
                picture.sub_(self._column(self.mean, picture)).div_(self._column(self.std, picture))
        return batch

    @staticmethod
    def _column(values: tuple[float, ...], picture: Tensor) -> Tensor:
        return torch.tensor(values, dtype=picture.dtype, device=picture.device).view(-1, 1, 1)
