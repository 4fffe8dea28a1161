"""Pairs of operations that were found for a data set."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field as Option

from netcfg.blocks.transforms.by_policy import ByPolicy

if TYPE_CHECKING:
    from netcfg.datasets.transforms.policies import Operation, Ranges


class AutoAugment(ByPolicy, name="auto_augment"):
    """Change each sample by one of 25 pairs of operations that were found to help on a data set.

    They shear, shift or turn the sample, with masks, flow and landmarks, or change brightness, colour, contrast,
    sharpness or levels of its pictures.
    Source: Cubuk et al., "AutoAugment", 2018, by torchvision's tables.
    Example::

        [auto_augment]
        found_for = cifar10
    """

    found_for: Literal["imagenet", "cifar10", "svhn"] = Option(
        "imagenet", description="the data set that the pairs were found for"
    )

    def policy(self) -> "tuple[Callable[..., list[Operation]], Ranges]":
        """One of the pairs."""
        from netcfg.datasets.transforms.policies import RAND, Auto

        return Auto(self.found_for), RAND
