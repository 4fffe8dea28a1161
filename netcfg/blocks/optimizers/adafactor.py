"""Adafactor."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.changing import plain
from netcfg.blocks.optimizers.base import Groups, Optimizer

if TYPE_CHECKING:
    import torch


class Adafactor(Optimizer, name="adafactor"):
    """Steps divided by the root of a mean square that is kept by rows and columns alone: hardly any memory.

    A step is at most `learning_rate` and 1/√n at update n, times the size of the weights it changes (or 0.001). A
    network's own `learning_rate` holds as for [adam]; its `beta1` and `beta2` belong to Adam and are not read.
    Schedules, accumulation and groups are those of [adam]; weight decay is that of [adamw].
    Source: Shazeer and Stern 2018, in PyTorch's form.
    Example::

        [adafactor]
        networks = Net
        minimise = classification
        learning_rate = 0.01
    """

    default_rate: ClassVar[float] = 1e-2
    state_differs: ClassVar[bool] = True

    beta2_decay: Annotated[float, Option(lt=0)] = Option(
        -0.8, description="mean squares of update n take in n to this power of the new one"
    )
    clip: Annotated[float, Option(ge=1)] = Option(
        1.0, description="steps whose root mean square is larger than this are scaled down to it"
    )

    def state_size(self) -> int:
        """The mean square of each number of a vector; of matrices a row and a column of it."""
        return 1

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Adafactor`, all parameters at once; torch has no fused one."""
        import torch

        return torch.optim.Adafactor(
            self.parameter_groups(groups),
            beta2_decay=self.beta2_decay,
            d=self.clip,
            weight_decay=plain(self.weight_decay),
            foreach=True,
        )
