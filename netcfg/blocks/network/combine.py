"""Blocks that make one signal of several."""

from typing import ClassVar, Literal

from pydantic import Field

from netcfg.axes import AXES, axes_in_words
from netcfg.blocks.base import Block, Reach, References, ShapeError
from netcfg.blocks.meeting import ByAxes, aligned, axes_in, common_axes, common_sizes, repeated
from netcfg.blocks.network.places import LETTERS, Dimension, axis_in_words, axis_of, written_axis_of
from netcfg.shapes import Shape, Size, differ, show

COMBINE_LAYERS = "the blocks it combines (or `from`)"


def _unequal(first: Shape, second: Shape, joined: int | None = None) -> str:
    """Which sizes differ, as `30 ≠ 32 (height)`; not counting the axis along which they are joined."""
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} axes"
    names = (
        ("channels", "height", "width")
        if len(first) == 3
        else tuple(f"axis {axis + 1}" for axis in range(len(first)))
    )
    sizes = zip(names, first, second, strict=True)
    rows = [
        f"{here} ≠ {there} ({name})"
        for axis, (name, here, there) in enumerate(sizes)
        if axis != joined and differ(here, there)
    ]
    return ", ".join(rows)


def expect_equal(verb: str, inputs: tuple[Shape, ...]) -> None:
    """Refuse signals of different shapes; `verb` says what is done with them."""
    first = inputs[0]
    for argument, shape in enumerate(inputs[1:], 1):
        if len(shape) != len(first) or any(map(differ, first, shape)):
            message = f"{verb} {show(first)} and {show(shape)}: {_unequal(first, shape)}"
            raise ShapeError(message, argument=argument)


def _concatenated(inputs: tuple[Shape, ...], axis: int) -> Shape:
    """The shape of signals joined along an axis (0: channels); the other axes must agree."""
    first = inputs[0]
    if axis >= len(first):
        raise ShapeError(
            f"has no axis {axis + 1}: batch×{show(first)} has axes 0 to {len(first)}",
            argument=0,
            option="dimension",
        )
    total: Size = first[axis]
    for argument, shape in enumerate(inputs[1:], 1):
        if len(shape) != len(first) or any(
            differ(here, there)
            for place, (here, there) in enumerate(zip(first, shape, strict=True))
            if place != axis
        ):
            raise ShapeError(
                f"joins {show(first)} and {show(shape)} along axis {axis + 1}: {_unequal(first, shape, axis)}",
                argument=argument,
            )
        total = total + shape[axis]
    return (*first[:axis], total, *first[axis + 1 :])


class _Combination(ByAxes):
    """Blocks whose inputs meet by axes, where all of them are known, and by position where they are not."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "combination"
    reference_option: ClassVar[str] = "combine_layers"
    requires_references: ClassVar[bool] = True
    input_count: ClassVar[int | None] = None

    combine_layers: References | None = Field(None, description=COMBINE_LAYERS)

    def goes_by_position(self, axes: tuple[str, ...]) -> bool:
        """Images alone."""
        return set(axes) == {"CHW"}

    def axes(self, *inputs: str) -> str:
        """All that any of them has."""
        if self.given is not None:
            return common_axes(self.given)
        return inputs[0] if len(set(inputs)) == 1 else ""

    def _aligned(self, names: tuple[str, ...]) -> list[str]:
        if self.given is None:
            return list(names)
        joint = common_axes(self.given)
        return [aligned(name, own, joint) for name, own in zip(names, self.given, strict=True)]


class CombineConcat(_Combination, name="combine_concat"):
    """Joins signals along an axis.

    Shapes: along axis 1 (channels), C1×H×W and C2×H×W -> (C1 + C2)×H×W; the other sizes must agree. Signals of
    other axes meet by name, and what one lacks is repeated: C×H×W and F -> (C + F)×H×W.
    Source: AUDetNet, README, `[combine_concat]`.
    Example::

        [combine_concat]       # 8x4x4, 8x4x4 -> 16x4x4
        combine_layers = -1, -1
        dimension = 1
    """

    dimension: Dimension = Field(
        1, description="the axis of the first of them, by name or number; the batch is 0, channels are 1"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """The sum along the axis."""
        if self.given is None or (isinstance(self.dimension, int) and self.dimension > len(inputs[0])):
            return _concatenated(inputs, axis_of(self.dimension, inputs[0], "") - 1)
        joint, along = common_axes(self.given), self._along
        total: Size = 0
        for argument, (shape, axes) in enumerate(zip(inputs, self.given, strict=True)):
            place = axes_in(axes, joint).find(along)
            if place < 0:
                words = f"joins along {AXES[along]}, and is given {axes_in_words(axes)}"
                raise ShapeError(words, argument=argument, option="dimension")
            total = total + shape[place]
        verb = f"joins {{}} and {{}} along {AXES[along]}"
        sizes = common_sizes(inputs, self.given, verb, apart=along) | {along: total}
        return tuple(sizes[letter] for letter in joint)

    @property
    def _along(self) -> str:
        """The axis along which it joins, where axes are known."""
        assert self.given is not None
        joint = common_axes(self.given)
        if isinstance(self.dimension, str):
            return axes_in(LETTERS[self.dimension], joint)
        return axes_in(self.given[0], joint)[self.dimension - 1]

    def inline(self, *names: str) -> str:
        """Torch's own."""
        if self.given is None:
            return f"torch.cat(({', '.join(names)},), {written_axis_of(self.dimension, '')})"
        joint, along = common_axes(self.given), self._along
        pairs = list(zip(names, self.given, strict=True))
        joined = ", ".join(repeated(name, own, joint, along, pairs) for name, own in pairs)
        return f"torch.cat(({joined},), {joint.index(along) + 1})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def label(self) -> str:
        """The axis, where it is not the channels."""
        return "" if self.dimension == 1 else axis_in_words(self.dimension)


