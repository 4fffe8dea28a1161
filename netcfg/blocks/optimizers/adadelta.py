"""Adadelta."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.changing import plain
from netcfg.blocks.optimizers.base import Groups, Momentum, Optimizer

if TYPE_CHECKING:
    import torch


class Adadelta(Optimizer, name="adadelta"):
    """Steps as large as the steps before them, divided by the root of the mean squared gradient.

    The steps find their own size: `learning_rate = 1` is the paper's, and what is written here, or in a network's
    [net], multiplies it. Schedules, accumulation and groups are those of [adam].
    Source: Zeiler 2012, in PyTorch's form.
    Example::

        [adadelta]
        networks = Net
        minimise = classification
        learning_rate = 1
    """

    default_rate: ClassVar[float] = 1.0

    rho: Momentum = Option(0.9, description="how long both mean squares last")
    eps: Annotated[float, Option(gt=0)] = Option(1e-6, description="keeps the division away from zero")

    def state_size(self) -> int:
        """The mean squares of gradients and of steps."""
        return 2

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Adadelta`, all parameters at once; torch has no fused one."""
        import torch

        return torch.optim.Adadelta(
            self.parameter_groups(groups),
            rho=self.rho,
            eps=self.eps,
            weight_decay=plain(self.weight_decay),
            foreach=True,
        )
