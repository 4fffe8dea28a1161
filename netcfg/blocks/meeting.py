"""How signals of different axes meet: by letter, never by position.

What one of them lacks is repeated; features meet channels where the other has none (a gate of C numbers scales the C
maps of an image). Where nobody said what the axes are, blocks go by position and by the number of sizes.
"""

from collections.abc import Sequence
from typing import Self

from pydantic import PrivateAttr

from netcfg.axes import AXES, in_order
from netcfg.blocks.base import Block, ShapeError
from netcfg.shapes import Shape, Size, differ, show


def common_axes(axes: Sequence[str]) -> str:
    """The axes of what signals make together: `CHW` of `CHW` and `F`, `TLF` of `LF` and `TF`."""
    joint = axes[0]
    for one in axes[1:]:
        joint, one = axes_in(joint, one), axes_in(one, joint)
        if any(letter not in joint for letter in one):
            joint = in_order(joint + one)
    # Features that met channels only now may stand at another place than these.
    return joint if joint == axes_in(axes[0], joint) else in_order(joint)


def axes_in(axes: str, joint: str) -> str:
    """A signal's axes by the letters of others: its features are their channels where they have no features."""
    meets = "F" in axes and "C" not in axes and "C" in joint and "F" not in joint
    return axes.replace("F", "C") if meets else axes


def common_sizes(
    inputs: Sequence[Shape], axes: Sequence[str], verb: str, stretched: bool = False, apart: str = ""
) -> dict[str, Size]:
    """The size of each common axis. Raises `ShapeError` where two differ.

    `stretched`: 1 goes with any size; `apart` is an axis of which each has its own.
    """
    joint = common_axes(axes)
    sizes: dict[str, Size] = {}
    for argument, (shape, own) in enumerate(zip(inputs, axes, strict=True)):
        for letter, size in zip(axes_in(own, joint), shape, strict=True):
            here = sizes.setdefault(letter, size)
            if letter != apart and differ(here, size) and not (stretched and size == 1):
                raise ShapeError(
                    f"{verb.format(show(inputs[0]), show(shape))}: {here} ≠ {size} ({AXES[letter]})",
                    argument=argument,
                )
    return sizes


def aligned(name: str, axes: str, joint: str) -> str:
    """Python for a signal with its axes where they stand among `joint`, those it lacks of size 1."""
    own = axes_in(axes, joint)
    places = [own.index(letter) + 1 for letter in joint if letter in own]
    if places != sorted(places):
        name = f"{name}.permute({', '.join(map(str, (0, *places)))})"
    if len(own) == len(joint):
        return name
    return f"{name}[{', '.join([':', *(':' if letter in own else 'None' for letter in joint)])}]"


def repeated(name: str, axes: str, joint: str, along: str, others: Sequence[tuple[str, str]]) -> str:
    """Like `aligned`, with the axes it lacks as long as in one of the `others` (names and axes) that has them.

    Not along the axis `along`, where signals are joined and each keeps its own size.
    """
    own = axes_in(axes, joint)
    lacking = [letter for letter in joint if letter not in own and letter != along]
    if not lacking:
        return aligned(name, axes, joint)
    sizes = ["-1"]
    for letter in joint:
        other = next((one for one in others if letter in axes_in(one[1], joint)), None)
        where = axes_in(other[1], joint).index(letter) + 1 if other else 0
        sizes.append(f"{other[0]}.shape[{where}]" if other and letter in lacking else "-1")
    return f"{aligned(name, axes, joint)}.expand({', '.join(sizes)})"


class ByAxes(Block):
    """A block that computes by what the axes of its inputs are, where somebody said so."""

    _given: tuple[str, ...] | None = PrivateAttr(None)

    def placed(self, *axes: str | None) -> Self:
        """Itself, with the axes known, where all are."""
        given = tuple(letters for letters in axes if letters is not None)
        if len(given) < len(axes) or self.goes_by_position(given):
            return self
        copy = self.model_copy()
        copy._given = given
        return copy

    def goes_by_position(self, axes: tuple[str, ...]) -> bool:
        """Whether position and number of sizes tell it all it needs of inputs of these axes."""
        return False

    @property
    def given(self) -> tuple[str, ...] | None:
        """The axes of its inputs; None where one is not known, or where it goes by position."""
        return self._given
