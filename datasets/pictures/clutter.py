"""A drawn room with things in it, for what lies behind a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.opencv import cv2

Image = NDArray[np.uint8]


def room(rng: np.random.Generator, clutter: int, side: int = 112) -> Image:
    """A blurred room with `clutter` things in it, side×side×3."""
    corners = np.clip(rng.uniform(40, 215) + rng.normal(0, 15, (2, 2, 3)), 10, 245).astype(np.float32)
    image = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    for _ in range(clutter):
        _draw_thing(image, rng, side)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.6, 3.0))), np.uint8)


def _draw_thing(image: Image, rng: np.random.Generator, side: int) -> None:
    colour = (rng.uniform(25, 225) + rng.normal(0, 26, 3)).clip(5, 250).tolist()
    kind = int(rng.integers(3))
    first, second = rng.integers(0, side, 2).tolist(), rng.integers(0, side, 2).tolist()
    if kind == 0:
        cv2.rectangle(image, first, second, colour, -1)
    elif kind == 1:
        cv2.circle(image, first, int(rng.integers(4, side // 4)), colour, -1, cv2.LINE_AA)
    else:
        cv2.line(image, first, second, colour, int(rng.integers(1, 7)), cv2.LINE_AA)
