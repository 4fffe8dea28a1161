"""Larger and smaller images without arithmetic: borders, and channels that become places."""

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Reach, Reference, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import (
    PLACES,
    WHERE,
    channels_of,
    channels_second,
    expect_places,
    place_axes,
    places_of,
    with_places,
)
from netcfg.blocks.network.windows import Numbers, each
from netcfg.shapes import Shape, Size, known, show, volume

Factor = Annotated[int, Field(ge=2, le=64)]


class _OfPlaces(Block):
    """A block that moves numbers about."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "upsampling"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()


class Pad(_OfPlaces, name="pad"):
    """A border about an image, a row of tokens or a clip.

    Shapes: C×H×W -> C×(H + top + bottom)×(W + left + right). `sizes`: one number for all sides, one for each axis
    (height, width; on clips frames, height, width), or two for each axis (top, bottom, left, right). `size_of` makes
    it as large as another signal, with as much before as after, or one less before.
    Source: PyTorch's `pad`.
    Example::

        [pad]                  # 3x8x8 -> 3x10x12
        sizes = 1, 2
        value = 1
    """

    takes: ClassVar[tuple[str, ...]] = PLACES
    roles: ClassVar[tuple[str, ...]] = ("size_of",)

    sizes: Numbers | None = Field(None, description="of the border, in places")
    size_of: Reference | None = Field(None, description="the signal as large as which it is to be")
    mode: Literal["constant", "reflect", "replicate", "circular"] = Field(
        "constant", description="what is put there"
    )
    value: float = Field(0.0, description="`constant`: the number")

    def conflict(self) -> str | None:
        """A value only where it counts, and no sizes for more axes than there are."""
        if (self.sizes is None) == (self.size_of is None):
            return _one_of(self.sizes)
        if self.sizes is not None and len(self.sizes) not in (1, 2, 3, 4, 6):
            return f"takes one `sizes`, one for each axis or two for each axis, and has {len(self.sizes)}"
        if self.mode != "constant" and self.value != 0:
            return f"has a `value`, which `mode = {self.mode}` does not use"
        return None

    def _sides(self, *inputs: Shape) -> list[tuple[Size, Size]]:
        """Before and after, for each axis of places."""
        shape, model = inputs[0], self.of_role("size_of", inputs)
        count, sizes = len(places_of(shape)), self.sizes or ()
        if model is not None:
            lacking = [there - here for here, there in zip(places_of(shape), places_of(model), strict=True)]
            return [(size // 2, size - size // 2) for size in lacking]
        if len(sizes) == 2 * count:
            return list(zip(sizes[::2], sizes[1::2], strict=True))
        return [(size, size) for size in each(sizes, count, "sizes")]

    def shape(self, *inputs: Shape) -> Shape:
        """Larger by the border."""
        shape = inputs[0]
        expect_places(shape)
        _expect_model(self.of_role("size_of", inputs), shape)
        sides = self._sides(*inputs)
        most = {"reflect": -1, "circular": 0}.get(self.mode)
        for axis, size, side in zip(WHERE[len(sides)], places_of(shape), sides, strict=True):
            border = max((one for one in side if isinstance(one, int)), default=0)
            if border < 0 or (isinstance(side[1], int) and side[1] < 0):
                raise ShapeError(
                    f"is to make a {axis} of {size} as large as {size + sum(side)}",
                    code="NC302",
                    argument=1,
                    other=0,
                    help="a `[crop]` makes it smaller",
                )
            if most is not None and isinstance(size, int) and border > size + most:
                raise ShapeError(
                    f"puts a border of {border} by `{self.mode}` about a {axis} of {size}: at most {size + most}",
                    code="NC302",
                    option="sizes" if self.sizes else "size_of",
                )
        places = tuple(size + sum(side) for size, side in zip(places_of(shape), sides, strict=True))
        return with_places(shape, channels_of(shape), places)

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.resizing import Pad as Module

        known_sides = [number for side in reversed(self._sides(*inputs)) for number in side]
        sides = known_sides if self.sizes else None
        return made(Module, sides, mode=self.mode, value=self.value, turned=channels_second(inputs[0]))

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes of a constant border."""
        return frozenset({"input"} if self.mode in ("reflect", "replicate") else ())

    def reach(self, *inputs: Shape) -> Reach | None:
        """One place, where the border is zeros and as thick before as after along height and width."""
        if self.mode != "constant" or len(inputs[0]) != 3:
            return None
        (top, _), (left, _) = self._sides(*inputs)
        return Reach(1, Fraction(1), Fraction(top)) if isinstance(top, int) and top == left else None

    def label(self) -> str:
        """Sizes, and mode."""
        sizes = f"like {self.size_of}" if self.size_of else ", ".join(map(str, self.sizes or ()))
        return sizes if self.mode == "constant" else f"{sizes}, {self.mode}"


