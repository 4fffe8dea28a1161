"""RAdam."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.changing import plain
from netcfg.blocks.optimizers.adaptive import Betas
from netcfg.blocks.optimizers.base import Groups

if TYPE_CHECKING:
    import torch


class RAdam(Betas, name="radam"):
    """Adam that steps by its mean gradient alone until it has seen enough to know the mean square: no warm-up.

    Learning rates, betas, schedules, accumulation and groups are those of [adam].
    Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020.
    Example::

        [radam]
        networks = Net
        minimise = classification
        learning_rate = 1e-3
    """

    decoupled_weight_decay: bool = Option(
        False, description="weights shrink whatever the gradients, as under [adamw]"
    )

    def state_size(self) -> int:
        """The means of gradients and of their squares."""
        return 2

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.RAdam`, all parameters at once; torch has no fused one."""
        import torch

        return torch.optim.RAdam(
            self.parameter_groups(groups),
            eps=self.eps,
            weight_decay=plain(self.weight_decay),
            decoupled_weight_decay=self.decoupled_weight_decay,
            foreach=True,
        )
