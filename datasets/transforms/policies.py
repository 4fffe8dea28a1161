"""Augmentation by drawn lists of operations: which ones, how strongly, in what order.

Operations that move anything move all fields of a sample; the others change pictures alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import atan, degrees
from typing import Literal

import numpy as np

from netcfg.blocks.samples import Sample
from netcfg.datasets.transforms.moves import (
    Matrix,
    Move,
    MoveSample,
    Size,
    affine_matrix,
    turned_back,
)
from netcfg.datasets.transforms.tones import Tone, Torchvision

Strength = Callable[[float, Size], float]
"""Of a magnitude from 0 to 1, and a picture's height and width."""


@dataclass(frozen=True)
class Ranges:
    """How strong operations are at a magnitude of 1: parts, parts of a side (or pixels), degrees, bits."""

    shear: float
    translate: float
    translates_pixels: bool
    rotate: float
    factor: float
    bits_lost: int


RAND = Ranges(0.3, 150 / 331, False, 30, 0.9, 4)
"""RandAugment's and AutoAugment's, as torchvision has them."""
TRIVIAL = Ranges(0.99, 32, True, 135, 0.99, 6)
"""TrivialAugment's wide ones."""

SIGNED = (
    *("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"),
    *("Brightness", "Color", "Contrast", "Sharpness"),
)
PLAIN = ("Identity", "Posterize", "Solarize", "AutoContrast", "Equalize")
OPERATIONS = (*SIGNED, *PLAIN)
_FACTORS = {
    "Brightness": "adjust_brightness",
    "Color": "adjust_saturation",
    "Contrast": "adjust_contrast",
    "Sharpness": "adjust_sharpness",
}


@dataclass(frozen=True)
class Operation:
    """One of `OPERATIONS`, or `Invert`, at a magnitude from 0 to 1, forwards or backwards where it has two ways."""

    name: str
    magnitude: float = 0.0
    sign: int = 1


def matrix_of(operation: Operation, size: Size, ranges: Ranges) -> Matrix | None:
    """Where pixels go, 3×3; None for an operation that moves nothing."""
    strength = operation.sign * operation.magnitude
    if operation.name in ("ShearX", "ShearY"):
        lean = degrees(atan(strength * ranges.shear))
        shear = (lean, 0.0) if operation.name == "ShearX" else (0.0, lean)
        # About the picture's first corner, half a pixel before the middle of its first pixel.
        return affine_matrix(size, 0, shear=shear, center=(-0.5, -0.5))
    if operation.name in ("TranslateX", "TranslateY"):
        side = size[1] if operation.name == "TranslateX" else size[0]
        far = int(strength * ranges.translate * (1 if ranges.translates_pixels else side))
        return affine_matrix(size, 0, (far, 0) if operation.name == "TranslateX" else (0, far))
    if operation.name == "Rotate":
        return affine_matrix(size, -strength * ranges.rotate)
    return None


def tone_of(operation: Operation, ranges: Ranges) -> Tone | None:
    """The change of pictures; None for an operation that only moves, or does nothing."""
    name, magnitude = operation.name, operation.magnitude
    if name in _FACTORS:
        return Torchvision(_FACTORS[name], (1 + operation.sign * magnitude * ranges.factor,))
    if name == "Posterize":
        return Torchvision("posterize", (8 - round(magnitude * ranges.bits_lost),))
    if name == "Solarize":
        return Torchvision("solarize", (255 * (1 - magnitude),))
    plain = {"AutoContrast": "autocontrast", "Equalize": "equalize", "Invert": "invert"}
    return Torchvision(plain[name]) if name in plain else None


@dataclass(frozen=True)
class Given:
    """A way that was drawn already."""

    move: Move

    def __call__(self, size: Size, random: np.random.Generator) -> Move:
        """It."""
        return self.move


@dataclass(frozen=True)
class Stay:
    """No move at all, in the place of one that is drawn later."""

    def __call__(self, size: Size, random: np.random.Generator) -> None:
        """None."""


@dataclass(frozen=True)
class Rand:
    """So many operations, each of any kind, all of one magnitude."""

    count: int
    magnitude: float

    def __call__(self, random: np.random.Generator) -> list[Operation]:
        """The operations, in order."""
        names = [OPERATIONS[int(place)] for place in random.integers(0, len(OPERATIONS), self.count)]
        return [Operation(name, self.magnitude, _sign(random)) for name in names]


@dataclass(frozen=True)
class Trivial:
    """One operation of any kind, of any of so many magnitudes."""

    levels: int

    def __call__(self, random: np.random.Generator) -> list[Operation]:
        """The operation."""
        name = OPERATIONS[int(random.integers(0, len(OPERATIONS)))]
        level = int(random.integers(0, self.levels))
        return [Operation(name, level / max(1, self.levels - 1), _sign(random))]


@dataclass(frozen=True)
class Auto:
    """One of the pairs of a policy that was found for a data set, each operation by its probability."""

    policy: Literal["imagenet", "cifar10", "svhn"]

    def __call__(self, random: np.random.Generator) -> list[Operation]:
        """The operations, in order."""
        from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy

        # Its tables are the library's: 75 rows of names, probabilities and levels from 0 to 9.
        pairs = AutoAugment(AutoAugmentPolicy(self.policy))._policies
        pair = pairs[int(random.integers(0, len(pairs)))]
        drawn = [(*row, random.random(), _sign(random)) for row in pair]
        return [
            Operation(name, (level or 0) / 9, sign) for name, likely, level, chance, sign in drawn if chance <= likely
        ]  # fmt: skip


def _sign(random: np.random.Generator) -> int:
    return 1 if random.random() < 0.5 else -1


@dataclass(frozen=True)
class PolicySample:
    """Change a sample by drawn operations; `mover` says which fields move, and how."""

    draw: Callable[[np.random.Generator], list[Operation]]
    ranges: Ranges
    mover: MoveSample

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample after all of them."""
        mover = self.mover
        if not any(name in sample for name in mover.names):
            return sample
        for operation in self.draw(random):
            size = mover.size_in(sample)
            matrix = matrix_of(operation, size, self.ranges)
            tone = tone_of(operation, self.ranges)
            if matrix is not None:
                move = Move(size, back=turned_back(matrix))
                sample = replace(mover, way=Given(move))(sample, random)
            elif tone is not None:
                sample = sample | {name: tone(sample[name]) for name in mover.pictures if name in sample}
        return sample
