"""Folders of drawn shapes of odd sizes, one folder a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

FLOWERS = ("daisy", "rose", "tulip")


def flower(kind: str, random: np.random.Generator, least: int = 24, most: int = 72) -> np.ndarray:
    """A disc, a square or a star on another colour, H×W×3, between `least` and `most` pixels a side."""
    height, width = random.integers(least, most, 2)
    picture = np.full((height, width, 3), random.integers(150, 255, 3), np.uint8)
    centre = int(width / 2 + random.integers(-3, 4)), int(height / 2 + random.integers(-3, 4))
    radius = int(min(height, width) * random.uniform(0.25, 0.42))
    colour = [int(value) for value in random.integers(0, 140, 3)]
    if kind == "rose":
        cv2.circle(picture, centre, radius, colour, -1)
    elif kind == "tulip":
        corners = [(centre[0] + sign * radius, centre[1] + sign * radius) for sign in (-1, 1)]
        cv2.rectangle(picture, *corners, colour, -1)
    else:
        for angle in np.arange(6) * np.pi / 3 + random.uniform(0, 0.3):
            end = int(centre[0] + radius * np.cos(angle)), int(centre[1] + radius * np.sin(angle))
            cv2.line(picture, centre, end, colour, max(2, radius // 6))
    return picture


def write_flowers(root: Path, each: int, kinds: Sequence[str] = FLOWERS, seed: int = 0) -> Path:
    """So many pictures of each, as `rose/1.jpg`."""
    random = np.random.default_rng(seed)
    for kind in kinds:
        (root / kind).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            cv2.imwrite(str(root / kind / f"{number + 1}.jpg"), flower(kind, random))
    return root
