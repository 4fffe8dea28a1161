"""Normalisation."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Count, ShapeError, expect_known
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape, show


class BatchNorm(Block, name="batch_norm"):
    """Zero mean and unit variance per channel over the batch, then a learned scale and shift.

    Shapes: C×H×W or F, unchanged.
    Parameters: `weight`, `bias`; buffers `running_mean`, `running_var`.
    Source: AUDetNet, README, `[batch_norm]`.
    Example::

        [batch_norm]           # 6x8x8 -> 6x8x8
        num_features = 6
        eps = 1e-3
    """

    family: ClassVar[str] = "normalisation"
    joins_box: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("F", "C", "CHW")

    num_features: Count | None = Field(None, description="channels of its input, checked where given")
    eps: Annotated[float, Field(gt=0)] = Field(1e-5, description="added to the variance")
    momentum: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="weight of a new batch in the statistics"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the channels agree."""
        if len(inputs[0]) not in (1, 3):
            raise ShapeError(f"needs an image (C×H×W) or a vector, and is given {show(inputs[0])}")
        channels = expect_known(inputs[0][0], "its channels")
        if self.num_features is not None and self.num_features != channels:
            raise ShapeError(
                f"normalises {self.num_features} channels, and is given {channels} ({show(inputs[0])})",
                help=f"write `num_features = {channels}`, or leave it out",
                option="num_features",
            )
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """A scale and a shift per channel."""
        channels = inputs[0][0]
        assert isinstance(channels, int)
        return 2 * channels

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def label(self) -> str:
        """What is added to the variance, where that is not the usual number."""
        return "" if self.eps == type(self).model_fields["eps"].default else f"eps {self.eps:g}"

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from torch import nn

        channels = inputs[0][0]
        assert isinstance(channels, int)
        kind = nn.BatchNorm2d if len(inputs[0]) == 3 else nn.BatchNorm1d
        return made(kind, channels, eps=self.eps, momentum=self.momentum)
