"""A loss of one's own: squared near zero, a straight line beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from netcfg.blocks import Loss, Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class Huber(Loss, name="huber"):
    """Half the squared difference up to `width`, and a straight line beyond: a few wrong targets weigh less.

    Shapes: a signal and a target of the same shape.
    Source: Huber, "Robust estimation of a location parameter", 1964.
    Example::

        [huber]
        input = Net
        target = labels
        width = 0.5
    """

    input: str = Field(description="the signal: a network, or `Network.output`")
    target: str = Field(description="the signal or data field it is compared with")
    width: Annotated[float, Field(gt=0)] = Field(1.0, description="the difference at which the line begins")

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

        return nn.HuberLoss(delta=self.width)
