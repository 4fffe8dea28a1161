"""The mean squared difference."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.comparing import Comparing

if TYPE_CHECKING:
    from torch import nn


class Mse(Comparing, name="mse"):
    """Squared difference, the mean over all numbers.

    Shapes: equal ones.
    Source: PyTorch's `mse_loss`.
    Example::

        [mse]
        input = Regressor
        target = intensities
    """

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import Mse as Module

        return Module(**self.shared())
