"""A transform of one's own: the negative of a picture, now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from netcfg.blocks import FieldSpec, Transform

if TYPE_CHECKING:
    import numpy as np


class Invert(Transform, name="invert"):
    """Turns pictures into their negatives, all those of a sample together.

    Example::

        [invert]
        probability = 0.3
    """

    probability: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="how often")
    when: Literal["train", "always"] = Field("train", description="in training only, or always")

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """What worker processes run, sample by sample: it must be picklable, so no function within a function."""
        pictures = [name for name, spec in fields.items() if spec.kind == "image"]
        chosen = [name for name in pictures if self.only is None or name in self.only]
        return Inverting(tuple(chosen), self.probability)


@dataclass(frozen=True)
class Inverting:
    """Pictures are bytes, with channels last. All chance comes from `random`, so that runs can be repeated."""

    names: tuple[str, ...]
    probability: float

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        if random.random() >= self.probability:
            return sample
        return sample | {name: 255 - sample[name] for name in self.names if name in sample}
