"""RMSprop."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled, plain
from netcfg.blocks.optimizers.base import Groups, Momentum, Optimizer, is_taken

if TYPE_CHECKING:
    import torch


class RmsProp(Optimizer, name="rmsprop"):
    """Steps divided by the root of the mean squared gradient.

    A network's own `learning_rate` holds as for [adam]; its `beta1` and `beta2` belong to Adam and are not read.
    Schedules and accumulation are those of [adam].
    Source: Hinton, Neural Networks for Machine Learning, lecture 6, 2012; eps outside the root, as in PyTorch.
    Example::

        [rmsprop]
        networks = Critic
        minimise = distance
        learning_rate = 5e-5
        alpha = 0.99
    """

    alpha: Momentum = Option(0.99, description="how long the mean square lasts")
    eps: Annotated[float, Option(gt=0)] = Option(1e-8, description="keeps the division away from zero")
    momentum: Momentum | Scheduled = Option(0.0, description="how much of the last step is taken again")
    centered: bool = Option(False, description="divide by the standard deviation instead")

    def state_size(self) -> int:
        """The mean square, and what `momentum` and `centered` need."""
        return 1 + is_taken(self.momentum) + self.centered

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.RMSprop`, all parameters at once; torch has no fused one."""
        import torch

        return torch.optim.RMSprop(
            self.parameter_groups(groups),
            alpha=self.alpha,
            eps=self.eps,
            momentum=plain(self.momentum),
            centered=self.centered,
            weight_decay=plain(self.weight_decay),
            foreach=True,
        )
