"""Some operations, of any kind, all equally strong."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.by_policy import ByPolicy

if TYPE_CHECKING:
    from netcfg.datasets.transforms.policies import Operation, Ranges

LEVELS = 30


class RandAugment(ByPolicy, name="rand_augment"):
    """Change each sample by a few operations out of 14, drawn anew, all equally strong.

    They shear, shift or turn the sample, with masks, flow and landmarks, or change brightness, colour, contrast,
    sharpness or levels of its pictures.
    Source: Cubuk et al., "RandAugment", 2019, as torchvision has it.
    Example::

        [rand_augment]
        operations = 2
        magnitude = 9
    """

    operations: Annotated[int, Option(ge=1, le=32)] = Option(2, description="how many, one after another")
    magnitude: Annotated[int, Option(ge=0, le=LEVELS)] = Option(
        9, description=f"how strong they are, of {LEVELS}"
    )

    def policy(self) -> "tuple[Callable[..., list[Operation]], Ranges]":
        """Any, of one strength."""
        from netcfg.datasets.transforms.policies import RAND, Rand

        return Rand(self.operations, self.magnitude / LEVELS), RAND
