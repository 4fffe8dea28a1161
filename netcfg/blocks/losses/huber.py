"""The Huber loss."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import Comparing, Positive

if TYPE_CHECKING:
    from torch import nn


class Huber(Comparing, name="huber"):
    """Half the squared difference up to `delta`, from there on `delta` times its size: outliers pull no harder.

    Shapes: equal ones.
    Source: Huber, "Robust Estimation of a Location Parameter", 1964; PyTorch's `huber_loss`.
    Example::

        [huber]
        input = Regressor
        target = intensities
    """

    delta: Positive = Option(1.0, description="the difference from which on the loss is a line")

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import Huber as Module

        return Module(self.delta, **self.shared())
