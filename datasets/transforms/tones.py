"""Changes of what pictures look like, each place by itself or with its neighbours: nothing moves.

Pictures are uint8 H×W×C, clips T×H×W×C. Where torchvision has a function, it is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from netcfg.blocks.samples import Sample
from netcfg.datasets.transforms.moves import drawn_window, size_in

Picture = NDArray[np.uint8]


class Tone(Protocol):
    """Changes a picture, or all frames of a clip."""

    def __call__(self, picture: Picture) -> Picture: ...


class Drawer(Protocol):
    """Draws a change for pictures of a size (height, width)."""

    def __call__(self, size: tuple[int, int], random: np.random.Generator) -> Tone: ...


@dataclass(frozen=True)
class ToneSample:
    """Change all pictures of a sample by one draw, or leave them, by chance."""

    pictures: tuple[str, ...]
    probability: float
    drawer: Drawer

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample, changed or as it was."""
        names = [name for name in self.pictures if name in sample]
        # Drawn in any case: what is drawn later must not hang on which fields somebody reads.
        if random.random() >= self.probability or not names:
            return sample
        tone = self.drawer(size_in(sample, tuple(names), (), (0, 0)), random)
        return sample | {name: tone(sample[name]) for name in names}


@dataclass(frozen=True)
class Always:
    """The same change each time."""

    tone: Tone

    def __call__(self, size: tuple[int, int], random: np.random.Generator) -> Tone:
        """It."""
        return self.tone


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur, `side` pixels wide and high, of a deviation drawn from a range."""

    side: int
    sigma: tuple[float, float]

    def __call__(self, size: tuple[int, int], random: np.random.Generator) -> Tone:
        """With its deviation."""
        return Blurred(self.side, random.uniform(*self.sigma))


@dataclass(frozen=True)
class Blurred:
    """A Gaussian blur."""

    side: int
    sigma: float

    def __call__(self, picture: Picture) -> Picture:
        """The picture, mirrored at its edges."""
        if picture.ndim == 4:
            return np.stack([self(frame) for frame in picture])
        from netcfg.datasets.pictures.opencv import cv2

        blurred = cv2.GaussianBlur(
            np.ascontiguousarray(picture),
            (self.side, self.side),
            self.sigma,
            borderType=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(blurred).reshape(picture.shape)


@dataclass(frozen=True)
class Torchvision:
    """A function of `torchvision.transforms.v2.functional` on bytes, with its further arguments."""

    function: str
    arguments: tuple[float | int, ...] = ()

    def __call__(self, picture: Picture) -> Picture:
        """What it makes of the picture."""
        from torchvision.transforms.v2 import functional

        call: Any = getattr(functional, self.function)
        tensor = torch.from_numpy(np.ascontiguousarray(picture)).movedim(-1, -3)
        made: Picture = call(tensor, *self.arguments).movedim(-3, -1).numpy()
        return made


@dataclass(frozen=True)
class Erasing:
    """A rectangle of so much of the area, of a shape within limits, filled with one level, or with noise."""

    scale: tuple[float, float]
    ratio: tuple[float, float]
    value: int | None

    def __call__(self, size: tuple[int, int], random: np.random.Generator) -> Tone:
        """With its place."""
        # A seed in the place of the noise, as the pictures of a sample may have other numbers of frames and channels.
        seed = int(random.integers(0, 2**32)) if self.value is None else 0
        return Erased(drawn_window(size, self.scale, self.ratio, random), self.value, seed)


@dataclass(frozen=True)
class Erased:
    """A rectangle filled with a level, or with noise by a seed."""

    window: tuple[int, int, int, int]
    value: int | None
    seed: int

    def __call__(self, picture: Picture) -> Picture:
        """The picture without what was there."""
        top, left, height, width = self.window
        erased = picture.copy()
        place = erased[..., top : top + height, left : left + width, :]
        if self.value is None:
            random = np.random.default_rng(self.seed)
            place[...] = random.integers(0, 256, place.shape, dtype=np.uint8)
        else:
            place[...] = self.value
        return erased
