"""What a field of the data is: its shape, its kind, and the splits it comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field as Option

from netcfg.shapes import Shape, show

FieldKind = Literal["image", "flow", "vector", "class", "landmarks"]
Split = Literal["train", "validation", "test"]
PositiveInt = Annotated[int, Option(gt=0)]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a data field holds, per sample: its shape as a network sees it (images are C×H×W), and its kind.

    `image` is pictures (C×H×W, or T×C×H×W for a clip), `flow` motion as a picture, `class` one number.
    `names` labels the entries of a vector (`AU12`) or the classes of a class field.
    """

    shape: Shape
    kind: FieldKind
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return show(self.shape) if self.shape else "one number"


ImageSize = Annotated[int, Option(ge=16, le=4_096)]
Probability = Annotated[float, Option(ge=0, le=1)]
