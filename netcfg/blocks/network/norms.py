"""Normalisation beside that over the batch, and scales."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, Reach, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import (
    AXIS,
    PLACES,
    SIGNALS,
    Dimension,
    Placed,
    axes_of,
    channels_of,
    channels_second,
    expect_places,
    places_of,
)
from netcfg.shapes import Shape, Size, show, volume

if TYPE_CHECKING:
    from torch import nn

Epsilon = Annotated[float, Field(gt=0)]
AFFINE = "learn a scale and a shift for each"


def _known_channels(shape: Shape) -> int:
    return expect_known(channels_of(shape), "its channels")


class _Started(Block):
    """A norm whose learned scale may start elsewhere than at 1."""

    affine: bool = Field(True, description=AFFINE)
    start: Initial | None = Field(None, description="of the scale: a number, or a rule; 1 where `None`")

    def conflict(self) -> str | None:
        """Nothing to start."""
        return "has a `start`, and learns no scale" if self.start is not None and not self.affine else None

    def _made(self, module: "Callable[..., nn.Module]", *args: object, **options: object) -> Made:
        """A call of the norm, and then its scale where it starts."""
        from netcfg.builder.modules.norms import started

        if self.start is None:
            return made(module, *args, **options)
        return made(started, module, self.start, *args, **options)


class InstanceNorm(_Started, name="instance_norm"):
    """Zero mean and unit variance of each channel of each sample, over all its places.

    Shapes: L×F, C×H×W or T×C×H×W, unchanged.
    Parameters: `weight`, `bias` with `affine`; buffers `running_mean`, `running_var` with `track`.
    Source: Ulyanov, Vedaldi, Lempitsky, "Instance Normalization", 2016; PyTorch's `InstanceNorm1d` to `3d`.
    Example::

        [instance_norm]        # 6x8x8 -> 6x8x8
        affine = True
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"
    joins_box: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = PLACES

    eps: Epsilon = Field(1e-5, description="added to the variance")
    momentum: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="weight of a new batch in the statistics, with `track`"
    )
    affine: bool = Field(False, description=AFFINE)
    track: bool = Field(False, description="remember statistics in training, and evaluate with these")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged."""
        expect_places(inputs[0])
        _known_channels(inputs[0])
        if volume(places_of(inputs[0])) == 1:
            raise ShapeError(
                f"needs more than one place for a channel, and is given {show(inputs[0])}",
                help="[layer_norm], or nothing at all: each number would become 0",
            )
        return inputs[0]

    def depends_on_batch(self) -> bool:
        """What it remembers is an average over the batch."""
        return self.track

    def parameters(self, *inputs: Shape) -> int:
        """A scale and a shift per channel."""
        return 2 * _known_channels(inputs[0]) if self.affine else 0

    def kept(self, *inputs: Shape) -> Size:
        """The statistics, the scale for each sample, and, with places first, its input the other way round."""
        turned = volume(inputs[0]) if channels_second(inputs[0]) else 0
        # PyTorch has it as a batch norm whose channels are all channels of all samples: all is there once for
        # each sample.
        return (2 + self.affine + 2 * self.track) * channels_of(inputs[0]) + turned

    def scratch(self, *inputs: Shape) -> Size:
        """The same, and a shift for each sample."""
        return self.kept(*inputs) + channels_of(inputs[0]) * self.affine

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import instance_norm

        return self._made(
            instance_norm(len(inputs[0])),
            _known_channels(inputs[0]),
            eps=self.eps,
            momentum=self.momentum,
            affine=self.affine,
            track_running_stats=self.track,
        )

    def label(self) -> str:
        """What is learned, and remembered."""
        words = [word for word, said in (("affine", self.affine), ("tracked", self.track)) if said]
        return ", ".join(words)


class GroupNorm(_Started, name="group_norm"):
    """Zero mean and unit variance of each group of channels of each sample, then a learned scale and shift.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged.
    Parameters: `weight`, `bias` with `affine`.
    Source: Wu, He, "Group Normalization", 2018; PyTorch's `GroupNorm`.
    Example::

        [group_norm]           # 6x8x8 -> 6x8x8
        groups = 3
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"
    joins_box: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = SIGNALS

    groups: Count = Field(32, description="into which the channels are divided")
    eps: Epsilon = Field(1e-5, description="added to the variance")
    affine: bool = Field(True, description=AFFINE)

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the groups divide the channels."""
        expect_places(inputs[0], vectors=True)
        channels = _known_channels(inputs[0])
        if channels % self.groups:
            raise ShapeError(
                f"divides {channels} channels into {self.groups} groups: {channels % self.groups} are left over",
                option="groups",
            )
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """A scale and a shift per channel."""
        return 2 * _known_channels(inputs[0]) if self.affine else 0

    def kept(self, *inputs: Shape) -> Size:
        """The statistics of each group, and, with places first, its input the other way round."""
        return 2 * self.groups + (volume(inputs[0]) if channels_second(inputs[0]) else 0)

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return self.kept(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import group_norm

        module = group_norm(channels_second(inputs[0]))
        return self._made(module, self.groups, _known_channels(inputs[0]), eps=self.eps, affine=self.affine)

    def label(self) -> str:
        """The groups."""
        return f"{self.groups} groups"


class _OverFeatures(_Started, Placed):
    """A norm over the features or channels of every place, wherever these stand."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"
    joins_box: ClassVar[bool] = True

    dimension: Dimension | Literal["all"] | None = Field(
        None,
        description=f"the axis, {AXIS}; features or channels by default; `all` for all axes but the batch",
    )
    affine: bool = Field(True, description="learn a scale for each number along it")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if it has the axis."""
        self._sizes(inputs[0])
        return inputs[0]

    def _axis(self, shape: Shape) -> int:
        """Its number, the batch 0; 0 for all."""
        if not shape:
            raise ShapeError("has one number of each sample to normalise, which is its own mean")
        if self.dimension == "all":
            return 0
        if self.dimension is not None:
            return self.axis(self.dimension, shape)
        axes = axes_of(shape, self._axes)
        found = next((axis for axis, letter in enumerate(axes, 1) if letter in "FC"), None)
        if found is None:
            raise ShapeError(f"finds no channels or features in {show(shape)}", help="write `dimension = …`")
        return found

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        """What is normalised together, by axis."""
        axis = self._axis(shape)
        sizes = shape[axis - 1 : axis] if axis else shape
        return tuple(expect_known(size, "the sizes that it normalises together") for size in sizes)

    def _places(self, shape: Shape) -> Size:
        """How many times something is normalised."""
        axis = self._axis(shape)
        return volume((*shape[: axis - 1], *shape[axis:])) if axis else 1

    def reach(self, *inputs: Shape) -> Reach | None:
        """The same place, unless it normalises places together."""
        return Reach() if len(inputs[0]) == 3 and self._axis(inputs[0]) == 1 else None

    def _is_last(self, shape: Shape) -> bool:
        return self._axis(shape) in (0, len(shape))

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def is_each_place(self) -> bool:
        """Over features or channels alone."""
        return self.dimension in (None, "features")

    def label(self) -> str:
        """The axis, where it is written."""
        return "" if self.dimension is None else str(self.dimension)


class LayerNorm(_OverFeatures, name="layer_norm"):
    """Zero mean and unit variance of the features at every place, then a learned scale and shift.

    Shapes: any, unchanged; over features or channels, wherever that axis stands.
    Parameters: `weight`, and `bias` with `use_bias`.
    Source: Ba, Kiros, Hinton, "Layer Normalization", 2016; PyTorch's `LayerNorm`.
    Example::

        [layer_norm]           # 5x16 -> 5x16
        eps = 1e-6
    """

    eps: Epsilon = Field(1e-5, description="added to the variance")
    use_bias: bool = Field(True, description="learn a shift, too")

    def parameters(self, *inputs: Shape) -> int:
        """A scale and a shift for each number that is normalised with others."""
        return int(volume(self._sizes(inputs[0]))) * (1 + self.use_bias) if self.affine else 0  # type: ignore[arg-type]

    def kept(self, *inputs: Shape) -> Size:
        """The statistics of every place."""
        return 2 * self._places(inputs[0])

    def scratch(self, *inputs: Shape) -> Size:
        """The same, and what has the axis last."""
        return self.kept(*inputs) + (0 if self._is_last(inputs[0]) else volume(inputs[0]))

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import layer_norm

        axis = 0 if self._is_last(inputs[0]) else self._axis(inputs[0])
        sizes, bias = self._sizes(inputs[0]), self.use_bias
        return self._made(
            layer_norm, sizes, eps=self.eps, elementwise_affine=self.affine, bias=bias, axis=axis
        )


class RMSNorm(_OverFeatures, name="rms_norm"):
    """The features at every place divided by their root mean square, then scaled.

    Shapes: any, unchanged; over features or channels, wherever that axis stands.
    Parameters: `weight` with `affine`.
    Source: Zhang, Sennrich, "Root Mean Square Layer Normalization", 2019; PyTorch's `RMSNorm`.
    Example::

        [rms_norm]             # 5x16 -> 5x16
    """

    eps: Epsilon | None = Field(None, description="added to the mean square; None: the smallest step from 1")

    def parameters(self, *inputs: Shape) -> int:
        """A scale for each number that is normalised with others."""
        return int(volume(self._sizes(inputs[0]))) if self.affine else 0  # type: ignore[arg-type]

    def kept(self, *inputs: Shape) -> Size:
        """One over the root of every place, and what was divided by it."""
        return self._places(inputs[0]) + (volume(inputs[0]) if self.affine else 0)

    def scratch(self, *inputs: Shape) -> Size:
        """The same, and the mean squares."""
        return self.kept(*inputs) + self._places(inputs[0])

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import rms_norm

        axis = 0 if self._is_last(inputs[0]) else self._axis(inputs[0])
        return self._made(
            rms_norm, self._sizes(inputs[0]), eps=self.eps, elementwise_affine=self.affine, axis=axis
        )
