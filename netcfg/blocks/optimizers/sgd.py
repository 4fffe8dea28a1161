"""Stochastic gradient descent."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled, plain
from netcfg.blocks.optimizers.base import Groups, Momentum, Optimizer, is_taken

if TYPE_CHECKING:
    import torch


class Sgd(Optimizer, name="sgd"):
    """Stochastic gradient descent, with momentum where wanted.

    A network's own `learning_rate` holds as for [adam]; its `beta1` and `beta2` belong to Adam and are not read.
    Schedules and accumulation are those of [adam].
    Source: Sutskever et al. 2013, in PyTorch's form.
    Example::

        [sgd]
        networks = Net
        minimise = classification
        learning_rate = 0.1
        momentum = 0.9
        nesterov = True
        weight_decay = 5e-4
        schedule = multistep
        milestones = 60, 120, 160
        gamma = 0.2
    """

    momentum: Momentum | Scheduled = Option(0.0, description="how much of the last step is taken again")
    nesterov: bool = Option(False, description="look ahead along the momentum")
    dampening: Annotated[float, Option(ge=0, le=1)] = Option(
        0.0, description="what part of the gradient the momentum leaves out"
    )

    def conflict(self) -> str | None:
        """Nesterov's step is made of momentum."""
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            return "has `nesterov`, which needs a `momentum` above 0 and no `dampening`"
        if self.dampening and self.momentum == 0:
            return "has `dampening`, which needs a `momentum` above 0"
        return super().conflict()

    def state_size(self) -> int:
        """The last step, where it is taken again."""
        return int(is_taken(self.momentum))

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.SGD`, fused."""
        import torch

        return torch.optim.SGD(
            self.parameter_groups(groups),
            momentum=plain(self.momentum),
            dampening=self.dampening,
            nesterov=self.nesterov,
            weight_decay=plain(self.weight_decay),
            fused=True,
        )
