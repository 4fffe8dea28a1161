"""More blocks that make one signal of several."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, References, ShapeError
from netcfg.blocks.network.combine import COMBINE_LAYERS, expect_equal
from netcfg.blocks.network.places import LETTERS, AxisName
from netcfg.shapes import Shape, Size, show, volume


class _OfEqual(Block):
    """Signals of one shape."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "combination"
    reference_option: ClassVar[str] = "combine_layers"
    requires_references: ClassVar[bool] = True
    input_count: ClassVar[int | None] = None
    verb: ClassVar[str]

    combine_layers: References | None = Field(None, description=COMBINE_LAYERS)

    def shape(self, *inputs: Shape) -> Shape:
        """The common one."""
        expect_equal(self.verb, inputs)
        return inputs[0]

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True


class CombineSubtract(_OfEqual, name="combine_subtract"):
    """The first signal without the second, number by number.

    Shapes: both the same, unchanged.
    Example::

        [combine_subtract]     # 8x4x4, 8x4x4 -> 8x4x4
        combine_layers = -1, -1
    """

    each_place: ClassVar[bool] = True

    input_count: ClassVar[int | None] = 2
    verb: ClassVar[str] = "subtracts"

    def inline(self, *names: str) -> str:
        """The difference."""
        return " - ".join(names)


class CombineMax(_OfEqual, name="combine_max"):
    """The largest of signals, number by number; equal ones share the gradient.

    Shapes: all the same, unchanged.
    Source: Goodfellow et al., "Maxout Networks", 2013.
    Example::

        [combine_max]          # 8x4x4, 8x4x4 -> 8x4x4
        combine_layers = -1, -1
    """

    each_place: ClassVar[bool] = True

    verb: ClassVar[str] = "compares"

    def inline(self, *names: str) -> str:
        """Torch's own, two by two."""
        expression = names[0]
        for name in names[1:]:
            expression = f"torch.maximum({expression}, {name})"
        return expression

    def gradient_needs(self) -> frozenset[str]:
        """Which was the largest."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """One signal alone it gives itself."""
        return False

    def kept(self, *inputs: Shape) -> Size:
        """The largest so far, of more than two."""
        return volume(inputs[0]) * max(0, len(inputs) - 2)

    def scratch(self, *inputs: Shape) -> Size:
        """The largest so far, of more than two."""
        return volume(inputs[0]) if len(inputs) > 2 else 0


class CombineMean(_OfEqual, name="combine_mean"):
    """The mean of signals, number by number.

    Shapes: all the same, unchanged.
    Example::

        [combine_mean]         # 8x4x4, 8x4x4 -> 8x4x4
        combine_layers = -1, -1
    """

    each_place: ClassVar[bool] = True

    verb: ClassVar[str] = "takes the mean of"

    def inline(self, *names: str) -> str:
        """The sum, divided."""
        return f"({' + '.join(names)}) / {len(names)}"

    def scratch(self, *inputs: Shape) -> Size:
        """The sum."""
        return volume(inputs[0])


class Stack(_OfEqual, name="stack"):
    """Signals of one shape beside each other, along a new axis.

    Shapes: n of S -> n×S with `dimension = 1`.
    Source: PyTorch's `stack`.
    Example::

        [stack]                # 16, 16 -> 2x16
        combine_layers = -1, -1
    """

    verb: ClassVar[str] = "stacks"

    dimension: Annotated[int, Field(ge=1, le=8)] = Field(
        1, description="where the new axis stands; 1 comes before all others"
    )
    named: AxisName | None = Field(None, alias="axis", description="what it counts")

    def shape(self, *inputs: Shape) -> Shape:
        """One axis more."""
        expect_equal(self.verb, inputs)
        before = self.dimension - 1
        if before > len(inputs[0]):
            raise ShapeError(
                f"cannot put an axis at {self.dimension} of {len(inputs[0]) + 1} (batch×{show(inputs[0])})",
                option="dimension",
            )
        return (*inputs[0][:before], len(inputs), *inputs[0][before:])

    def axes(self, *inputs: str) -> str:
        """With the new one's letter, where it has one that is not there."""
        given, letter = inputs[0], LETTERS[self.named] if self.named else ""
        before = self.dimension - 1
        return given[:before] + letter + given[before:] if letter and letter not in given else ""

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"torch.stack(({', '.join(names)},), {self.dimension})"

    def label(self) -> str:
        """Where, if it is not first."""
        return "" if self.dimension == 1 else f"axis {self.dimension}"
