"""The mean squared difference."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.base import Comparison, compare
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class Mse(Comparison, name="mse"):
    """Squared difference, the mean over all numbers.

    Shapes: equal ones.
    Source: PyTorch's `mse_loss`.
    Example::

        [mse]
        input = Regressor
        target = intensities
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", *shapes)

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.step.losses import Mse as Module

        return Module()
