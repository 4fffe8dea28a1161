"""Making feature maps smaller and larger."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, Kernel, Reach, ShapeError, expect_rank, window, window_arithmetic
from netcfg.shapes import Shape, Size, volume


def _pooled(shape: Shape, size: int, stride: int, pad: int) -> Shape:
    expect_rank(shape, 3, "an image (C×H×W)")
    if 2 * pad > size:
        raise ShapeError(f"pads {pad}, more than half its pool of {size}", argument=None, option="pad")
    channels, height, width = shape
    return (channels, window(height, size, stride, pad, "height"), window(width, size, stride, pad, "width"))


class MaxPool(Block, name="maxpool"):
    """The largest number of each window.

    Shapes: C×H×W -> C×H'×W', H' = (H + 2·pad - pool_size) // stride + 1.
    Source: AUDetNet, README, `[maxpool]`.
    Example::

        [maxpool]              # 6x8x8 -> 6x4x4
        pool_size = 2
        stride = 2
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    pool_size: Kernel = Field(description="window side, in pixels")
    stride: Kernel = Field(description="step between windows, in pixels")
    pad: Annotated[int, Field(ge=0)] = Field(0, description="border that never wins, in pixels")

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the stride."""
        return _pooled(inputs[0], self.pool_size, self.stride, self.pad)

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def reach(self, *inputs: Shape) -> Reach:
        """Its window."""
        return Reach.of_window(self.pool_size, self.stride, self.pad)

    def arithmetic(self, *inputs: Shape) -> str:
        """The windows along both axes."""
        return window_arithmetic(inputs[0], self.pool_size, self.stride, self.pad)

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.max_pool2d({names[0]}, {self.pool_size}, {self.stride}, {self.pad})"

    def scratch(self, *inputs: Shape) -> Size:
        """Where the largest numbers are, in eight bytes each."""
        return volume(self.shape(*inputs)) * 2

    def kept(self, *inputs: Shape) -> Size:
        """The same, for the gradient."""
        return self.scratch(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def label(self) -> str:
        """Window and stride."""
        return f"{self.pool_size}×{self.pool_size}, stride {self.stride}"


class AvgPool(Block, name="avgpool"):
    """The mean of each window.

    Shapes: C×H×W -> C×H'×W', H' = (H - pool_size) // stride + 1.
    Source: AUDetNet, README, `[avgpool]`.
    Example::

        [avgpool]              # 6x8x8 -> 6x4x4
        pool_size = 2
        stride = 2
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    pool_size: Kernel = Field(description="window side, in pixels")
    stride: Kernel = Field(description="step between windows, in pixels")

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the stride."""
        return _pooled(inputs[0], self.pool_size, self.stride, 0)

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def reach(self, *inputs: Shape) -> Reach:
        """Its window."""
        return Reach.of_window(self.pool_size, self.stride)

    def arithmetic(self, *inputs: Shape) -> str:
        """The windows along both axes."""
        return window_arithmetic(inputs[0], self.pool_size, self.stride, 0)

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.avg_pool2d({names[0]}, {self.pool_size}, {self.stride})"

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def label(self) -> str:
        """Window and stride."""
        return f"{self.pool_size}×{self.pool_size}, stride {self.stride}"


class GlobalAvgPool(Block, name="global_avgpool"):
    """The mean of each channel over the whole image.

    Shapes: C×H×W -> C.
    Source: Lin, Chen, Yan, "Network in Network", 2014, section 3.2.
    Example::

        [global_avgpool]       # 8x4x4 -> 8
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    def shape(self, *inputs: Shape) -> Shape:
        """One number per channel."""
        expect_rank(inputs[0], 3, "an image (C×H×W)")
        return inputs[0][:1]

    def axes(self, *inputs: str) -> str:
        """A vector's."""
        return "F"

    def inline(self, *names: str) -> str:
        """The mean over both axes."""
        return f"{names[0]}.mean((2, 3))"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()


class Upsample(Block, name="upsample"):
    """A larger image by interpolation, corners not aligned.

    Shapes: C×H×W -> C×H'×W': `output_sizes` (height, width) where given, else H' = floor(H · scale_factor).
    Source: AUDetNet, README, `[upsample]`.
    Example::

        [upsample]             # 6x8x8 -> 6x16x16
        output_sizes = None
        scale_factor = 2
        mode = bilinear
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "upsampling"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    output_sizes: tuple[Count, ...] | None = Field(
        None, description="height and width, or one number for both"
    )
    scale_factor: Annotated[float, Field(ge=0, le=4096)] | None = Field(
        None, description="how many times larger"
    )
    mode: Literal["nearest", "bilinear", "bicubic", "area"] = Field("nearest", description="how to fill in")

    def conflict(self) -> str | None:
        """One of sizes and factor."""
        if self.output_sizes is not None and len(self.output_sizes) > 2:
            return f"takes one or two `output_sizes` (height, width), and has {len(self.output_sizes)}"
        if bool(self.output_sizes) == bool(self.scale_factor):
            found = "both" if self.output_sizes else "neither"
            return f"takes either `output_sizes` or `scale_factor`, and has {found}"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """As asked for."""
        expect_rank(inputs[0], 3, "an image (C×H×W)")
        channels, height, width = inputs[0]
        if self.output_sizes:
            return (channels, self.output_sizes[0], self.output_sizes[-1])
        return (channels, self._scaled(height), self._scaled(width))

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def _scaled(self, size: Size) -> Size:
        if isinstance(size, int):
            scaled: Size = int(size * float(self.scale_factor or 0))  # in floating point, as torch does it
        else:
            factor = Fraction(str(self.scale_factor))
            scaled = (size * factor.numerator) // factor.denominator
        if scaled == 0:
            raise ShapeError(
                f"leaves nothing of {size} pixels at a factor of {self.scale_factor}", option="scale_factor"
            )
        return scaled

    def inline(self, *names: str) -> str:
        """Torch's own."""
        sizes = self.output_sizes
        what = f"size=({sizes[0]}, {sizes[-1]})" if sizes else f"scale_factor={self.scale_factor}"
        corners = ", align_corners=False" if self.mode in ("bilinear", "bicubic") else ""
        return f'F.interpolate({names[0]}, {what}, mode="{self.mode}"{corners})'

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes, except for means over areas."""
        return frozenset({"input"} if self.mode == "area" else ())

    def reach(self, *inputs: Shape) -> Reach | None:
        """One pixel (`nearest`), or its neighbours too, where the size is a whole number of times the input's."""
        made = self.shape(*inputs)
        height, width = (
            Fraction(there, here) if isinstance(here, int) and isinstance(there, int) else None
            for here, there in zip(inputs[0][1:], made[1:], strict=True)
        )
        pixels = {"nearest": 1, "bilinear": 2, "bicubic": 4}.get(self.mode)
        if pixels is None or height is None or height != width or height.denominator != 1:
            return None
        if height == 1:
            return Reach()
        return Reach(pixels, 1 / height, Fraction(pixels // 2))

    def label(self) -> str:
        """Factor or size, and mode."""
        sizes = self.output_sizes
        return f"{f'{sizes[0]}×{sizes[-1]}' if sizes else f'×{self.scale_factor:g}'}, {self.mode}"