class Crop(_OfPlaces, name="crop"):
    """A stretch of an image, a row of tokens or a clip.

    Shapes: C×H×W -> C×h×w with `sizes = h, w`. From the middle (one place further up and left where it is not even),
    or from the place `at`. `size_of` makes it as large as another signal.
    Source: torchvision's `center_crop` and `crop`.
    Example::

        [crop]                 # 3x8x8 -> 3x4x6
        sizes = 4, 6
    """

    is_view: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = PLACES
    roles: ClassVar[tuple[str, ...]] = ("size_of",)

    sizes: tuple[Annotated[int, Field(gt=0, le=2**20)], ...] | None = Field(
        None, description="one for all axes, or one for each"
    )
    size_of: Reference | None = Field(None, description="the signal as large as which it is to be")
    at: Numbers | None = Field(
        None, description="the first place, for each axis; None: so that the middle is kept"
    )

    def conflict(self) -> str | None:
        """Sizes, or a signal that has them."""
        return _one_of(self.sizes) if (self.sizes is None) == (self.size_of is None) else None

    def shape(self, *inputs: Shape) -> Shape:
        """As asked for, if it lies inside."""
        shape = inputs[0]
        expect_places(shape)
        _expect_model(self.of_role("size_of", inputs), shape)
        self._starts(*inputs)
        return with_places(shape, channels_of(shape), self._sizes(*inputs))

    def _sizes(self, *inputs: Shape) -> Shape:
        model = self.of_role("size_of", inputs)
        return (
            each(self.sizes or (), len(places_of(inputs[0])), "sizes") if model is None else places_of(model)
        )

    def _starts(self, *inputs: Shape) -> tuple[Size, ...]:
        """Where it begins, by axis."""
        sizes, places = self._sizes(*inputs), places_of(inputs[0])
        starts: tuple[Size, ...] = (
            tuple((there - here) // 2 for there, here in zip(places, sizes, strict=True))
            if self.at is None
            else each(self.at, len(places), "at")
        )
        for axis, place, size, start in zip(WHERE[len(places)], places, sizes, starts, strict=True):
            numbers = isinstance(place, int) and isinstance(size, int) and isinstance(start, int)
            if numbers and (start < 0 or start + size > place):  # type: ignore[operator]
                raise ShapeError(
                    f"takes {size} of a {axis} of {place}"
                    + (f", from {start} on" if self.at is not None else ""),
                    code="NC302",
                    argument=1 if self.size_of else 0,
                    other=0,
                    option=None if self.size_of else "sizes",
                    help="a `[pad]` makes it larger" if self.size_of else None,
                )
        return starts

    def lower(self, *inputs: Shape) -> Made:
        """A view."""
        from netcfg.builder.modules.resizing import Crop as Module

        shape = inputs[0]
        axes = place_axes(shape)
        at = None if self.at is None else each(self.at, len(axes), "at")
        return made(Module, axes, None if self.size_of else self._sizes(*inputs), at)

    def reach(self, *inputs: Shape) -> Reach | None:
        """One place, further in."""
        starts = self._starts(*inputs)
        if len(starts) != 2 or not known(starts) or starts[0] != starts[1]:
            return None
        start = starts[0]
        return Reach(1, Fraction(1), Fraction(-start)) if isinstance(start, int) else None

    def label(self) -> str:
        """The sizes."""
        return f"like {self.size_of}" if self.size_of else "×".join(map(str, self.sizes or ()))


def _one_of(sizes: tuple[int, ...] | None) -> str:
    found = "neither" if sizes is None else "both"
    return f"takes one of `sizes` and `size_of`, and has {found}"


def _expect_model(model: Shape | None, shape: Shape) -> None:
    """Refuse a signal of other axes as the one whose size is taken."""
    if model is not None and len(model) != len(shape):
        message = f"takes the size of {show(model) or 'one number'} for {show(shape)}"
        raise ShapeError(message, argument=1, other=0, help="a signal with the same axes of places")


def _divided(size: Size, factor: int, axis: str, shape: Shape) -> Size:
    if isinstance(size, int) and size % factor:
        raise ShapeError(
            f"has a factor of {factor}, which does not divide the {axis} of {show(shape)}", option="factor"
        )
    return size // factor


class PixelShuffle(_OfPlaces, name="pixel_shuffle"):
    """Channels become places: each pixel a square of `factor` by `factor`.

    Shapes: (C·factor²)×H×W -> C×(H·factor)×(W·factor).
    Source: Shi et al., "Real-Time Single Image and Video Super-Resolution", 2016; PyTorch's `PixelShuffle`.
    Example::

        [pixel_shuffle]        # 8x4x4 -> 2x8x8
        factor = 2
    """

    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    factor: Factor = Field(description="how many times larger")

    def shape(self, *inputs: Shape) -> Shape:
        """Larger by the factor."""
        _expect_image(inputs[0])
        channels, height, width = inputs[0]
        square = self.factor**2
        if isinstance(channels, int) and channels % square:
            raise ShapeError(
                f"makes a square of {square} pixels of as many channels, and is given {channels} ({show(inputs[0])})",
                option="factor",
            )
        return (channels // square, height * self.factor, width * self.factor)

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.pixel_shuffle({names[0]}, {self.factor})"

    def reach(self, *inputs: Shape) -> Reach:
        """One place."""
        return Reach(1, Fraction(1, self.factor))

    def label(self) -> str:
        """The factor."""
        return f"×{self.factor}"


class PixelUnshuffle(_OfPlaces, name="pixel_unshuffle"):
    """Places become channels: each square of `factor` by `factor` one pixel.

    Shapes: C×(H·factor)×(W·factor) -> (C·factor²)×H×W.
    Source: PyTorch's `PixelUnshuffle`.
    Example::

        [pixel_unshuffle]      # 2x8x8 -> 8x4x4
        factor = 2
    """

    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    factor: Factor = Field(description="how many times smaller")

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the factor."""
        _expect_image(inputs[0])
        channels, *sizes = inputs[0]
        places = (
            _divided(size, self.factor, axis, inputs[0]) for size, axis in zip(sizes, WHERE[2], strict=True)
        )
        return (channels * self.factor**2, *places)

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.pixel_unshuffle({names[0]}, {self.factor})"

    def reach(self, *inputs: Shape) -> Reach:
        """A square."""
        return Reach(self.factor, Fraction(self.factor))

    def label(self) -> str:
        """The factor."""
        return f"÷{self.factor}"


class Patches(_OfPlaces, name="patches"):
    """The pixels of each square side by side in the channels, column by column; odd sizes are filled up with zeros.

    Shapes: H×W×C -> ⌈H / size⌉×⌈W / size⌉×(size²·C), channels last.
    Source: Liu et al., "Swin Transformer", 2021, section 3.1; torchvision's `PatchMerging`.
    Example::

        [patches]              # 8x8x6 -> 4x4x24
        size = 2
    """

    takes: ClassVar[tuple[str, ...]] = ("HWC",)

    size: Factor = Field(2, description="of a square, in pixels")

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the size."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image with its channels last (H×W×C), and is given {show(inputs[0])}")
        height, width, channels = inputs[0]
        return (-(-height // self.size), -(-width // self.size), channels * self.size**2)

    def lower(self, *inputs: Shape) -> Made:
        """One copy."""
        from netcfg.builder.modules.resizing import Patches as Module

        return made(Module, self.size)

    def scratch(self, *inputs: Shape) -> Size:
        """A copy with zeros, where squares are not whole."""
        height, width, channels = inputs[0]
        if (
            isinstance(height, int)
            and isinstance(width, int)
            and not (height % self.size or width % self.size)
        ):
            return 0
        return volume((-(-height // self.size) * self.size, -(-width // self.size) * self.size, channels))

    def label(self) -> str:
        """The size."""
        return f"{self.size}×{self.size}"


def _expect_image(shape: Shape) -> None:
    if len(shape) != 3:
        raise ShapeError(f"needs an image (C×H×W), and is given {show(shape)}")
