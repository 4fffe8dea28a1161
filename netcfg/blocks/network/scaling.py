"""Scales: by what stands beside a number, by a length, by what is learned or given."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, Reach, ShapeError, expect_known
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import (
    AXIS,
    PLACES,
    SIGNALS,
    Dimension,
    Placed,
    channels_of,
    channels_second,
    expect_places,
    places_of,
)
from netcfg.shapes import Shape, Size, show, volume

Epsilon = Annotated[float, Field(gt=0)]


class LocalResponseNorm(Block, name="local_response_norm"):
    """Each number divided by a power of the mean square of its neighbours in the channels.

    Shapes: L×F, C×H×W and T×C×H×W, unchanged: x / (k + alpha · mean of squares over `size` channels) ** beta.
    Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification", 2012, section 3.3; PyTorch's `LocalResponseNorm`.
    Example::

        [local_response_norm]  # 6x8x8 -> 6x8x8
        size = 5
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"
    takes: ClassVar[tuple[str, ...]] = PLACES

    size: Count = Field(description="neighbouring channels, itself among them")
    alpha: float = Field(1e-4, description="factor of the mean square")
    beta: float = Field(0.75, description="the power")
    k: float = Field(1.0, description="added to it")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged."""
        expect_places(inputs[0])
        return inputs[0]

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.scaling import LocalResponseNorm as Module

        turned = channels_second(inputs[0])
        return made(Module, self.size, self.alpha, self.beta, self.k, turned=turned)

    def kept(self, *inputs: Shape) -> Size:
        """Squares with a border of channels, their means with what is added, and the power of these."""
        return volume(places_of(inputs[0])) * (3 * channels_of(inputs[0]) + (self.size - 1))

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return self.kept(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def label(self) -> str:
        """The neighbours."""
        return f"{self.size} channels"


class _Length(Placed):
    """What divides by a length along an axis."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"

    dimension: Dimension | None = Field(
        None, description=f"the axis, {AXIS}; channels or features by default"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if it has the axis."""
        expect_places(inputs[0], vectors=True) if self.dimension is None else self.axis(
            self.dimension, inputs[0]
        )
        return inputs[0]

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def reach(self, *inputs: Shape) -> Reach | None:
        """The same place, unless it divides by what stands at others."""
        return Reach() if self._axis(inputs[0]) == 1 else None

    def _places(self, shape: Shape) -> Size:
        """How many lengths there are."""
        axis = self._axis(shape)
        return volume((*shape[: axis - 1], *shape[axis:]))

    def _axis(self, shape: Shape) -> int:
        if self.dimension is not None:
            return self.axis(self.dimension, shape)
        return 2 if channels_second(shape) else 1

    def label(self) -> str:
        """The axis, where it is written."""
        return "" if self.dimension is None else str(self.dimension)


class PixelNorm(_Length, name="pixel_norm"):
    """The channels of every place divided by their root mean square; nothing is learned.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged.
    Source: Karras et al., "Progressive Growing of GANs", 2018, section 4.2.
    Example::

        [pixel_norm]           # 6x8x8 -> 6x8x8
    """

    eps: Epsilon = Field(1e-8, description="added to the mean square")

    def lower(self, *inputs: Shape) -> Made:
        """A root of a mean."""
        from netcfg.builder.modules.norms import PixelNorm as Module

        return made(Module, self._axis(inputs[0]), eps=self.eps)

    def kept(self, *inputs: Shape) -> Size:
        """One over the root, at every place."""
        return self._places(inputs[0])

    def scratch(self, *inputs: Shape) -> Size:
        """The squares."""
        return volume(inputs[0])


class L2Norm(_Length, name="l2_norm"):
    """Vectors of length 1: divided by the root of the sum of squares along an axis.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged.
    Source: PyTorch's `normalize`.
    Example::

        [l2_norm]              # 32 -> 32
    """

    eps: Epsilon = Field(1e-12, description="the least length that is divided by")

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import L2Norm as Module

        return made(Module, self._axis(inputs[0]), eps=self.eps)

    def kept(self, *inputs: Shape) -> Size:
        """The length at every place, as it is and at least `eps`."""
        return 2 * self._places(inputs[0])

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return 2 * self._places(inputs[0])


class Scale(Block, name="scale"):
    """A factor and a shift for each channel: learned, or given as numbers that stay.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged.
    Parameters: `weight`, `bias`; without `use_bias` one tensor that bears the block's own name, C×1×1 for images; none
    with `factors` or `shifts`.
    Source: Touvron et al., "Going deeper with Image Transformers", 2021 (LayerScale).
    Example::

        [scale]                # 6x8x8 -> 6x8x8
        start = 1e-6
        use_bias = False
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "normalisation"
    takes: ClassVar[tuple[str, ...]] = SIGNALS

    start: float = Field(1.0, description="of the learned factors")
    use_bias: bool = Field(True, description="learn a shift, too")
    factors: tuple[float, ...] | None = Field(
        None, description="fixed ones, a number for each channel or one for all"
    )
    shifts: tuple[float, ...] | None = Field(None, description="fixed ones, likewise; added after the factor")

    def conflict(self) -> str | None:
        """Learned or given."""
        if self._is_fixed() and not {"start", "use_bias"}.isdisjoint(self.options()):
            return "has fixed `factors` or `shifts`, and learns nothing: leave `start` and `use_bias` out"
        return None

    def _is_fixed(self) -> bool:
        return self.factors is not None or self.shifts is not None

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if there are as many numbers as channels."""
        expect_places(inputs[0], vectors=True)
        channels = expect_known(channels_of(inputs[0]), "its channels")
        for option, numbers in (("factors", self.factors), ("shifts", self.shifts)):
            if numbers is not None and len(numbers) not in (1, channels):
                message = f"has {len(numbers)} {option}, and is given {channels} channels ({show(inputs[0])})"
                raise ShapeError(message, option=option)
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """A factor, and a shift, per channel."""
        if self._is_fixed():
            return 0
        return expect_known(channels_of(inputs[0]), "its channels") * (1 + self.use_bias)

    def gradient_needs(self) -> frozenset[str]:
        """What it was given, where factors are learned."""
        return frozenset() if self._is_fixed() else frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True

    def owns_tensor(self) -> bool:
        """A factor alone bears the block's name."""
        return not self.use_bias and not self._is_fixed()

    def inline(self, *names: str) -> str | None:
        """The product, of a factor alone."""
        return " * ".join(names) if self.owns_tensor() else None

    def lower(self, *inputs: Shape) -> Made:
        """A product and a sum."""
        from netcfg.builder.modules.scaling import FixedScale, Tensor
        from netcfg.builder.modules.scaling import Scale as Module

        shape = inputs[0]
        places = (
            0
            if channels_second(shape) and len(shape) == 2
            else max(0, len(shape) - 1 - channels_second(shape))
        )
        channels = expect_known(channels_of(shape), "its channels")
        if self._is_fixed():
            return made(FixedScale, self.factors, self.shifts, places)
        if not self.use_bias:
            return made(Tensor, (channels, *(1,) * places), start=self.start)
        return made(Module, channels, places, start=self.start)

    def label(self) -> str:
        """What is fixed, or where it starts."""
        return "fixed" if self._is_fixed() else f"from {self.start:g}"


class PReLU(Block, name="prelu"):
    """What is below zero times a learned slope.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged.
    Parameters: `weight`, a slope for each channel, or one.
    Source: He et al., "Delving Deep into Rectifiers", 2015; PyTorch's `PReLU`.
    Example::

        [prelu]                # 6x8x8 -> 6x8x8
        parameters = channels
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "activation"
    joins_box: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = SIGNALS

    slopes: Literal["1", "channels"] = Field("1", alias="parameters", description="one for all, or one each")
    start: float = Field(0.25, description="where the slopes start")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged."""
        expect_places(inputs[0], vectors=True)
        self.parameters(*inputs)
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """The slopes."""
        return 1 if self.slopes == "1" else expect_known(channels_of(inputs[0]), "its channels")

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.scaling import prelu

        return made(prelu, self.parameters(*inputs), start=self.start, turned=channels_second(inputs[0]))

    def label(self) -> str:
        """Whose slopes."""
        return "by channel" if self.slopes == "channels" else ""
