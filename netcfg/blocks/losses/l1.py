"""The mean absolute difference."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.base import Comparison, compare
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class L1(Comparison, name="l1"):
    """Absolute difference, the mean over all numbers.

    Shapes: equal ones.
    Source: AUDetNet's reconstruction loss.
    Example::

        [l1]
        input = Regressor
        target = intensities
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", *shapes)

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.step.losses import L1 as Module

        return Module()
