"""One operation, of any kind and strength."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.by_policy import ByPolicy

if TYPE_CHECKING:
    from netcfg.datasets.transforms.policies import Operation, Ranges


class TrivialAugment(ByPolicy, name="trivial_augment"):
    """Change each sample by one operation out of 14, of a drawn strength: nothing needs to be tuned.

    It shears, shifts or turns the sample, with masks, flow and landmarks, or changes brightness, colour, contrast,
    sharpness or levels of its pictures, more strongly than [rand_augment].
    Source: Müller and Hutter, "TrivialAugment", 2021, the wide ranges, as torchvision has it.
    Example::

        [trivial_augment]
    """

    levels: Annotated[int, Option(ge=2, le=1_000)] = Option(
        31, description="strengths, of which one is drawn"
    )

    def policy(self) -> "tuple[Callable[..., list[Operation]], Ranges]":
        """Any one."""
        from netcfg.datasets.transforms.policies import TRIVIAL, Trivial

        return Trivial(self.levels), TRIVIAL
