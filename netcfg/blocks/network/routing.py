"""Blocks that pass signals on."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block, Reference, References, ShapeError
from netcfg.blocks.network.places import Dimension, Placed, axis_in_words
from netcfg.shapes import Shape, show


class Route(Block, name="route"):
    """Goes on from an earlier block.

    Shapes: the other block's.
    Source: AUDetNet, README, `[route]`.
    Example::

        [route]                # 8x4x4 -> 8x4x4
        branch_at_layer = -1
    """

    by_sample: ClassVar[bool] = True
    reference_option: ClassVar[str] = "branch_at_layer"
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    branch_at_layer: Reference | None = Field(
        None, description="the block to go on from (or `from`); the one before by default"
    )

    def references(self) -> References | None:
        """The one block."""
        return (self.branch_at_layer,) if self.branch_at_layer is not None else self.from_

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Its input."""
        return names[0]


class Identity(Block, name="identity"):
    """Gives what it is given.

    Shapes: any, unchanged.
    Source: AUDetNet, README, `[identity]`.
    Example::

        [identity]             # 8x4x4 -> 8x4x4
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Its input."""
        return names[0]


class SelectSubset(Placed, name="select_subset"):
    """A stretch of another block's output along one axis: `start_index` up to, not including, `end_index`.

    Shapes: axis 1 (channels or features) of C×H×W -> (end_index - start_index)×H×W, likewise the others. Without a
    start from the first one on, without an end to the last one. One of an axis, and the axis gone, is a [token].
    Source: AUDetNet, README, `[select_subset]`.
    Example::

        [select_subset]        # 8x4x4 -> 5x4x4
        origin_layer = -1
        dimension = 1
        start_index = 2
        end_index = 7
    """

    by_sample: ClassVar[bool] = True
    is_view: ClassVar[bool] = True
    reference_option: ClassVar[str] = "origin_layer"
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    origin_layer: Reference | None = Field(
        None, description="the block to select from (or `from`); the one before by default"
    )
    dimension: Dimension = Field(1, description="the axis, by name or number; the batch is 0, channels are 1")
    start_index: Annotated[int, Field(ge=0)] = Field(0, description="the first index taken")
    end_index: Annotated[int, Field(gt=0)] | None = Field(
        None, description="the first index not taken any more; None: to the end of the axis"
    )

    def references(self) -> References | None:
        """The one block."""
        return (self.origin_layer,) if self.origin_layer is not None else self.from_

    def conflict(self) -> str | None:
        """At least one index."""
        if self.end_index is not None and self.start_index >= self.end_index:
            return (
                f"selects nothing: `start_index` {self.start_index} is not below `end_index` {self.end_index}"
            )
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """The stretch along its axis."""
        shape, axis = inputs[0], self.axis(self.dimension, inputs[0])
        size = shape[axis - 1]
        end = size if self.end_index is None else self.end_index
        if isinstance(size, int) and isinstance(end, int) and end <= self.start_index:
            raise ShapeError(
                f"selects from index {self.start_index} of {axis_in_words(self.dimension)}, which has {size} "
                f"({show(shape)})",
                help=f"a `start_index` of at most {size - 1}",
                option="start_index",
            )
        if self.end_index is not None and isinstance(size, int) and self.end_index > size:
            raise ShapeError(
                f"selects up to index {self.end_index} of {axis_in_words(self.dimension)}, which has {size} "
                f"({show(shape)})",
                help=f"an `end_index` of at most {size}",
                option="end_index",
            )
        return (*shape[: axis - 1], end - self.start_index, *shape[axis:])

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """A view."""
        axis = self.written_axis(self.dimension)
        end = f"{names[0]}.shape[{axis}]" if self.end_index is None else self.end_index
        count = end - self.start_index if isinstance(end, int) else f"{end} - {self.start_index}"
        return f"{names[0]}.narrow({axis}, {self.start_index}, {count})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def label(self) -> str:
        """The stretch."""
        axis = "" if self.dimension == 1 else f", {axis_in_words(self.dimension)}"
        return f"{self.start_index}…{'' if self.end_index is None else self.end_index}{axis}"
