"""The mean absolute difference."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.comparing import Comparing

if TYPE_CHECKING:
    from torch import nn


class L1(Comparing, name="l1"):
    """Absolute difference, the mean over all numbers.

    Shapes: equal ones.
    Source: AUDetNet's reconstruction loss.
    Example::

        [l1]
        input = Regressor
        target = intensities
    """

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import L1 as Module

        return Module(**self.shared())
