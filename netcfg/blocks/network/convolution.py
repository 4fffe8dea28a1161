"""Convolutions."""

from typing import Literal

from pydantic import Field

from netcfg.blocks.base import Reach
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.filtering import Filtering, kernel_volume
from netcfg.blocks.network.places import channels_of, places_of
from netcfg.blocks.network.windows import (
    SIZES,
    Padding,
    padding,
    same,
    spread,
    square_reach,
    too_many,
    windows,
    windows_arithmetic,
)
from netcfg.shapes import Shape, Size, volume


class Convolutional(Filtering, name="convolutional"):
    """Convolution along one, two or three axes, then normalisation, then an activation.

    Shapes: C×H×W -> filters×H'×W', H' = (H + 2·pad - dilation·(kernel_size - 1) - 1) // stride + 1; likewise
    L×F -> L'×filters, and T×C×H×W -> T'×filters×H'×W', where a kernel has three numbers.
    `pad = True` keeps the size at stride 1 for odd kernels: dilation·(kernel_size - 1) // 2. `pad = same` pads by the
    size, as TensorFlow does, more below and right where it is uneven: H' = ⌈H / stride⌉. With a normalisation the
    convolution has no bias. Activations: those of [activation]; `None` for none.
    Parameters: `weight`, and `bias` or `batch_norm.{weight,bias,running_mean,running_var}`,
    `instance_norm.{weight,bias}`, `group_norm.{weight,bias}`, `layer_norm.{weight,bias}`; with `weight_norm`
    `weight_g`, `weight_v`, with `spectral_norm` `weight_orig` and the buffers `weight_u`, `weight_v`.
    Source: AUDetNet, README, `[convolutional]`; PyTorch's `Conv1d` to `Conv3d`.
    Example::

        [convolutional]        # 3x32x32 -> 16x16x16
        batch_normalise = 1
        filters = 16
        kernel_size = 3
        stride = 2
        pad = 1
        activation = leaky_relu
    """

    pad: Padding = Field((0,), description=f"border on each side, in pixels: {SIZES}; `True`; or `same`")
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = Field(
        "zeros", description="what is put there"
    )

    def conflict(self) -> str | None:
        """Options that exclude each other, or have no effect."""
        pad = self.pad if isinstance(self.pad, tuple) else None
        return too_many(pad=pad) or super().conflict()

    def _window(self, shape: Shape) -> tuple[tuple[int, ...], ...]:
        """Kernel, stride, border and dilation, by axis."""
        kernel = self.kernel(shape)
        dilation = self._each(self.dilation, shape, "dilation")
        stride = self._each(self.stride, shape, "stride")
        return kernel, stride, padding(self.pad, kernel, dilation), dilation

    def _made_places(self, shape: Shape) -> Shape:
        kernel, stride, border, dilation = self._window(shape)
        if self.pad == "same":
            return tuple(map(same, places_of(shape), stride))
        return windows(places_of(shape), kernel, stride, border, dilation)

    def arithmetic(self, *inputs: Shape) -> str:
        """The windows along each axis."""
        return "" if self.pad == "same" else windows_arithmetic(inputs[0], *self._window(inputs[0]))

    def macs(self, *inputs: Shape) -> Size:
        """One kernel per output number."""
        kernel = kernel_volume(self.kernel(inputs[0]))
        return (
            volume(self._made_places(inputs[0]))
            * (self.filters * kernel)
            * channels_of(inputs[0])
            // self.groups
        )

    def reach(self, *inputs: Shape) -> Reach | None:
        """Its window."""
        return None if self.pad == "same" else square_reach(*self._window(inputs[0]))

    def _padded(self, *inputs: Shape) -> Size:
        """Where the border is not zeros, or not even, it is put about a copy."""
        kernel, stride, border, dilation = self._window(inputs[0])
        places = places_of(inputs[0])
        if self.pad == "same":
            made = self._made_places(inputs[0])
            rows = zip(places, made, kernel, stride, dilation, strict=True)
            sizes = tuple(_same_size(*row) for row in rows)
            return volume(sizes) * channels_of(inputs[0]) if sizes != places else 0
        if self.padding_mode == "zeros" or not any(border):
            return 0
        return volume(
            tuple(size + 2 * side for size, side in zip(places, border, strict=True))
        ) * channels_of(inputs[0])

    def lower(self, *inputs: Shape) -> Made:
        """A convolution that carries its normalisation and activation."""
        from netcfg.builder.modules.convolution import convolution

        kernel, stride, border, dilation = self._window(inputs[0])
        return made(
            convolution(len(kernel)),
            channels_of(inputs[0]),
            self.filters,
            kernel,
            stride,
            "same" if self.pad == "same" else border,
            dilation=dilation,
            groups=self.groups,
            bias=self.use_bias,
            padding_mode=self.padding_mode,
            after=self._after(),
            as_product=self._suits_product(*inputs),
        )

    def _suits_product(self, *inputs: Shape) -> bool:
        """Whether there are so few windows, for so large a weight, that patches cost less than kernels lose."""
        from netcfg.builder.modules.convolution import LARGE_WEIGHT, MOST_PLACES

        places = volume(self._made_places(inputs[0]))
        if not isinstance(places, int) or not self._is_plain(inputs[0]):
            return False
        # A single window is a product as it stands; more must save what their patches cost.
        return places == 1 or (places <= MOST_PLACES and self.parameters(*inputs) >= LARGE_WEIGHT)

    def _is_plain(self, shape: Shape) -> bool:
        """Whether it is square and 2-D, with nothing that a product of patches does not know."""
        kernel, stride, border, dilation = self._window(shape)
        square = all(len(set(numbers)) == 1 for numbers in (kernel, stride, border))
        plain = (
            self.groups == 1 and set(dilation) == {1} and self.padding_mode == "zeros" and self.pad != "same"
        )
        return len(kernel) == 2 and kernel != (1, 1) and square and plain


def _same_size(size: Size, made: Size, kernel: int, stride: int, dilation: int) -> Size:
    """A size with its border, where that is made to measure."""
    needed = (made - 1) * stride + spread(kernel, dilation)
    if isinstance(needed, int) and isinstance(size, int):
        # Where steps are wider than the window, windows end before the signal does, and there is no border.
        return max(needed, size)
    return needed
