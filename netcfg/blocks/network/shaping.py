"""The same numbers in another order or shape."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import MAX_CHANNELS, Block, ShapeError, expect_known
from netcfg.blocks.network.places import AXIS, LETTERS, AxisName, Dimension, Placed, axes_of
from netcfg.shapes import Shape, Size, known, show, volume

NEW_AXES = "what the sizes count, by name in order (`channels, height, width`)"


def _letters(names: tuple[AxisName, ...]) -> str:
    return "".join(LETTERS[name] for name in names)


class _View(Block):
    """Numbers as they are, seen in another way."""

    by_sample: ClassVar[bool] = True

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Not told by a window."""
        return None


class Reshape(_View, name="reshape"):
    """The numbers of a sample in another shape, in the same order.

    Shapes: any -> `shape`, where one size may be -1: what is left.
    Source: PyTorch's `reshape`.
    Example::

        [reshape]              # 32 -> 8x2x2
        shape = 8, 2, -1
        axes = channels, height, width
    """

    is_view: ClassVar[bool] = True

    sizes: tuple[Annotated[int, Field(ge=-1, le=2**31)], ...] = Field(
        alias="shape", description="the new sizes, without the batch; one may be -1"
    )
    named: tuple[AxisName, ...] | None = Field(None, alias="axes", description=NEW_AXES)

    def conflict(self) -> str | None:
        """At most one size is left open, none is 0, and each axis has a name or none has."""
        if self.sizes.count(-1) > 1 or 0 in self.sizes:
            return "takes sizes of at least 1 as `shape`, and -1 once"
        if self.named is not None and len(self.named) != len(self.sizes):
            return f"names {len(self.named)} `axes` of {len(self.sizes)}"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """As asked for, if the numbers fill it."""
        total = volume(inputs[0])
        fixed = volume(tuple(size for size in self.sizes if size != -1))
        assert isinstance(fixed, int)
        if not known(inputs[0]):
            return self._symbolic(total, fixed, inputs[0])
        assert isinstance(total, int)
        if total % fixed if -1 in self.sizes else total != fixed:
            raise ShapeError(
                f"cannot put {total} numbers ({show(inputs[0])}) into {show(self.sizes)}: {fixed} "
                + ("does not divide them" if -1 in self.sizes else "fit"),
                option="shape",
            )
        return tuple(total // fixed if size == -1 else size for size in self.sizes)

    def _symbolic(self, total: Size, fixed: int, given: Shape) -> Shape:
        """Where sizes are unknown, what is left must divide for every size."""
        left = total // fixed
        if -1 not in self.sizes or left * fixed != total:
            raise ShapeError(
                f"needs to know how many numbers {show(given)} are",
                code="NC303",
                help="give the network's input a height and a width, or leave one size to -1",
            )
        return tuple(left if size == -1 else size for size in self.sizes)

    def axes(self, *inputs: str) -> str:
        """As it says."""
        return _letters(self.named) if self.named else ""

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"{names[0]}.reshape({', '.join(map(str, (f'{names[0]}.shape[0]', *self.sizes)))})"

    def label(self) -> str:
        """The sizes."""
        return "×".join("…" if size == -1 else str(size) for size in self.sizes)


class Permute(Placed, name="permute"):
    """The axes in another order.

    Shapes: C×H×W -> H×W×C with `order = height, width, channels`, likewise the others.
    Source: PyTorch's `permute`.
    Example::

        [permute]              # 6x8x4 -> 8x4x6
        order = height, width, channels
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True

    order: tuple[Dimension, ...] = Field(description=f"all axes, {AXIS}, in their new order")

    def conflict(self) -> str | None:
        """Each axis once."""
        return "names an axis twice in `order`" if len(set(self.order)) < len(self.order) else None

    def shape(self, *inputs: Shape) -> Shape:
        """The sizes in that order."""
        shape = inputs[0]
        order = [self.axis(dimension, shape, "order") for dimension in self.order]
        if sorted(order) != list(range(1, len(shape) + 1)):
            raise ShapeError(f"orders {len(order)} axes of {len(shape)} ({show(shape)})", option="order")
        return tuple(shape[axis - 1] for axis in order)

    def axes(self, *inputs: str) -> str:
        """The letters in that order; where nobody said, by the names that it has."""
        given = inputs[0] if inputs else ""
        if given:
            return "".join(given[self.written_axis(dimension) - 1] for dimension in self.order)
        names = [dimension for dimension in self.order if isinstance(dimension, str)]
        return _letters(tuple(names)) if len(names) == len(self.order) else ""

    def inline(self, *names: str) -> str:
        """Torch's own."""
        usual = axes_of((1,) * len(self.order), self._axes)
        numbers = [
            dimension if isinstance(dimension, int) else 1 + usual.index(LETTERS[dimension])
            for dimension in self.order
        ]
        return f"{names[0]}.permute(0, {', '.join(map(str, numbers))})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Height and width may be others now."""
        return None

    def label(self) -> str:
        """The order."""
        return ", ".join(map(str, self.order))


class Unsqueeze(_View, name="unsqueeze"):
    """A new axis of size 1.

    Shapes: 8×4 -> 1×8×4 with `dimension = 1`.
    Source: PyTorch's `unsqueeze`.
    Example::

        [unsqueeze]            # 8x4 -> 1x8x4
        dimension = 1
    """

    is_view: ClassVar[bool] = True

    dimension: Annotated[int, Field(ge=1, le=8)] = Field(
        description="where it will stand; 1 comes before all others"
    )
    named: AxisName | None = Field(None, alias="axis", description="what it counts")

    def shape(self, *inputs: Shape) -> Shape:
        """One axis more."""
        before = self.dimension - 1
        if before > len(inputs[0]):
            raise ShapeError(
                f"cannot put an axis at {self.dimension} of {len(inputs[0]) + 1} (batch×{show(inputs[0])})",
                option="dimension",
            )
        return (*inputs[0][:before], 1, *inputs[0][before:])

    def axes(self, *inputs: str) -> str:
        """With the new one's letter, where it has one that is not there."""
        given, letter = inputs[0], LETTERS[self.named] if self.named else ""
        before = self.dimension - 1
        return given[:before] + letter + given[before:] if letter and given and letter not in given else ""

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"{names[0]}.unsqueeze({self.dimension})"

    def label(self) -> str:
        """Where."""
        return f"axis {self.dimension}"


class Squeeze(Placed, name="squeeze"):
    """Takes an axis of size 1 out.

    Shapes: 1×8×4 -> 8×4 with `dimension = 1`.
    Source: PyTorch's `squeeze`.
    Example::

        [squeeze]              # 1x8x4 -> 8x4
        dimension = 1
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True

    dimension: Dimension = Field(description=f"the axis, {AXIS}")

    def shape(self, *inputs: Shape) -> Shape:
        """One axis less."""
        axis = self.axis(self.dimension, inputs[0])
        size = inputs[0][axis - 1]
        if size != 1:
            raise ShapeError(
                f"takes out an axis of size 1, and `{self.dimension}` has {size} ({show(inputs[0])})",
                option="dimension",
                help="[token] takes one of an axis, [reduce] a mean",
            )
        return (*inputs[0][: axis - 1], *inputs[0][axis:])

    def axes(self, *inputs: str) -> str:
        """Without it."""
        axis = self.written_axis(self.dimension)
        return inputs[0][: axis - 1] + inputs[0][axis:] if inputs[0] else ""

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"{names[0]}.squeeze({self.written_axis(self.dimension)})"

    def label(self) -> str:
        """Which axis."""
        return f"axis {self.dimension}" if isinstance(self.dimension, int) else self.dimension

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Height and width may be others now."""
        return None


class Roll(Placed, name="roll"):
    """Moves along axes, and what falls off one end comes in at the other.

    Shapes: any, unchanged. `by = 1`: what was first is second.
    Source: PyTorch's `roll`.
    Example::

        [roll]                 # 6x8x8 -> 6x8x8
        by = 2, -1
        dimension = height, width
    """

    by_sample: ClassVar[bool] = True

    by: tuple[int, ...] = Field(description="how far, for each axis or for all")
    dimension: tuple[Dimension, ...] = Field(description=f"the axes, {AXIS}")

    def conflict(self) -> str | None:
        """A distance for each axis."""
        if len(self.by) not in (1, len(self.dimension)):
            return f"has {len(self.by)} distances `by` for {len(self.dimension)} axes"
        return "names an axis twice" if len(set(self.dimension)) < len(self.dimension) else None

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if it has the axes."""
        for dimension in self.dimension:
            self.axis(dimension, inputs[0])
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Torch's own."""
        by = self.by * len(self.dimension) if len(self.by) == 1 else self.by
        axes = tuple(self.written_axis(dimension) for dimension in self.dimension)
        return f"{names[0]}.roll({by}, {axes})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True

    def reach(self, *inputs: Shape) -> None:
        """One place, elsewhere."""
        return None

    def label(self) -> str:
        """How far."""
        return ", ".join(map(str, self.by))


class ChannelShuffle(Block, name="channel_shuffle"):
    """Channels of groups in turn: the first of each, the second of each, and so on.

    Shapes: C×H×W, unchanged.
    Source: Zhang et al., "ShuffleNet", 2018, figure 1; PyTorch's `ChannelShuffle`.
    Example::

        [channel_shuffle]      # 6x8x8 -> 6x8x8
        groups = 3
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    groups: Annotated[int, Field(ge=2, le=MAX_CHANNELS)] = Field(description="of channels that lie together")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the groups divide the channels."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image (C×H×W), and is given {show(inputs[0])}")
        channels = expect_known(inputs[0][0], "its channels")
        if channels % self.groups:
            raise ShapeError(
                f"divides {channels} channels into {self.groups} groups: {channels % self.groups} are left over",
                option="groups",
            )
        if channels == self.groups:
            raise ShapeError(
                f"shuffles {channels} groups of one channel: nothing would change", option="groups"
            )
        return inputs[0]

    def inline(self, *names: str) -> str:
        """A view, its two axes of channels the other way round, as one again."""
        return f"{names[0]}.unflatten(1, ({self.groups}, -1)).transpose(1, 2).flatten(1, 2)"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def label(self) -> str:
        """The groups."""
        return f"{self.groups} groups"
