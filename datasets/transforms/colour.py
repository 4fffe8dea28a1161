"""The callables behind colour jitter and noise: on uint8 pictures, for speed with OpenCV's own loops.

Like all transforms of samples they give a new dict and change no array. A clip is changed frame by frame, with
one draw. Legend: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sample = dict[str, NDArray[Any]]
Picture = NDArray[np.uint8]
Range = tuple[float, float]

_HUE = 3
GREY = np.array([0.299, 0.587, 0.114])
"""What red, green and blue add to the grey of a picture (ITU-R 601, as in Pillow and torchvision)."""


@dataclass(frozen=True)
class JitterSample:
    """Change brightness, contrast, saturation and hue at random, the same for all pictures of a sample.

    Each step rounds and clips to 8 bits, as torchvision's does on such pictures, to within one level.
    """

    pictures: tuple[str, ...]
    probability: float
    brightness: Range
    contrast: Range
    saturation: Range
    hue: Range = (0.0, 0.0)
    any_order: bool = True

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample, jittered or as it was."""
        if random.random() >= self.probability:
            return sample
        ranges = (self.brightness, self.contrast, self.saturation)
        factors = [random.uniform(*limits) for limits in ranges]
        if any(self.hue):  # else not drawn, so that what is drawn beside it does not hang on it
            factors.append(random.uniform(*self.hue))
        steps = len(factors)
        order = random.permutation(steps).tolist() if self.any_order else list(range(steps))
        changed = {name: jittered(sample[name], factors, order) for name in self.pictures if name in sample}
        return sample | changed


def jittered(picture: Picture, factors: list[float], order: list[int]) -> Picture:
    """The picture after brightness (0), contrast (1), saturation (2) and hue (3) by their factors, in some order."""
    if picture.ndim == 4:
        return np.stack([jittered(frame, factors, order) for frame in picture])
    from netcfg.datasets.pictures.opencv import cv2

    picture = np.ascontiguousarray(picture)
    for step in order:
        if step == _HUE:
            picture = turned(picture, factors[step])
        else:
            picture = cv2.transform(picture, _matrix(picture, step, factors[step], cv2))
    return picture


def turned(picture: Picture, turn: float) -> Picture:
    """The picture with its colours turned by a part of their circle, from red over green to blue."""
    from netcfg.datasets.pictures.opencv import cv2

    # In floats: the 8-bit circle has 180 places only.
    hsv = cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + np.float32(360 * turn)) % np.float32(360)
    return np.asarray(np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255), np.uint8)


def _matrix(picture: Picture, step: int, factor: float, cv2: Any) -> NDArray[np.float64]:
    """A step as a matrix on (red, green, blue, 1): a way from black, from the mean grey, from each grey."""
    matrix = np.zeros((3, 4))
    matrix[:, :3] = np.eye(3) * factor
    if step == 1:
        matrix[:, 3] = (1 - factor) * float(GREY @ cv2.mean(picture)[:3])
    elif step == 2:
        matrix[:, :3] += (1 - factor) * GREY
    return matrix


@dataclass(frozen=True)
class NoiseSample:
    """Copy a picture, with normal noise: its deviation is drawn from 0 to `amount` (of the range 0 to 1).

    The copy is clipped and rounded to 8 bits. Without `amount` it is a plain copy.
    """

    input: str
    output: str
    amount: float

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with the copy."""
        if self.input not in sample:
            return sample
        picture = sample[self.input]
        if self.amount:
            picture = noisy(picture, random.uniform(0, self.amount), random)
        return sample | {self.output: picture}


def noisy(picture: Picture, deviation: float, random: np.random.Generator) -> Picture:
    """round(picture + 255 · deviation · N(0, 1)), clipped.

    A level is a whole number, so only the rounded noise matters, and that is looked up: by 16 random bits in
    a table of its values, each as often in it as it is likely.
    """
    from netcfg.datasets.pictures.opencv import cv2

    # Too strong for the 8 bits, sign included, of the table below.
    if 255 * deviation * _quantiles()[-1] > 127:
        noise = np.rint(255 * deviation * random.standard_normal(picture.shape, np.float32)).astype(np.int16)
    else:
        table = np.rint(255 * deviation * _quantiles()).astype(np.int8)
        words = random.bit_generator.random_raw(-(-picture.size // 4))  # four times 16 bits
        numbers = words.view(np.uint16)[: picture.size]
        noise = np.take(table, numbers, mode="clip").reshape(picture.shape)  # clip: no look for larger ones
    wide = (-1, picture.shape[-1] * picture.shape[-2])  # OpenCV takes no clips
    sum = cv2.add(np.ascontiguousarray(picture).reshape(wide), noise.reshape(wide), dtype=cv2.CV_8U)
    return np.asarray(sum).reshape(picture.shape)


@cache
def _quantiles() -> NDArray[np.float32]:
    """The standard normal distribution as 65,536 equally likely values, ascending."""
    import torch

    middle = (torch.arange(65_536, dtype=torch.float64) + 0.5) / 65_536
    return np.asarray(torch.special.ndtri(middle).float())
