"""Adagrad."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.changing import plain
from netcfg.blocks.optimizers.base import Groups, Optimizer

if TYPE_CHECKING:
    import torch


class Adagrad(Optimizer, name="adagrad"):
    """Steps divided by the root of the sum of all squared gradients so far: what seldom changes takes long steps.

    A network's own `learning_rate` holds as for [adam]; its `beta1` and `beta2` belong to Adam and are not read.
    Schedules, accumulation and groups are those of [adam].
    Source: Duchi, Hazan, Singer 2011, in PyTorch's form.
    Example::

        [adagrad]
        networks = Net
        minimise = classification
        learning_rate = 0.01
    """

    default_rate: ClassVar[float] = 1e-2

    lr_decay: Annotated[float, Option(ge=0)] = Option(
        0.0, description="the learning rate of update n is divided by 1 + (n - 1) times this"
    )
    initial_accumulator_value: Annotated[float, Option(ge=0)] = Option(
        0.0, description="what the sum of squares begins with"
    )
    eps: Annotated[float, Option(gt=0)] = Option(1e-10, description="keeps the division away from zero")

    def state_size(self) -> int:
        """The sum of squares."""
        return 1

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Adagrad`, all parameters at once."""
        import torch

        return torch.optim.Adagrad(
            self.parameter_groups(groups),
            lr_decay=self.lr_decay,
            initial_accumulator_value=self.initial_accumulator_value,
            eps=self.eps,
            weight_decay=plain(self.weight_decay),
            foreach=True,
        )
