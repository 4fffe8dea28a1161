"""Images filtered by what is given, not learned: blurred, and made larger."""

from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Reach, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.windows import window
from netcfg.shapes import Shape, Size, show, volume
from netcfg.words import counted

Line = tuple[Annotated[int, Field(gt=0, le=1000)], ...]
LONGEST = 8


class FirUpsample(Block, name="fir_upsample"):
    """A larger image: zeros between its pixels, then a filter along each axis that fills them in.

    With the filter 1, 3, 3, 1 it is bilinear interpolation within the image; at its borders there are zeros beyond.
    Shapes: C×H×W -> C×(scale_factor · H)×(scale_factor · W).
    Parameters: none; buffer `kernel`, the filter, which no file holds.
    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020: its skip connections.
    Example::

        [fir_upsample]         # 3x8x8 -> 3x16x16
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "upsampling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    scale_factor: Annotated[int, Field(ge=2, le=LONGEST)] = Field(2, description="how many times larger")
    filter: Line = Field(
        (1, 3, 3, 1), description="along each axis; made to add up to 1, for each pixel of the input"
    )

    def conflict(self) -> str | None:
        """A filter that reaches from one pixel to the next."""
        if not self.scale_factor <= len(self.filter) <= LONGEST:
            return (
                f"has a `filter` of {counted(len(self.filter), 'number')}; to be {self.scale_factor} times larger it "
                f"takes {self.scale_factor} to {LONGEST}"
            )
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """So many times as large."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image (C×H×W), and is given {show(inputs[0])}")
        channels, height, width = inputs[0]
        return (channels, height * self.scale_factor, width * self.scale_factor)

    def _tall(self, *inputs: Shape) -> Size:
        """Numbers after the filter along the height, its ends included."""
        channels, height, width = inputs[0]
        return channels * ((height - 1) * self.scale_factor + len(self.filter)) * width

    def macs(self, *inputs: Shape) -> Size:
        """Each pixel times the filter along the height, then each of these along the width."""
        return (volume(inputs[0]) + self._tall(*inputs)) * len(self.filter)

    def kept(self, *inputs: Shape) -> Size:
        """What was filtered along the height alone: PyTorch keeps what a convolution read."""
        return self._tall(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given, for the same reason."""
        return frozenset({"input"})

    def scratch(self, *inputs: Shape) -> Size:
        """What is filtered along the height alone, and the ends that are cut off."""
        channels, _, width = self.shape(*inputs)
        return self._tall(*inputs) + channels * (2 * self.scale_factor + len(self.filter)) * width

    def reach(self, *inputs: Shape) -> Reach:
        """The pixels below the filter."""
        pixels = -(-len(self.filter) // self.scale_factor)
        return Reach(pixels, Fraction(1, self.scale_factor), Fraction(pixels // 2))

    def lower(self, *inputs: Shape) -> Made:
        """A transposed convolution along each axis."""
        from netcfg.builder.modules.fir import FirUpsample as Module

        return made(Module, self.filter, self.scale_factor)

    def label(self) -> str:
        """The factor."""
        return f"×{self.scale_factor}"


class Blur(Block, name="blur"):
    """A filter along each axis, the same for all channels: before an image is taken at every second pixel, say.

    Shapes: C×H×W -> C×H'×W', H' = H + 2 · pad - n + 1 with a `filter` of n numbers; beyond the borders are zeros.
    Parameters: none; buffer `kernel`, the filter, which no file holds.
    Source: Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019; StyleGAN2's critic.
    Example::

        [blur]                 # 8x9x9 -> 8x10x10
        pad = 2
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    filter: Line = Field((1, 3, 3, 1), description="along each axis; made to add up to 1")
    pad: Annotated[int, Field(ge=0, le=LONGEST)] = Field(0, description="border on each side, in pixels")

    def conflict(self) -> str | None:
        """A filter of a length that the kernels know."""
        if len(self.filter) > LONGEST:
            return f"has a `filter` of {counted(len(self.filter), 'number')}, and takes {LONGEST} at most"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """As many places as the filter has."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image (C×H×W), and is given {show(inputs[0])}")
        channels, height, width = inputs[0]
        kernel = len(self.filter)
        return (
            channels,
            window(height, kernel, 1, self.pad, "height"),
            window(width, kernel, 1, self.pad, "width"),
        )

    def _tall(self, *inputs: Shape) -> Size:
        """Numbers after the filter along the height."""
        channels, height, _ = self.shape(*inputs)
        return channels * height * inputs[0][2]

    def macs(self, *inputs: Shape) -> Size:
        """The filter for each number after the height, and for each after the width."""
        return (self._tall(*inputs) + volume(self.shape(*inputs))) * len(self.filter)

    def kept(self, *inputs: Shape) -> Size:
        """What was filtered along the height alone: PyTorch keeps what a convolution read."""
        return self._tall(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given, for the same reason."""
        return frozenset({"input"})

    def scratch(self, *inputs: Shape) -> Size:
        """What is filtered along the height alone."""
        return self._tall(*inputs)

    def reach(self, *inputs: Shape) -> Reach:
        """The filter."""
        return Reach.of_window(len(self.filter), 1, self.pad)

    def lower(self, *inputs: Shape) -> Made:
        """A convolution along each axis."""
        from netcfg.builder.modules.fir import Blur as Module

        return made(Module, self.filter, self.pad)

    def label(self) -> str:
        """The filter."""
        return ", ".join(map(str, self.filter))
