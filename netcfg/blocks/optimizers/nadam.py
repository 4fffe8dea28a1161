"""NAdam."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.changing import plain
from netcfg.blocks.optimizers.adaptive import Betas
from netcfg.blocks.optimizers.base import Groups

if TYPE_CHECKING:
    import torch


class NAdam(Betas, name="nadam"):
    """Adam that looks ahead along its mean gradient, as Nesterov's momentum does.

    Learning rates, betas, schedules, accumulation and groups are those of [adam].
    Source: Dozat 2016, in PyTorch's form.
    Example::

        [nadam]
        networks = Net
        minimise = classification
        learning_rate = 2e-3
    """

    default_rate: ClassVar[float] = 2e-3

    momentum_decay: Annotated[float, Option(ge=0)] = Option(
        4e-3, description="how fast the momentum comes up to `beta1`; 0: it is there at half of it, and stays"
    )
    decoupled_weight_decay: bool = Option(
        False, description="weights shrink whatever the gradients, as under [adamw]"
    )

    def state_size(self) -> int:
        """The means of gradients and of their squares."""
        return 2

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.NAdam`, all parameters at once; torch has no fused one."""
        import torch

        return torch.optim.NAdam(
            self.parameter_groups(groups),
            eps=self.eps,
            weight_decay=plain(self.weight_decay),
            momentum_decay=self.momentum_decay,
            decoupled_weight_decay=self.decoupled_weight_decay,
            foreach=True,
        )
