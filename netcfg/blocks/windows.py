"""Windows that slide over a signal: how many fit, and what one place of the output sees through them."""

import math
from fractions import Fraction
from typing import NamedTuple

from netcfg.blocks.refusals import ShapeError
from netcfg.shapes import Shape, Size


class Reach(NamedTuple):
    """The window of an input that one place of an output sees: its size, the step to the next one, what is before it.

    The step is a fraction where the output is the larger one; the first window begins `pad` before the input.
    """

    size: int = 1
    step: Fraction = Fraction(1)
    pad: Fraction = Fraction(0)

    @classmethod
    def of_window(cls, size: int, stride: int, pad: int = 0, dilation: int = 1) -> "Reach":
        """Of a convolution or a pool."""
        return cls(dilation * (size - 1) + 1, Fraction(stride), Fraction(pad))

    def then(self, next: "Reach") -> "Reach":
        """Of two in a row."""
        size = math.ceil(self.size + (next.size - 1) * self.step)
        return Reach(size, self.step * next.step, self.pad + next.pad * self.step)


def window(size: Size, kernel: int, stride: int, pad: int, axis: str) -> Size:
    """How many windows fit along one axis: (size + 2·pad - kernel) // stride + 1.

    Raises `ShapeError` where not even one fits.
    """
    room = size + 2 * pad
    if isinstance(room, int) and room < kernel:
        sum = f"{size} + 2·{pad} = {room}" if pad else str(room)
        raise ShapeError(
            f"has a window of {kernel} that does not fit into the {axis} of {size}: {sum} < {kernel}",
            code="NC302",
            help=f"a window of at most {room}, or a larger input" if room > 0 else "a larger input",
        )
    return (room - kernel) // stride + 1


def window_arithmetic(shape: Shape, kernel: int, stride: int, pad: int) -> str:
    """How `window` comes to its height and width, in numbers."""
    rows = []
    for size, axis in zip(shape[1:], ("height", "width"), strict=True):
        rows.append(
            f"{axis} ({size} + 2·{pad} - {kernel}) // {stride} + 1 = {window(size, kernel, stride, pad, axis)}"
        )
    return ", ".join(dict.fromkeys(rows))
