"""Convolutions whose weights a style scales."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, Kernel, ShapeError, expect_known
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.activation import SLOPE, Applied, applied, slope_conflict, unknown_activation
from netcfg.shapes import Shape, Size, show, volume


class ModulatedConvolutional(Block, name="modulated_convolutional"):
    """Convolution whose weights a style scales by channel; then noise, a bias and an activation.

    Scaled weights are divided by their length, so that what comes out is as large as before.
    `upsample` doubles the size by a transposed convolution and a blur. The weight is equalised: N(0, 1), divided by
    √inputs when used. Noise is one picture for all channels, times a learned number: `fixed` in a buffer for all
    samples, `random` for each in every pass.
    Shapes: C×H×W and F -> filters×H×W; filters×2H×2W with `upsample`.
    Parameters: `weight` (filters×C×k×k), `modulation.weight` (C×F), `modulation.bias`, `bias`, `noise_strength`; buffer
    `noise` (1×1×H×W), where noise is fixed, and `kernel`, the blur, which no file holds.
    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 2.
    Example::

        [modulated_convolutional]  # 6x8x8, 16 -> 4x8x8
        from = -1, -1
        filters = 4
        noise = None
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "convolution"
    input_count: ClassVar[int | None] = 2

    filters: Count = Field(description="output channels")
    kernel_size: Kernel = Field(3, description="kernel side, in pixels; odd, so that sizes stay")
    demodulate: bool = Field(True, description="divide the scaled weights of each filter by their length")
    upsample: bool = Field(False, description="twice the size")
    blur: tuple[Annotated[int, Field(gt=0, le=1000)], ...] = Field(
        (1, 3, 3, 1), description="the filter after upsampling, along each axis; made to add up to 1"
    )
    noise: Literal["fixed", "random"] | None = Field("fixed", description="which noise is added, if any")
    use_bias: bool = Field(True, description="add a learned number to each filter")
    activation: str = Field("None", description="applied last")
    slope: float | None = Field(None, description=SLOPE)

    def conflict(self) -> str | None:
        """An odd kernel, and a blur only where there is one."""
        if self.kernel_size % 2 == 0:
            return f"keeps sizes by an odd kernel, and has `kernel_size = {self.kernel_size}`"
        if not self.upsample and self.blur != (1, 3, 3, 1):
            return "has a `blur`, which only `upsample` uses"
        if self.upsample and (len(self.blur) < 2 or len(self.blur) > 8):
            return f"blurs by two to eight numbers, and has {len(self.blur)}"
        return slope_conflict(self.activation, self.slope)

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """An activation that is none."""
        return unknown_activation(self.activation)

    def depends_on_batch(self) -> bool:
        """By chance, where its noise is random."""
        return self.noise == "random"

    @property
    def _applied(self) -> Applied | None:
        return applied(self.activation, self.slope)

    def shape(self, *inputs: Shape) -> Shape:
        """The filters, as large or twice as large."""
        image, style = inputs
        if len(image) != 3:
            raise ShapeError(f"needs an image (C×H×W) first, and is given {show(image)}")
        if len(style) != 1:
            raise ShapeError(f"needs a style (F) second, and is given {show(style)}", argument=1)
        self.parameters(*inputs)
        times = 2 if self.upsample else 1
        if self.noise == "fixed":
            for size in image[1:]:
                expect_known(size, "its size, of which its noise is")
        return (self.filters, image[1] * times, image[2] * times)

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def parameters(self, *inputs: Shape) -> int:
        """Kernels, the style's map, biases, and a strength of noise."""
        channels = expect_known(inputs[0][0], "its input channels")
        style = expect_known(inputs[1][0], "how many features a style has")
        kernels = channels * self.filters * self.kernel_size**2
        return kernels + channels * (style + 1) + self.filters * self.use_bias + (self.noise is not None)

    def macs(self, *inputs: Shape) -> Size:
        """The style's map, the lengths, one kernel per input (or output) number, and the blur."""
        image, style = inputs
        kernels = volume(image) * self.filters * self.kernel_size**2
        lengths = image[0] * self.filters if self.demodulate else 0
        blur = volume(self.shape(*inputs)) * len(self.blur) ** 2 if self.upsample else 0
        return image[0] * style[0] + lengths + kernels + blur

    def _wide(self, *inputs: Shape) -> Size:
        """Numbers between the transposed convolution and the blur, with its border where its sides differ."""
        if not self.upsample:
            return 0
        _, height, width = self.shape(*inputs)
        more = len(self.blur) - 1
        if (more - self.kernel_size) % 2 == 0:
            more = self.kernel_size - 2
        return self.filters * (height + more) * (width + more)

    def kept(self, *inputs: Shape) -> Size:
        """The scaled input, the scales, what is divided by lengths, and what is blurred."""
        made, image = volume(self.shape(*inputs)), inputs[0]
        lengths = self.filters + image[0] if self.demodulate else 0
        beside = 0 if self._applied is None else self._applied.kept(made)
        if self.noise == "random":
            beside = beside + made // self.filters
        return (
            volume(image)
            + image[0]
            + lengths
            + (made if self.demodulate else 0)
            + self._wide(*inputs)
            + beside
        )

    def scratch(self, *inputs: Shape) -> Size:
        """The same at most, and another copy of what it makes."""
        return self.kept(*inputs) + volume(self.shape(*inputs)) + 2 * self._wide(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given, and what an activation made."""
        return frozenset({"input"}) if self._applied is None else self._applied.needs()

    def reach(self, *inputs: Shape) -> None:
        """Not said: its two inputs are not of one kind."""
        return None

    def lower(self, *inputs: Shape) -> Made:
        """Scaled inputs, one convolution for all samples, and lengths divided by afterwards."""
        from netcfg.builder.modules.modulated_convolution import ModulatedConvolution

        image, style = inputs
        return made(
            ModulatedConvolution,
            expect_known(image[0], "its input channels"),
            self.filters,
            expect_known(style[0], "how many features a style has"),
            self.kernel_size,
            demodulate=self.demodulate,
            blur=self.blur if self.upsample else None,
            noise=self.noise,
            sizes=self.shape(*inputs)[1:],
            bias=self.use_bias,
            activation=self._applied,
        )

    def label(self) -> str:
        """Kernel, filters, and what follows."""
        parts = [f"{self.kernel_size}×{self.kernel_size}, {self.filters}"]
        parts += ["×2"] if self.upsample else []
        return ", ".join([*parts, self._applied.word] if self._applied else parts)
