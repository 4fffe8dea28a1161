"""What is known of a picture, drawn into it: masks as colours over it, landmarks as points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

COVER = 0.6
"""How much of a mask's colour lies over the picture."""
_POINT = (20, 230, 60)
_LEAST = 96
"""Smaller pictures are enlarged before points are drawn: these keep their size."""


def class_colour(number: int) -> tuple[int, int, int]:
    """A colour for each class, by the bits of its number, the last ones first, as PASCAL VOC has them."""
    red = green = blue = 0
    for place in range(8):
        red |= (number >> 0 & 1) << (7 - place)
        green |= (number >> 1 & 1) << (7 - place)
        blue |= (number >> 2 & 1) << (7 - place)
        number >>= 3
    return red, green, blue


def with_mask(picture: Picture, mask: NDArray[Any], ignore: int | None) -> Picture:
    """A picture H×W×3 with the classes of a mask H×W over it; class 0 stays clear, what is no class is hatched."""
    table = np.array([class_colour(number) for number in range(256)], np.float32)
    colours = table[mask.astype(np.int64) % 256]
    cover = np.where(mask == 0, 0.0, COVER)[..., None]
    drawn = picture * (1 - cover) + colours * cover
    if ignore is not None:
        rows, columns = np.indices(mask.shape)
        hatched = (mask == ignore) & ((rows + columns) % 4 == 0)
        drawn = np.where((mask == ignore)[..., None], picture, drawn)
        drawn[hatched] = 255
    return np.asarray(drawn.round(), np.uint8)


def with_points(picture: Picture, points: NDArray[Any]) -> Picture:
    """A picture H×W×3 with landmarks P×2 (x, y) as dots; a small one is enlarged for it."""
    from netcfg.datasets.pictures.opencv import cv2

    scale = max(1, -(-_LEAST // max(1, min(picture.shape[:2]))))
    drawn = np.ascontiguousarray(picture.repeat(scale, axis=0).repeat(scale, axis=1))
    for x, y in ((np.asarray(points, np.float64) + 0.5) * scale - 0.5).round().astype(int).tolist():
        cv2.circle(drawn, (x, y), max(1, min(drawn.shape[:2]) // 90), _POINT, -1, cv2.LINE_AA)
    return drawn