class CombineMultiply(_Combination, name="combine_multiply"):
    """The product of signals, number by number. The factors stay as they are.

    Shapes: the first one's; the others have the same, or 1 where they hold for a whole axis. Signals of other axes
    meet by name, and what one lacks is repeated: C×H×W and F -> C×H×W, a factor a channel; T×F and T -> T×F.
    Source: AUDetNet, README, `[combine_multiply]` (its code also overwrites the first factor).
    Example::

        [combine_multiply]     # 8x4x4, 8x4x4 -> 8x4x4
        combine_layers = -1, -1
    """

    each_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        """The first one's, or what they have together."""
        if self.given is not None:
            sizes = common_sizes(inputs, self.given, "multiplies {} by {}", stretched=True)
            return tuple(sizes[letter] for letter in common_axes(self.given))
        first = inputs[0]
        for argument, shape in enumerate(inputs[1:], 1):
            if len(shape) != len(first) or any(
                there != 1 and differ(here, there) for here, there in zip(first, shape, strict=True)
            ):
                raise ShapeError(
                    f"multiplies {show(first)} by {show(shape)}: {_unequal(first, shape)}", argument=argument
                )
        return first

    def inline(self, *names: str) -> str:
        """The product."""
        return " * ".join(self._aligned(names))

    def gradient_needs(self) -> frozenset[str]:
        """The factors."""
        return frozenset({"input"})


class CombineAdd(_Combination, name="combine_add"):
    """The sum of signals, number by number: a residual connection.

    Shapes: all the same, unchanged. Signals of other axes meet by name, and what one lacks is repeated: L×F and F ->
    L×F.
    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, equation (1).
    Example::

        [combine_add]          # 8x4x4, 8x4x4 -> 8x4x4
        combine_layers = -1, -1
    """

    each_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        """The common one."""
        if self.given is not None:
            sizes = common_sizes(inputs, self.given, "adds {} and {}")
            return tuple(sizes[letter] for letter in common_axes(self.given))
        expect_equal("adds", inputs)
        return inputs[0]

    def inline(self, *names: str) -> str:
        """The sum."""
        return " + ".join(self._aligned(names))

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()


class FlowFusion(Block, name="flow_fusion"):
    """Puts an image and its optical flow into one picture: side by side, one above the other, or as channels.

    Shapes: two C×H×W -> C×H×2W (`horizontal`), C×2H×W (`vertical`) or 2C×H×W (`channels`).
    Source: Romero, León, Arbeláez, "Multi-View Dynamic Facial Action Unit Detection", 2018, figure 3.
    Example::

        [flow_fusion]          # 3x8x8, 3x8x8 -> 3x8x16
        combine_layers = -1, -1
        mode = horizontal
    """

    family: ClassVar[str] = "fusion"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)
    reference_option: ClassVar[str] = "combine_layers"
    requires_references: ClassVar[bool] = True
    input_count: ClassVar[int | None] = None

    combine_layers: References | None = Field(None, description="the image, then the flow (or `from`)")
    mode: Literal["horizontal", "vertical", "channels"] = Field(
        description="along the width, height or channels"
    )

    @property
    def _axis(self) -> int:
        return {"channels": 0, "vertical": 1, "horizontal": 2}[self.mode]

    def shape(self, *inputs: Shape) -> Shape:
        """The joined picture."""
        for argument, shape in enumerate(inputs):
            if len(shape) != 3:
                raise ShapeError(f"needs images (C×H×W), and is given {show(shape)}", argument=argument)
        return _concatenated(inputs, self._axis)

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"torch.cat(({', '.join(names)},), {self._axis + 1})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def reach(self, *inputs: Shape) -> Reach:
        """One place of one of them, or of both: seen in the joined picture."""
        return Reach()

    def label(self) -> str:
        """The mode."""
        return self.mode
