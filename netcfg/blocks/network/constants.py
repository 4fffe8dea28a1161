"""Signals that come from no input: numbers that stay, and numbers that are learned."""

from typing import ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block, Count, Reference, expect_known
from netcfg.blocks.changing import Scheduled
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import LETTERS, AxisName
from netcfg.shapes import Shape, show


class _Source(Block):
    """One tensor under the block's own name, the same for all samples."""

    by_sample: ClassVar[bool] = True
    input_count: ClassVar[int | None] = 0
    roles: ClassVar[tuple[str, ...]] = ("like",)
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    sizes: tuple[Count, ...] = Field((), alias="shape", description="its sizes; one number by default")
    named: tuple[AxisName, ...] | None = Field(
        None, alias="axes", description="what they count, by name in order"
    )
    like: Reference | None = Field(None, description="a signal whose shape it takes")

    def conflict(self) -> str | None:
        """Nothing to read, and a name for each axis or none."""
        if self.from_ is not None:
            return "reads nothing: leave `from` out"
        if self.named is not None and len(self.named) != len(self.sizes):
            return f"names {len(self.named)} `axes` of {len(self.sizes)}"
        if self.like is not None and (self.sizes or self.named is not None):
            return "has the shape of `like`: leave `shape` and `axes` out"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """As declared, or that of `like`."""
        return tuple(self._sizes(*inputs))

    def _sizes(self, *inputs: Shape) -> tuple[int, ...]:
        """All of them, as numbers."""
        if self.like is None:
            return self.sizes
        return tuple(expect_known(size, f"the sizes of `{self.like}`") for size in inputs[0])

    def axes(self, *inputs: str) -> str:
        """Likewise; one size counts features."""
        if self.like is not None:
            return inputs[0]
        if self.named is None and len(self.sizes) == 1:
            return "F"
        return "".join(LETTERS[name] for name in self.named or ())

    def is_shared(self, *inputs: bool) -> bool:
        """The same for all samples."""
        return True

    def owns_tensor(self) -> bool:
        """It bears the block's name."""
        return True

    def inline(self, *names: str) -> str | None:
        """The tensor, with a batch axis of 1."""
        return f"{names[-1]}[None]"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """It sees nothing."""
        return None

    def label(self) -> str:
        """The sizes."""
        return f"like {self.like}" if self.like is not None else show(self.sizes)


class Constant(_Source, name="constant"):
    """Numbers that stay as they are: one value, or what a file of weights has under the block's name.

    A `value` that is the name of a [schedule] changes with it, and so what a [formula] says of this signal.

    Shapes: nothing -> `shape`, or the shape of `like`; the same for all samples.
    Buffers: one tensor that bears the block's own name.
    Example::

        [constant]             # -> 4x8
        shape = 4, 8
        value = 0.5
    """

    value: float | Scheduled = Field(0.0, description="of every number")

    def owns_tensor(self) -> bool:
        """Not of one that changes: nothing of it is to be kept."""
        return not isinstance(self.value, Scheduled)

    def inline(self, *names: str) -> str | None:
        """The tensor, where it has one."""
        return super().inline(*names) if self.owns_tensor() else None

    def lower(self, *inputs: Shape) -> Made:
        """The tensor, or what gives one that changes."""
        if isinstance(self.value, Scheduled):
            from netcfg.builder.modules.scaling import Changing

            return made(Changing, self._sizes(*inputs), self.value.name)
        from netcfg.builder.modules.scaling import Tensor

        return made(Tensor, self._sizes(*inputs), start=self.value, learned=False)


class Parameter(_Source, name="parameter"):
    """Numbers that are learned: queries, a table, a first image.

    Shapes: nothing -> `shape`, or the shape of `like`; the same for all samples.
    Parameters: one tensor that bears the block's own name.
    Source: Karras et al., "A Style-Based Generator Architecture", 2019 (its constant input).
    Example::

        [parameter]            # -> 4x8
        shape = 4, 8
        start = normal(0.02)
    """

    start: Initial = Field(Initial("normal", (1.0,)), description="where they start, N(0, 1) by default")

    def parameters(self, *inputs: Shape) -> int:
        """All of them."""
        total = 1
        for size in self._sizes(*inputs):
            total *= size
        return total

    def lower(self, *inputs: Shape) -> Made:
        """The tensor."""
        from netcfg.builder.modules.scaling import Tensor

        return made(Tensor, self._sizes(*inputs), initialization=self.start)
