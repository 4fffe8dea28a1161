"""Convolutions the other way round: from fewer places to more."""

from pydantic import Field

from netcfg.blocks.base import ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.filtering import Filtering, kernel_volume
from netcfg.blocks.network.places import WHERE, channels_of, places_of
from netcfg.blocks.network.windows import Numbers, spread, too_many
from netcfg.shapes import Shape, Size, volume


class Deconvolutional(Filtering, name="deconvolutional"):
    """Transposed convolution along one, two or three axes, then normalisation, then an activation.

    Shapes: C×H×W -> filters×H'×W', H' = (H - 1)·stride - 2·pad + dilation·(kernel_size - 1) + output_pad + 1;
    likewise L×F and, where a kernel has three numbers, T×C×H×W.
    Parameters: `weight` (C×filters×kernel), and what [convolutional] has: `bias`, `batch_norm.{weight,bias}` with
    `batch_norm.{running_mean,running_var}`, `instance_norm.{weight,bias}`, `group_norm.{weight,bias}`,
    `layer_norm.{weight,bias}`, `weight_g`, `weight_v`, `weight_orig`, `weight_u`.
    Source: Zeiler et al., "Deconvolutional Networks", 2010; PyTorch's `ConvTranspose1d` to `ConvTranspose3d`.
    Example::

        [deconvolutional]      # 16x8x8 -> 8x16x16
        filters = 8
        kernel_size = 4
        stride = 2
        pad = 1
        activation = relu
    """

    pad: Numbers = Field((0,), description="taken off each side, in pixels, likewise")
    output_pad: Numbers = Field(
        (0,), description="put on below and right, in pixels; less than the stride or dilation"
    )

    def conflict(self) -> str | None:
        """Options that exclude each other, or have no effect."""
        return too_many(pad=self.pad, output_pad=self.output_pad) or super().conflict()

    def _window(self, shape: Shape) -> tuple[tuple[int, ...], ...]:
        """Kernel, stride, pad, output pad and dilation, by axis."""
        return (
            self.kernel(shape),
            self._each(self.stride, shape, "stride"),
            self._each(self.pad, shape, "pad"),
            self._each(self.output_pad, shape, "output_pad"),
            self._each(self.dilation, shape, "dilation"),
        )

    def _made_places(self, shape: Shape) -> Shape:
        places = places_of(shape)
        rows = zip(places, *self._window(shape), WHERE[len(places)], strict=True)
        return tuple(_made_size(*row) for row in rows)

    def arithmetic(self, *inputs: Shape) -> str:
        """The sum along each axis."""
        places = places_of(inputs[0])
        rows = zip(places, *self._window(inputs[0]), WHERE[len(places)], strict=True)
        texts = []
        for size, kernel, stride, pad, more, dilation, axis in rows:
            made = _made_size(size, kernel, stride, pad, more, dilation, axis)
            texts.append(
                f"{axis} ({size} - 1)·{stride} - 2·{pad} + {spread(kernel, dilation)} + {more} = {made}"
            )
        return ", ".join(dict.fromkeys(texts))

    def macs(self, *inputs: Shape) -> Size:
        """One kernel per input number."""
        return volume(inputs[0]) * (self.filters * kernel_volume(self.kernel(inputs[0]))) // self.groups

    def reach(self, *inputs: Shape) -> None:
        """Not the same for every place."""
        return None

    def _weight_outputs(self, channels: int) -> int:
        """PyTorch's weight norm counts along the first axis, here the input channels."""
        return channels

    def lower(self, *inputs: Shape) -> Made:
        """A transposed convolution that carries its normalisation and activation."""
        from netcfg.builder.modules.convolution import deconvolution

        kernel, stride, pad, output_pad, dilation = self._window(inputs[0])
        return made(
            deconvolution(len(kernel)),
            channels_of(inputs[0]),
            self.filters,
            kernel,
            stride,
            pad,
            output_pad,
            dilation=dilation,
            groups=self.groups,
            bias=self.use_bias,
            after=self._after(),
        )


def _made_size(size: Size, kernel: int, stride: int, pad: int, more: int, dilation: int, axis: str) -> Size:
    """How many places there are along an axis. Raises `ShapeError` where there are none."""
    if more and more >= max(stride, dilation):
        raise ShapeError(
            f"puts on {more} along the {axis}, which is not less than its stride ({stride}) or dilation ({dilation})",
            option="output_pad",
        )
    made = (size - 1) * stride - 2 * pad + spread(kernel, dilation) + more
    if isinstance(made, int) and made <= 0:
        raise ShapeError(
            f"leaves nothing of a {axis} of {size}: ({size} - 1)·{stride} - 2·{pad} + {spread(kernel, dilation)}"
            f" = {made}",
            code="NC302",
            option="pad",
        )
    return made
