"""What a symbolic size is, once the unknown sizes in it are known."""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.shapes import Shape, Size, Symbolic, at


def shape_at(shape: Shape, known: Mapping[str, int]) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(at(size, known) for size in shape)


def symbolic(shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[Shape, ...], dict[str, int]]:
    """Shapes with a name in the place of each size after the first two of C×H×W and T×C×H×W; the numbers behind them.

    Equal sizes at the same place have one name, so that signals that have to be alike still are.
    """
    known: dict[str, int] = {}
    made: list[Shape] = []
    for shape in shapes:
        row: list[Size] = []
        for place, size in enumerate(shape):
            if len(shape) < 3 or place < len(shape) - 2:
                row.append(size)
                continue
            name = f"s{place - len(shape)}_{size}".replace("-", "")
            known[name] = size
            row.append(Symbolic.named(name))
        made.append(tuple(row))
    return tuple(made), known
