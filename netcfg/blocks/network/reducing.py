"""An axis less: means and the like, and one of an axis."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import ShapeError
from netcfg.blocks.network.places import AXIS, Dimension, Placed
from netcfg.shapes import Shape, known, show, volume

_CALLS = {
    "mean": "{x}.mean({axes}{keep})",
    "sum": "{x}.sum({axes}{keep})",
    "max": "{x}.amax({axes}{keep})",
    "min": "{x}.amin({axes}{keep})",
    "std": "{x}.std({axes}{keep})",
    "norm": "torch.linalg.vector_norm({x}, dim={axes}{keep})",
    "logsumexp": "torch.logsumexp({x}, {axes}{keep})",
}


class Reduce(Placed, name="reduce"):
    """The mean, sum or the like over one axis, several, or all numbers of a sample.

    Shapes: C×H×W -> C with `dimension = height, width`; C×1×1 with `keep`; without `dimension` one number.
    `max` and `min` share their gradient where several are the largest; `std` divides by one less than it counts.
    Source: PyTorch's functions of these names.
    Example::

        [reduce]               # 8x4x4 -> 8
        with = max
        dimension = height, width
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"

    with_: Literal["mean", "sum", "max", "min", "std", "norm", "logsumexp"] = Field(
        "mean", alias="with", description="what is made of them"
    )
    dimension: tuple[Dimension, ...] | None = Field(None, description=f"the axes, {AXIS}; all by default")
    keep: bool = Field(False, description="leave them with a size of 1")

    def conflict(self) -> str | None:
        """Each axis once, and some of them to keep."""
        if self.dimension is None:
            return "keeps all axes without a `dimension`: name them" if self.keep else None
        return "names an axis twice" if len(set(self.dimension)) < len(self.dimension) else None

    def shape(self, *inputs: Shape) -> Shape:
        """Without the axes."""
        shape, gone = inputs[0], self._gone(inputs[0])
        if not shape:
            raise ShapeError("has one number of each sample already, and no axis to reduce")
        together = volume(tuple(shape[axis - 1] for axis in gone))
        if self.with_ == "std" and together == 1:
            raise ShapeError(f"takes the deviation of one number from itself ({show(shape)})", option="with")
        if self.keep:
            return tuple(1 if axis in gone else size for axis, size in enumerate(shape, 1))
        return tuple(size for axis, size in enumerate(shape, 1) if axis not in gone)

    def _gone(self, shape: Shape) -> list[int]:
        if self.dimension is None:
            return list(range(1, len(shape) + 1))
        return [self.axis(dimension, shape) for dimension in self.dimension]

    def axes(self, *inputs: str) -> str:
        """The letters that are left; channels without places are features."""
        if self.keep or not inputs[0] or self.dimension is None:
            return inputs[0] if self.keep else ""
        gone = [self.written_axis(dimension) for dimension in self.dimension]
        left = "".join(letter for axis, letter in enumerate(inputs[0], 1) if axis not in gone)
        return left if {"H", "W"} & set(left) else left.replace("C", "F")

    def inline(self, *names: str) -> str:
        """Torch's own."""
        axes = (
            "(1,)"
            if self.dimension is None
            else f"({', '.join(str(self.written_axis(dimension)) for dimension in self.dimension)},)"
        )
        # How many axes there are is not known here; flattened, there is one.
        name = f"{names[0]}.flatten(1)" if self.dimension is None else names[0]
        return _CALLS[self.with_].format(x=name, axes=axes, keep=", keepdim=True" if self.keep else "")

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes of a mean or sum."""
        if self.with_ in ("mean", "sum"):
            return frozenset()
        return frozenset({"input", "output"})

    def overwritable(self) -> bool:
        """Only where its gradient does not need its output."""
        return self.with_ in ("mean", "sum")

    def reach(self, *inputs: Shape) -> None:
        """Whole axes."""
        return None

    def label(self) -> str:
        """What, and over which axes."""
        return ", ".join([self.with_, *map(str, self.dimension or ())])


class Token(Placed, name="token"):
    """One of an axis, and the axis gone: the class token, or a time.

    Shapes: L×F -> F; with another `dimension` likewise. An `index` below 0 counts from the end.
    Source: PyTorch's `select`.
    Example::

        [token]                # 5x16 -> 16
        index = 0
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True

    index: Annotated[int, Field(ge=-(2**31), lt=2**31)] = Field(0, description="which one, from 0")
    dimension: Dimension = Field(1, description=f"the axis, {AXIS}")

    def shape(self, *inputs: Shape) -> Shape:
        """Without the axis."""
        shape, axis = inputs[0], self.axis(self.dimension, inputs[0])
        size = shape[axis - 1]
        if known((size,)) and not -size <= self.index < size:  # type: ignore[operator]
            raise ShapeError(
                f"takes number {self.index} of axis `{self.dimension}`, which has {size} ({show(shape)})",
                option="index",
                help=f"{-size} to {size - 1}",  # type: ignore[operator]
            )
        return (*shape[: axis - 1], *shape[axis:])

    def axes(self, *inputs: str) -> str:
        """Without it."""
        axis = self.written_axis(self.dimension)
        return inputs[0][: axis - 1] + inputs[0][axis:] if inputs[0] else ""

    def inline(self, *names: str) -> str:
        """A view."""
        return f"{names[0]}.select({self.written_axis(self.dimension)}, {self.index})"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Not told by a window."""
        return None

    def label(self) -> str:
        """Which one."""
        return str(self.index)
