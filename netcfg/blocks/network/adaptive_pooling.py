"""Pooling to a given size, and to none."""

from typing import ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Count, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import (
    PLACES,
    channels_of,
    expect_places,
    place_axes,
    places_of,
    with_places,
)
from netcfg.blocks.network.windows import each, in_words, too_many
from netcfg.shapes import Shape, Size, show, volume

SIZES = "of the output: one number, or one for each axis (height, width; on clips frames, height, width)"


class _Adaptive(Block):
    """Pooling whose windows are as large as the output's size asks."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = PLACES

    output_sizes: tuple[Count, ...] = Field(description=SIZES)

    def conflict(self) -> str | None:
        """One to three sizes."""
        return too_many(output_sizes=self.output_sizes)

    def shape(self, *inputs: Shape) -> Shape:
        """As asked for; on a clip, as many sizes as axes, or 1 for all."""
        shape = inputs[0]
        expect_places(shape)
        if len(shape) == 4 and len(self.output_sizes) == 1 and self.output_sizes != (1,):
            size = self.output_sizes[0]
            raise ShapeError(
                f"is given a clip ({show(shape)}), and `output_sizes = {size}` says nothing of frames",
                option="output_sizes",
                help=f"`over = frames` for each frame by itself, or three numbers: `output_sizes = 1, {size}, {size}`",
            )
        return with_places(shape, channels_of(shape), self._sizes(shape))

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        return each(self.output_sizes, len(places_of(shape)), "output_sizes")

    def label(self) -> str:
        """The sizes."""
        return in_words(self.output_sizes)


class AdaptiveAvgPool(_Adaptive, name="adaptive_avgpool"):
    """The mean of each of as many windows as the output has places.

    Shapes: C×H×W -> C×h×w with `output_sizes = h, w`; L×F -> l×F; T×C×H×W -> t×C×h×w.
    Source: PyTorch's `AdaptiveAvgPool1d` to `3d`.
    Example::

        [adaptive_avgpool]     # 6x8x8 -> 6x3x3
        output_sizes = 3
    """

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.pooling import adaptive_avgpool

        return made(adaptive_avgpool(len(inputs[0])), self._sizes(inputs[0]))

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes of a mean over everything."""
        return frozenset() if set(self.output_sizes) == {1} else frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True


class AdaptiveMaxPool(_Adaptive, name="adaptive_maxpool"):
    """The largest number of each of as many windows as the output has places.

    Shapes: C×H×W -> C×h×w with `output_sizes = h, w`; L×F -> l×F; T×C×H×W -> t×C×h×w.
    Source: PyTorch's `AdaptiveMaxPool1d` to `3d`.
    Example::

        [adaptive_maxpool]     # 6x8x8 -> 6x3x3
        output_sizes = 3
    """

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.pooling import adaptive_maxpool

        return made(adaptive_maxpool(len(inputs[0])), self._sizes(inputs[0]))

    def kept(self, *inputs: Shape) -> Size:
        """Where the largest numbers are, in eight bytes each; and what it was given, where that is turned round."""
        return volume(self.shape(*inputs)) * 2

    def scratch(self, *inputs: Shape) -> Size:
        """Where the largest numbers are."""
        return volume(self.shape(*inputs)) * 2

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True


class GlobalMaxPool(Block, name="global_maxpool"):
    """The largest number of each channel over the whole image.

    Shapes: C×H×W -> C; L×F -> F; T×C×H×W -> C. Where several are the largest they share the gradient.
    Source: Keras's `GlobalMaxPooling2D`.
    Example::

        [global_maxpool]       # 8x4x4 -> 8
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = PLACES

    def shape(self, *inputs: Shape) -> Shape:
        """One number per channel."""
        expect_places(inputs[0])
        return (channels_of(inputs[0]),)

    def axes(self, *inputs: str) -> str:
        """What is left are features."""
        return "F"

    def lower(self, *inputs: Shape) -> Made:
        """The largest over all places."""
        from netcfg.builder.modules.pooling import Largest

        return made(Largest, place_axes(inputs[0]))
