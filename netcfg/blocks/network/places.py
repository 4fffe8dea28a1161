"""Where the axes of a signal stand: channels, places, and the axis that a file names.

What counts along an axis asks here, by the axes that a signal says it has; where nobody said, by how many there are:
F, L×F, C×H×W, T×C×H×W.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netcfg.axes import AXES
from netcfg.blocks.base import ShapeError
from netcfg.blocks.meeting import ByAxes
from netcfg.shapes import Shape, Size, show

AxisName = Literal["frames", "tokens", "objects", "channels", "height", "width", "features"]
Dimension = Annotated[int, Field(ge=1, le=8)] | AxisName
"""An axis by its name, or by its number: the batch is 0, channels or features mostly 1."""

AXIS = "by name, or counted from 1 (the batch is 0)"
SIGNALS = ("F", "C", "LF", "TF", "NF", "CHW", "TCHW")
"""What works along one, two or three axes, or along none, takes."""
PLACES = ("LF", "TF", "NF", "CHW", "TCHW")

_BY_RANK = ("", "F", "LF", "CHW", "TCHW")
# From the end where that is the same for images and clips: the height is -2 in both.
_USUAL = {"frames": 1, "objects": 1, "tokens": -2, "channels": -3, "height": -2, "width": -1, "features": -1}
LETTERS = {name: letter for letter, name in AXES.items()}
WHERE = {1: ("length",), 2: ("height", "width"), 3: ("frames", "height", "width")}
"""The names of the axes of places, by their number."""


class Placed(ByAxes):
    """A block that counts along axes which its first input may have anywhere."""

    @property
    def _axes(self) -> str:
        """Those of its first input; "" where nobody said."""
        return self.given[0] if self.given else ""

    def axis(self, dimension: int | str, shape: Shape, option: str = "dimension") -> int:
        """The number of an axis in a signal of this shape, the batch 0. Raises `ShapeError` where there is none."""
        return axis_of(dimension, shape, self._axes, option)

    def written_axis(self, dimension: int | str) -> int:
        """The same for a line of Python, without the shape: counted from the end where nobody said axes."""
        return written_axis_of(dimension, self._axes)


def axis_of(dimension: int | str, shape: Shape, axes: str, option: str = "dimension") -> int:
    """The number of an axis of a signal, the batch 0. Raises `ShapeError` where there is none."""
    axes = axes_of(shape, axes)
    if isinstance(dimension, int):
        if dimension > len(shape):
            message = f"has no axis {dimension}: batch×{show(shape)} has axes 0 to {len(shape)}"
            raise ShapeError(message, option=option)
        return dimension
    if LETTERS[dimension] not in axes:
        named = "×".join(AXES[letter] for letter in axes) or "one number"
        raise ShapeError(f"has no axis `{dimension}`: it is given {named} ({show(shape)})", option=option)
    return 1 + axes.index(LETTERS[dimension])


def written_axis_of(dimension: int | str, axes: str) -> int:
    """The same without the shape: counted from the end where nobody said axes."""
    if isinstance(dimension, int):
        return dimension
    return 1 + axes.index(LETTERS[dimension]) if axes else _USUAL[dimension]


def axis_in_words(dimension: int | str) -> str:
    """An axis as diagrams show it."""
    return f"axis {dimension}" if isinstance(dimension, int) else dimension


def axes_of(shape: Shape, axes: str) -> str:
    """The axes of a signal: as it says, else as signals of so many axes mostly are; "" beyond."""
    if axes and len(axes) == len(shape):
        return axes
    return _BY_RANK[len(shape)] if len(shape) < len(_BY_RANK) else ""


def channels_second(shape: Shape) -> bool:
    """Whether places stand before channels or features (L×F, T×C×H×W), which PyTorch wants the other way round."""
    return len(shape) in (2, 4)


def channels_of(shape: Shape) -> Size:
    """The channels of C×H×W and T×C×H×W, the features of F and L×F."""
    return shape[1] if channels_second(shape) else shape[0]


def places_of(shape: Shape) -> Shape:
    """The sizes that are no channels: none of F, L, H×W, T×H×W."""
    return (shape[0], *shape[2:]) if channels_second(shape) else shape[1:]


def with_places(shape: Shape, channels: Size, places: Shape) -> Shape:
    """Other channels and places, in the order of a shape."""
    if channels_second(shape):
        return (places[0], channels, *places[1:])
    return (channels, *places)


def expect_places(shape: Shape, vectors: bool = False) -> None:
    """Refuse what has no places: not L×F, C×H×W or T×C×H×W (or F, where vectors are well)."""
    if len(shape) not in ((1, 2, 3, 4) if vectors else (2, 3, 4)):
        takes = "F, L×F, C×H×W or T×C×H×W" if vectors else "L×F, C×H×W or T×C×H×W"
        raise ShapeError(f"needs {takes}, and is given {show(shape) or 'one number'}")


def place_axes(shape: Shape) -> tuple[int, ...]:
    """The numbers of the axes of places, the batch 0."""
    first = (1,) if channels_second(shape) else ()
    return (*first, *range(3 if first else 2, len(shape) + 1))
