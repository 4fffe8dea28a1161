"""A block of one's own: everything about it stands in this class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from netcfg.blocks import Block, expect_rank
from netcfg.shapes import Shape, Size, volume

if TYPE_CHECKING:
    from torch import nn


class SoftThreshold(Block, name="soft_threshold"):
    """Pulls every number towards zero by a learned amount per channel, and sets the small ones to zero.

    Shapes: C×H×W, unchanged.
    Parameters: `amount`.
    Source: Donoho, "De-noising by soft-thresholding", 1995.
    Example::

        [soft_threshold]       # 8x4x4 -> 8x4x4
        start = 0.1
    """

    start: Annotated[float, Field(ge=0)] = Field(0.1, description="the amount at first")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged; anything but an image is refused, with the place in the cfg file."""
        expect_rank(inputs[0], 3, "an image (C×H×W)")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """One amount per channel."""
        channels = inputs[0][0]
        assert isinstance(channels, int)
        return channels

    def gradient_needs(self) -> frozenset[str]:
        """What it was given: its sign."""
        return frozenset({"input"})

    def kept(self, *inputs: Shape) -> Size:
        """The sign again, and what is left of the numbers' sizes."""
        return 2 * volume(inputs[0])

    def scratch(self, *inputs: Shape) -> Size:
        """The same two at once."""
        return 2 * volume(inputs[0])

    def label(self) -> str:
        """The amount at first."""
        return f"from {self.start:g}"

    def lower(self, *inputs: Shape) -> nn.Module:
        """A small module; torch is imported only when a network is built."""
        import torch
        from torch import Tensor, nn

        class Threshold(nn.Module):
            def __init__(self, channels: int, start: float) -> None:
                super().__init__()
                self.amount = nn.Parameter(torch.full((channels, 1, 1), start))

            def forward(self, x: Tensor) -> Tensor:
                return torch.sign(x) * torch.relu(x.abs() - self.amount)

        return Threshold(self.parameters(*inputs), self.start)
