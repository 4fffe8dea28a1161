"""The smooth absolute difference."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import Comparing, Positive

if TYPE_CHECKING:
    from torch import nn


class SmoothL1(Comparing, name="smooth_l1"):
    """The absolute difference, but a parabola within `beta` of the target: [huber] over `delta`.

    Shapes: equal ones.
    Source: Girshick, "Fast R-CNN", 2015, equation 3; PyTorch's `smooth_l1_loss`.
    Example::

        [smooth_l1]
        input = Regressor
        target = intensities
    """

    beta: Positive = Option(1.0, description="the difference up to which the loss is a parabola")

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import SmoothL1 as Module

        return Module(self.beta, **self.shared())
