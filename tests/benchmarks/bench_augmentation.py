"""AUDetNet's augmentation, ours against the way of the original: images per second on one core.

Flip, colour jitter and noise at 256×256. The original's way is Pillow's enhancers through torchvision, then noise
in float64 with numpy. Both in one process, in turns, so that what else the machine does meets both.

Run: python tests/benchmarks/bench_augmentation.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import transforms

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.colour import ColorJitter
from netcfg.blocks.transforms.geometry import HorizontalFlip
from netcfg.blocks.transforms.noise import Noise

SIDE, IMAGES, ROUNDS = 256, 60, 11
FIELDS = {"image": FieldSpec((3, SIDE, SIDE), "image")}

Picture = NDArray[np.uint8]


def originals_way() -> Callable[[Picture], tuple[Picture, Picture]]:
    """Pillow's jitter, numpy's noise."""
    flip = transforms.RandomHorizontalFlip(0.5)
    jitter = transforms.RandomApply(
        [transforms.ColorJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5), saturation=(0, 1.5))], 0.9
    )

    def augment(picture: Picture) -> tuple[Picture, Picture]:
        image = jitter(flip(Image.fromarray(picture)))
        values = np.asarray(image) / 255.0
        values = values + np.random.uniform(0, 0.015) * np.random.normal(size=values.shape)
        return np.asarray(image), np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)

    return augment


def ours() -> Callable[[Picture], tuple[Picture, Picture]]:
    """The sections' own callables."""
    steps = [section.lower(FIELDS) for section in (HorizontalFlip(), ColorJitter(), Noise())]
    count = 0

    def augment(picture: Picture) -> tuple[Picture, Picture]:
        nonlocal count
        count += 1
        random = np.random.default_rng((0, 0, count))
        sample = {"image": picture}
        for step in steps:
            sample = step(sample, random)
        return np.ascontiguousarray(sample["image"]), sample["noisy_image"]

    return augment


def rate(augment: Callable[[Picture], object], pictures: list[Picture]) -> float:
    """Images per second."""
    start = time.perf_counter()
    for picture in pictures:
        augment(picture)
    return len(pictures) / (time.perf_counter() - start)


def main() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    pictures = [
        cv2.GaussianBlur(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 3) for _ in range(IMAGES)
    ]
    ways = originals_way(), ours()
    for way in ways:
        rate(way, pictures[:10])
    pairs = [tuple(rate(way, pictures) for way in ways) for _ in range(ROUNDS)]
    ratio = median(new / old for old, new in pairs)
    print(
        f"flip, jitter and noise at {SIDE}×{SIDE}, one core: {median(new for _, new in pairs):.0f} images/s; "
        f"the original's way: {median(old for old, _ in pairs):.0f} images/s; {ratio:.1f} times as fast "
        f"(from {min(new / old for old, new in pairs):.1f} to {max(new / old for old, new in pairs):.1f})"
    )


if __name__ == "__main__":
    main()
