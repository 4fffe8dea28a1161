"""Adamax."""

from typing import TYPE_CHECKING, Any, ClassVar

from netcfg.blocks.optimizers.adaptive import Betas
from netcfg.blocks.optimizers.base import Groups

if TYPE_CHECKING:
    import torch


class Adamax(Betas, name="adamax"):
    """Adam whose steps are divided by the largest gradient of late, and not by the root of the mean square.

    Learning rates, betas, schedules, accumulation and groups are those of [adam].
    Source: Kingma and Ba 2015, section 7.1.
    Example::

        [adamax]
        networks = Net
        minimise = classification
        learning_rate = 2e-3
    """

    default_rate: ClassVar[float] = 2e-3

    def state_size(self) -> int:
        """The mean gradient, and the largest."""
        return 2

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Adamax`, all parameters at once; torch has no fused one."""
        import torch

        options: dict[str, Any] = {"eps": self.eps, "weight_decay": self.weight_decay, "foreach": True}
        return torch.optim.Adamax(self.parameter_groups(groups), **options)
