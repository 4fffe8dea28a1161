"""Making feature maps smaller and larger."""

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, Reach, Reference, ShapeError
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
from netcfg.blocks.network.windows import (
    SIZES,
    Kernels,
    Numbers,
    each,
    expect_kernel,
    in_words,
    spread,
    square_reach,
    too_many,
    windows,
    windows_arithmetic,
)
from netcfg.shapes import Shape, Size, known, show, volume


class _Pool(Block):
    """What makes one number of each window."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = PLACES

    pool_size: Kernels = Field(description=f"window sides, in pixels: {SIZES}")
    stride: Kernels = Field(description="step between windows, in pixels, likewise")
    pad: Numbers = Field((0,), description="border on each side, in pixels, likewise")
    ceil_mode: bool = Field(False, description="also the last window, which hangs over the edge")

    def conflict(self) -> str | None:
        """One to three numbers for each option."""
        return too_many(pool_size=self.pool_size, stride=self.stride, pad=self.pad)

    def _window(self, shape: Shape) -> tuple[tuple[int, ...], ...]:
        """Size, stride, border and dilation, by axis."""
        count = len(places_of(shape))
        pools = each(self.pool_size, count, "pool_size")
        pads = each(self.pad, count, "pad")
        for pad, side in zip(pads, pools, strict=True):
            if 2 * pad > side:
                message = f"pads {pad}, more than half its pool of {side}"
                raise ShapeError(message, argument=None, option="pad")
        return pools, each(self.stride, count, "stride"), pads, self._dilated(count)

    def _dilated(self, count: int) -> tuple[int, ...]:
        return (1,) * count

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the stride."""
        shape = inputs[0]
        expect_places(shape)
        expect_kernel(self.pool_size, shape, "pool_size")
        places = self._ceiled(shape) if self.ceil_mode else windows(places_of(shape), *self._window(shape))
        return with_places(shape, channels_of(shape), places)

    def _ceiled(self, shape: Shape) -> Shape:
        """One window more where something is left, if it begins inside the input or the border before it."""
        window, found = self._window(shape), windows(places_of(shape), *self._window(shape))
        rows = zip(places_of(shape), found, *window, WHERE[len(found)], strict=True)
        return tuple(_ceiled_size(*row) for row in rows)

    def axes(self, *inputs: str) -> str:
        """Those it is given; an image's where nobody said."""
        return inputs[0] or "CHW"

    def reach(self, *inputs: Shape) -> Reach | None:
        """Its window."""
        return square_reach(*self._window(inputs[0]))

    def arithmetic(self, *inputs: Shape) -> str:
        """The windows along each axis."""
        return "" if self.ceil_mode else windows_arithmetic(inputs[0], *self._window(inputs[0]))

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def label(self) -> str:
        """Window and stride."""
        stride = "×".join(map(str, dict.fromkeys(self.stride)))
        return f"{in_words(self.pool_size)}, stride {stride}"


