"""A loss of one's own: for targets that count something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from netcfg.blocks import Loss, Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class Poisson(Loss, name="poisson"):
    """How unlikely counts are where the network gives the logarithms of how many are to be expected.

    Shapes: a signal and a target of the same shape.
    Source: PyTorch's `PoissonNLLLoss`.
    Example::

        [poisson]
        input = Net
        target = labels
        full = True
    """

    input: str = Field(description="the signal: a network, or `Network.output`")
    target: str = Field(description="the signal or data field it is compared with")
    full: bool = Field(False, description="with what hangs on the target alone, which changes no gradient")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Refuse what cannot be subtracted."""
        input, target = shapes
        if input != target:
            raise ShapeError(
                f"compares {input} with {target}", help="let the last block give the target's shape"
            )

    def lower(self) -> nn.Module:
        """Torch has it; the mean over all numbers is the scalar."""
        from torch import nn

        return nn.PoissonNLLLoss(full=self.full)
