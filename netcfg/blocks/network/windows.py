"""Windows along one, two or three axes: their options, where they fit, and how many of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from netcfg.blocks.base import Kernel, Reach, ShapeError, window
from netcfg.blocks.network.places import WHERE, places_of
from netcfg.shapes import Shape, Size, show

Kernels = tuple[Kernel, ...]
Numbers = tuple[Annotated[int, Field(ge=0, le=4096)], ...]
Padding = Numbers | bool | Literal["same"]
SIZES = "one number, or one for each axis: `height, width`, on clips `frames, height, width`"


def too_many(**options: tuple[int, ...] | None) -> str | None:
    """What is wrong with options of more than three numbers; None where there are none."""
    for key, numbers in options.items():
        if numbers is not None and not 1 <= len(numbers) <= 3:
            return f"takes one to three numbers as `{key}`, and has {len(numbers)}"
    return None


def expect_kernel(numbers: tuple[int, ...], shape: Shape, option: str = "kernel_size") -> None:
    """Refuse a window of one or two numbers on a clip, where a forgotten `over` would be another network."""
    if len(shape) == 4 and len(numbers) != 3:
        written = ", ".join(map(str, numbers))
        three = f"1, {written}" if len(numbers) == 2 else f"1, {written}, {written}"
        raise ShapeError(
            f"is given a clip ({show(shape)}), and `{option} = {written}` says nothing of frames",
            option=option,
            help=f"`over = frames` for each frame by itself, or three numbers: `{option} = {three}`",
        )
    each(numbers, len(shape) - 1, option)


def each(numbers: tuple[int, ...], count: int, option: str) -> tuple[int, ...]:
    """One number for each of so many axes."""
    if len(numbers) == 1:
        return numbers * count
    if len(numbers) != count:
        axes = ", ".join(WHERE[count])
        raise ShapeError(
            f"has {len(numbers)} numbers as `{option}`, for {count} {'axis' if count == 1 else 'axes'} ({axes})",
            option=option,
            help="one number, for all of them" if count == 1 else f"{count} numbers, or one for all of them",
        )
    return numbers


def padding(
    pad: int | bool | str | tuple[int, ...], kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...]:
    """The border on each side, by axis; `True` keeps the size at stride 1. Not for `same`, which depends on sizes."""
    if pad is True:
        return tuple(step * (side - 1) // 2 for side, step in zip(kernel, dilation, strict=True))
    if isinstance(pad, tuple):
        return each(pad, len(kernel), "pad")
    return (0,) * len(kernel)


def same(size: Size, stride: int) -> Size:
    """How many windows there are where the border is made to measure: one for each step begun."""
    # Sizes that only a batch tells are divided by rounding down alone.
    return -(-size // stride) if isinstance(size, int) else (size + (stride - 1)) // stride


def windows(
    sizes: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Shape:
    """How many windows fit along each axis. Raises `ShapeError` where not even one does."""
    return tuple(
        window(size, spread(side, apart), step, border, axis)
        for size, side, step, border, apart, axis in zip(
            sizes, kernel, stride, pad, dilation, WHERE[len(sizes)], strict=True
        )
    )


def spread(side: int, dilation: int) -> int:
    """From the first to the last number of a window, holes included."""
    return dilation * (side - 1) + 1


def windows_arithmetic(
    shape: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: tuple[int, ...],
    dilation: tuple[int, ...],
) -> str:
    """How `windows` comes to its sizes, in numbers; what is the same along two axes once."""
    sizes = places_of(shape)
    made = windows(sizes, kernel, stride, pad, dilation)
    rows = [
        f"{axis} ({size} + 2·{border} - {spread(side, apart)}) // {step} + 1 = {result}"
        for axis, size, side, step, border, apart, result in zip(
            WHERE[len(sizes)], sizes, kernel, stride, pad, dilation, made, strict=True
        )
    ]
    return ", ".join(dict.fromkeys(rows))


def square_reach(
    kernel: tuple[int, ...], stride: tuple[int, ...], pad: tuple[int, ...], dilation: tuple[int, ...]
) -> Reach | None:
    """The window of a place along height and width; None where these differ, or there are others."""
    if len(kernel) != 2 or any(len(set(numbers)) > 1 for numbers in (kernel, stride, pad, dilation)):
        return None
    return Reach(spread(kernel[0], dilation[0]), Fraction(stride[0]), Fraction(pad[0]))


def in_words(numbers: tuple[int, ...]) -> str:
    """A window as diagrams show it: `3×3` also where one number stands for both."""
    return "×".join(map(str, numbers * 2 if len(numbers) == 1 else numbers))