def _ceiled_size(size: Size, found: Size, side: int, stride: int, pad: int, dilation: int, axis: str) -> Size:
    """How many windows there are with the last one, which may hang over the edge."""
    if not isinstance(size, int):
        raise ShapeError(
            f"needs to know its {axis}, which is only known as `{size}`",
            code="NC303",
            help="give the network's input a height and a width, or leave `ceil_mode` out",
        )
    count = -(-(size + 2 * pad - spread(side, dilation)) // stride) + 1
    # PyTorch's rule: no window begins in the border behind.
    return count - 1 if (count - 1) * stride >= size + pad else count


class MaxPool(_Pool, name="maxpool"):
    """The largest number of each window.

    Shapes: C×H×W -> C×H'×W', H' = (H + 2·pad - dilation·(pool_size - 1) - 1) // stride + 1; likewise L×F and, where
    a window has three numbers, T×C×H×W.
    Source: AUDetNet, README, `[maxpool]`; PyTorch's `MaxPool1d` to `MaxPool3d`.
    Example::

        [maxpool]              # 6x8x8 -> 6x4x4
        pool_size = 2
        stride = 2
    """

    dilation: Kernels = Field((1,), description="step between the numbers of a window, likewise")

    def conflict(self) -> str | None:
        """One to three numbers for each option."""
        return too_many(dilation=self.dilation) or super().conflict()

    def _dilated(self, count: int) -> tuple[int, ...]:
        return each(self.dilation, count, "dilation")

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.pooling import max_pool

        return made(max_pool(len(inputs[0])), *self._window(inputs[0]), ceil_mode=self.ceil_mode)

    def scratch(self, *inputs: Shape) -> Size:
        """Where the largest numbers are, in eight bytes each."""
        return volume(self.shape(*inputs)) * 2

    def kept(self, *inputs: Shape) -> Size:
        """The same, for the gradient."""
        return self.scratch(*inputs)


class AvgPool(_Pool, name="avgpool"):
    """The mean of each window.

    Shapes: C×H×W -> C×H'×W', H' = (H + 2·pad - pool_size) // stride + 1; likewise L×F and, where a window has three
    numbers, T×C×H×W.
    Source: AUDetNet, README, `[avgpool]`; PyTorch's `AvgPool1d` to `AvgPool3d`.
    Example::

        [avgpool]              # 6x8x8 -> 6x4x4
        pool_size = 2
        stride = 2
    """

    count_include_pad: bool = Field(True, description="divide by all of a window, border and all")
    divisor: Count | None = Field(None, description="divide by this instead; not along one axis")

    def conflict(self) -> str | None:
        """What counts is either given or told by the window."""
        if self.divisor is not None and not self.count_include_pad:
            return "divides by its `divisor`, and `count_include_pad` is of no effect then"
        return super().conflict()

    def shape(self, *inputs: Shape) -> Shape:
        """Smaller by the stride."""
        made = super().shape(*inputs)
        if self.divisor is not None and len(inputs[0]) == 2:
            raise ShapeError(f"divides by its window along one axis ({show(inputs[0])})", option="divisor")
        return made

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.pooling import avg_pool

        size, stride, pad, _ = self._window(inputs[0])
        options: dict[str, int] = {"ceil_mode": self.ceil_mode, "count_include_pad": self.count_include_pad}
        if self.divisor is not None:
            options["divisor_override"] = self.divisor
        return made(avg_pool(len(inputs[0])), size, stride, pad, **options)


class GlobalAvgPool(Block, name="global_avgpool"):
    """The mean of each channel over the whole image.

    Shapes: C×H×W -> C; L×F -> F; T×C×H×W -> C.
    Source: Lin, Chen, Yan, "Network in Network", 2014, section 3.2.
    Example::

        [global_avgpool]       # 8x4x4 -> 8
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
        """The mean over all places."""
        from netcfg.builder.modules.pooling import Mean

        return made(Mean, place_axes(inputs[0]))

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()


_MODES = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}
"""Ways to fill in along so many axes; `nearest` and `area` go along any."""


class Upsample(Block, name="upsample"):
    """A larger (or smaller) image, row or clip by interpolation.

    Shapes: C×H×W -> C×H'×W': `output_sizes` (height, width) where given, those of the signal `size_of`, else
    H' = floor(H · scale_factor). L×F -> L'×F; T×C×H×W -> T'×C×H'×W', by three numbers. `only = smaller` leaves what is
    as large already, `only = larger` what is as small: one block for maps of several sizes.
    Source: AUDetNet, README, `[upsample]`; PyTorch's `interpolate`.
    Example::

        [upsample]             # 6x8x8 -> 6x16x16
        output_sizes = None
        scale_factor = 2
        mode = bilinear
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "upsampling"
    takes: ClassVar[tuple[str, ...]] = PLACES
    roles: ClassVar[tuple[str, ...]] = ("size_of",)

    output_sizes: tuple[Count, ...] | None = Field(
        None, description="height and width, or one number for both; on clips frames, height, width"
    )
    scale_factor: tuple[Annotated[float, Field(ge=0, le=4096)], ...] | None = Field(
        None, description="how many times larger, likewise"
    )
    size_of: Reference | None = Field(None, description="the signal whose height and width it takes")
    mode: Literal["nearest", "linear", "bilinear", "trilinear", "bicubic", "area"] = Field(
        "nearest", description="how to fill in: `linear` along one axis, `bilinear` two, `trilinear` three"
    )
    align_corners: bool = Field(
        False, description="the middles of the outermost pixels stay the outermost ones"
    )
    only: Literal["smaller", "larger"] | None = Field(None, description="change only such signals")

    def conflict(self) -> str | None:
        """One of sizes, a signal that has them, and a factor."""
        given = {
            "output_sizes": self.output_sizes,
            "scale_factor": self._scales,
            "size_of": self.size_of,
        }
        for key in ("output_sizes", "scale_factor"):
            numbers = given[key]
            if isinstance(numbers, tuple) and len(numbers) > 3:
                return f"takes one to three numbers as `{key}`, and has {len(numbers)}"
        named = [f"`{key}`" for key, value in given.items() if value]
        if len(named) != 1:
            found = " and ".join(named) or "none of them"
            return f"takes one of `output_sizes`, `scale_factor` and `size_of`, and has {found}"
        if self.align_corners and self.mode in ("nearest", "area"):
            return f"aligns corners, which `mode = {self.mode}` does not know"
        return (
            "changes `only` some images by a factor: write `output_sizes`"
            if self.only and self._scales
            else None
        )

    @property
    def _scales(self) -> tuple[float, ...] | None:
        """The factors; AUDetNet's files write 0 where there are none."""
        return self.scale_factor if self.scale_factor and any(self.scale_factor) else None

    def shape(self, *inputs: Shape) -> Shape:
        """As asked for."""
        shape = inputs[0]
        expect_places(shape)
        count = len(places_of(shape))
        for key, numbers in (("output_sizes", self.output_sizes), ("scale_factor", self._scales)):
            if numbers is not None:
                _expect_all_axes(numbers, shape, key)
        if self.mode not in ("nearest", "area", *_MODES[count]):
            along = "one axis" if count == 1 else f"{count} axes"
            raise ShapeError(
                f"is given {show(shape)}, along whose {along} there is no `{self.mode}`",
                option="mode",
                help=" or ".join(f"`mode = {mode}`" for mode in (*_MODES[count], "nearest")),
            )
        wanted = self._wanted(*inputs)
        return shape if self._stays(shape, wanted) else with_places(shape, channels_of(shape), wanted)

    def _wanted(self, *inputs: Shape) -> Shape:
        """The sizes along the axes of places."""
        model, places = self.of_role("size_of", inputs), places_of(inputs[0])
        if model is not None:
            if len(model) != len(inputs[0]):
                message = f"takes the size of {show(model) or 'one number'} for {show(inputs[0])}"
                raise ShapeError(message, argument=1, other=0, help="a signal with the same axes of places")
            return places_of(model)
        if self.output_sizes:
            return each(self.output_sizes, len(places), "output_sizes")
        factors = self._factors(len(places))
        return tuple(_scaled(size, factor) for size, factor in zip(places, factors, strict=True))

    def _factors(self, count: int) -> tuple[float, ...]:
        factors = self._scales or ()
        return factors * count if len(factors) == 1 else factors

    def _stays(self, shape: Shape, wanted: Shape) -> bool:
        """Whether it leaves the signal as it is, by `only`."""
        if self.only is None:
            return False
        numbers = [*places_of(shape), *wanted]
        if not known(tuple(numbers)):
            raise ShapeError(
                f"changes only {self.only} images, and is given {show(shape)}",
                code="NC303",
                option="only",
                help="give the network's input a height and a width",
            )
        here, there = volume(places_of(shape)), volume(wanted)
        return here >= there if self.only == "smaller" else here <= there  # type: ignore[operator]

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.resizing import Upsample as Module

        wanted = self._wanted(*inputs)
        # Of another signal, the size is the one that comes, which need not be the file's.
        sizes = None if self._scales or not known(wanted) or self.size_of else wanted
        factors = self._factors(len(wanted)) if self._scales else None
        # `interpolate` refuses the flag, even `False`, where it has no meaning.
        corners = self.align_corners if self.mode not in ("nearest", "area") else None
        return made(
            Module,
            sizes,
            factors,
            mode=self.mode,
            align_corners=corners,
            stays=self._stays(inputs[0], wanted),
            turned=channels_second(inputs[0]),
        )

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes of most ways to fill in."""
        return frozenset({"input"} if self.mode == "area" else ())

    def reach(self, *inputs: Shape) -> Reach | None:
        """One pixel (`nearest`), or its neighbours too, where the size is a whole number of times the input's."""
        made = self.shape(*inputs)
        if len(made) != 3:
            return None
        height, width = (
            Fraction(there, here) if isinstance(here, int) and isinstance(there, int) else None
            for here, there in zip(inputs[0][1:], made[1:], strict=True)
        )
        pixels = {"nearest": 1, "bilinear": 2, "bicubic": 4}.get(self.mode)
        if (
            pixels is None
            or height is None
            or height != width
            or height.denominator != 1
            or self.align_corners
        ):
            return None
        return Reach() if height == 1 else Reach(pixels, 1 / height, Fraction(pixels // 2))

    def label(self) -> str:
        """Factor or size, and mode."""
        sizes, factors = self.output_sizes, self._scales
        if self.size_of:
            return f"like {self.size_of}, {self.mode}"
        size = in_words(sizes) if sizes else "×" + "×".join(f"{factor:g}" for factor in factors or ())
        return f"{size}, {self.mode}"


def _scaled(size: Size, factor: float) -> Size:
    if isinstance(size, int):
        scaled: Size = int(size * factor)  # in floating point, as torch does it
    else:
        ratio = Fraction(str(factor))
        scaled = (size * ratio.numerator) // ratio.denominator
    if scaled == 0:
        raise ShapeError(f"leaves nothing of {size} pixels at a factor of {factor}", option="scale_factor")
    return scaled


def _expect_all_axes(numbers: tuple[float, ...], shape: Shape, option: str) -> None:
    """Refuse one or two numbers on a clip, where a forgotten `over` would be another network."""
    count = len(places_of(shape))
    written = ", ".join(f"{number:g}" for number in numbers)
    if count == 3 and len(numbers) != 3:
        frames = show(shape[:1]) if option == "output_sizes" else "1"
        sides = written if len(numbers) == 2 else f"{written}, {written}"
        raise ShapeError(
            f"is given a clip ({show(shape)}), and `{option} = {written}` says nothing of frames",
            option=option,
            help=f"`over = frames` for each frame by itself, or three numbers: `{option} = {frames}, {sides}`",
        )
    if len(numbers) not in (1, count):
        axes = ", ".join(WHERE[count])
        raise ShapeError(
            f"has {len(numbers)} numbers as `{option}`, for {count} {'axis' if count == 1 else 'axes'} ({axes})",
            option=option,
        )
