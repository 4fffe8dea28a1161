"""Convolutions."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import (
    Block,
    Count,
    Kernel,
    Reach,
    expect_known,
    expect_rank,
    window,
    window_arithmetic,
)
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.activation import (
    applied,
    kept_beside,
    needs_of_linear,
    unknown_activation,
)
from netcfg.shapes import Shape, Size, volume

Padding = Annotated[int, Field(ge=0, le=4096)]


class Convolutional(Block, name="convolutional"):
    """Square 2-D convolution, then batch normalisation, then an activation.

    Shapes: C×H×W -> filters×H'×W', H' = (H + 2·pad - kernel_size) // stride + 1.
    `pad = True` keeps the size at stride 1: (kernel_size - 1) // 2. With batch normalisation the convolution
    has no bias. Activations: `relu`, `leaky_relu` (slope 0.01), `tanh`, `sigmoid`; `None` for none.
    Parameters: `weight`, and `bias` or `batch_norm.{weight,bias,running_mean,running_var}`.
    Source: AUDetNet, README, `[convolutional]`.
    Example::

        [convolutional]        # 3x32x32 -> 16x16x16
        batch_normalise = 1
        filters = 16
        kernel_size = 3
        stride = 2
        pad = 1
        activation = leaky_relu
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "convolution"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    filters: Count = Field(description="output channels")
    kernel_size: Kernel = Field(description="kernel side, in pixels")
    stride: Kernel = Field(1, description="step between windows, in pixels")
    pad: bool | Padding = Field(0, description="zeros on each side, in pixels; `True` keeps the size")
    use_bias: bool = Field(
        True, description="add a learned number to each filter; batch normalisation brings its own"
    )
    batch_normalise: bool = Field(False, description="normalise over the batch before the activation")
    activation: str = Field("None", description="applied last")
    initialization: Initial | None = Field(None, description="of the weight; PyTorch's own where `None`")
    eps: Annotated[float, Field(gt=0)] = Field(1e-4, description="of the batch normalisation")

    @property
    def padding(self) -> int:
        """The zeros on each side, as a number."""
        if isinstance(self.pad, bool):
            return (self.kernel_size - 1) // 2 if self.pad else 0
        return self.pad

    def shape(self, *inputs: Shape) -> Shape:
        """filters×H'×W'."""
        expect_rank(inputs[0], 3, "an image (C×H×W)")
        channels, height, width = inputs[0]
        expect_known(channels, "its input channels")
        return (
            self.filters,
            window(height, self.kernel_size, self.stride, self.padding, "height"),
            window(width, self.kernel_size, self.stride, self.padding, "width"),
        )

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def depends_on_batch(self) -> bool:
        """By the statistics of its normalisation."""
        return self.batch_normalise

    def reach(self, *inputs: Shape) -> Reach:
        """Its window."""
        return Reach.of_window(self.kernel_size, self.stride, self.padding)

    def arithmetic(self, *inputs: Shape) -> str:
        """The windows along both axes."""
        return window_arithmetic(inputs[0], self.kernel_size, self.stride, self.padding)

    def parameters(self, *inputs: Shape) -> int:
        """Kernels, and a bias or a scale and shift per filter."""
        channels = inputs[0][0]
        assert isinstance(channels, int)
        return self.filters * (
            channels * self.kernel_size**2 + (2 if self.batch_normalise else self.use_bias)
        )

    def macs(self, *inputs: Shape) -> Size:
        """One kernel per output number."""
        _, height, width = self.shape(*inputs)
        return height * width * (self.filters * self.kernel_size**2) * inputs[0][0]

    def scratch(self, *inputs: Shape) -> Size:
        """What is normalised lives until that is done."""
        return volume(self.shape(*inputs)) if self.batch_normalise else 0

    def kept(self, *inputs: Shape) -> Size:
        """The gradient of the normalisation needs what it was given, and that of some activations."""
        return self.scratch(*inputs) + kept_beside(applied(self.activation), self.shape(*inputs))

    def gradient_needs(self) -> frozenset[str]:
        """What is convolved, and what an activation made."""
        return needs_of_linear(applied(self.activation))

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """An activation that is none."""
        return unknown_activation(self.activation)

    def overwritable(self) -> bool:
        """Only without an activation, whose gradient may need the output."""
        return applied(self.activation) is None

    def lower(self, *inputs: Shape) -> Made:
        """A convolution that carries its normalisation and activation."""
        from netcfg.builder.modules.convolution import Convolution

        channels = inputs[0][0]
        assert isinstance(channels, int)
        return made(
            Convolution,
            channels,
            self.filters,
            self.kernel_size,
            self.stride,
            self.padding,
            bias=self.use_bias,
            batch_norm_eps=self.eps if self.batch_normalise else None,
            activation=applied(self.activation),
            initialization=self.initialization,
            as_product=self._suits_product(*inputs),
        )

    def _suits_product(self, *inputs: Shape) -> bool:
        """Whether there are so few windows, for so large a weight, that patches cost less than kernels lose."""
        from netcfg.builder.modules.convolution import LARGE_WEIGHT, MOST_PLACES

        places = volume(self.shape(*inputs)[1:])
        if not isinstance(places, int) or self.kernel_size == 1:
            return False
        return places == 1 or (places <= MOST_PLACES and self.parameters(*inputs) >= LARGE_WEIGHT)

    def label(self) -> str:
        """Kernel, filters, stride, and what follows."""
        parts = [f"{self.kernel_size}×{self.kernel_size}, {self.filters}"]
        if self.stride != 1:
            parts.append(f"stride {self.stride}")
        if self.batch_normalise:
            parts.append("bn")
        activation = applied(self.activation)
        return ", ".join([*parts, activation] if activation else parts)
