"""What lies behind the head and what the camera adds: background, light over the image, noise."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.scene import Light, Scene
from netcfg.datasets.pictures.clutter import room
from netcfg.datasets.pictures.opencv import cv2

Image = NDArray[np.uint8]

_NOISE_UNIT = 32.0
_NOISE_MARGIN = 61


def background(seed: int, clutter: int, size: int) -> Image:
    """A blurred room with `clutter` things in it: (size, size, 3), the same picture at any size."""
    return np.asarray(
        cv2.resize(_room(seed, clutter), (size, size), interpolation=cv2.INTER_LINEAR), np.uint8
    )


@lru_cache(maxsize=256)
def _room(seed: int, clutter: int, side: int = 112) -> Image:
    rng = np.random.Generator(np.random.Philox(seed))
    return room(rng, clutter, side)


@lru_cache(maxsize=128)
def light_over_image(light: Light, size: int) -> Image:
    """What the lamp's colour and fall-off multiply an image with: (size, size, 3), 128 is 1."""
    place = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    level = 1.0 + light.gradient[0] * 2 * place[None, :] + light.gradient[1] * 2 * place[:, None]
    level -= 0.18 * (place[None, :] ** 2 + place[:, None] ** 2)
    return np.asarray(np.clip(128 * level[..., None] * np.array(light.colour), 0, 255), np.uint8)


def add_noise(image: Image, scene: Scene, grain: int) -> Image:
    """The image with camera noise; `grain` picks the noise."""
    size = image.shape[0]
    pattern = _noise_pattern(size + _NOISE_MARGIN)
    row, column = (
        (grain * 37 + 11) % _NOISE_MARGIN,
        (grain * 23 + 5 * (grain // _NOISE_MARGIN)) % _NOISE_MARGIN,
    )
    patch = pattern[row : row + size, column : column + size]
    strength = scene.noise / _NOISE_UNIT
    return np.asarray(cv2.addWeighted(image, 1.0, patch, strength, -128.0 * strength), np.uint8)


@lru_cache(maxsize=2)
def _noise_pattern(side: int) -> Image:
    rng = np.random.Generator(np.random.Philox(side))
    return np.clip(128.5 + rng.normal(0.0, _NOISE_UNIT, (side, side, 3)), 0, 255).astype(np.uint8)
