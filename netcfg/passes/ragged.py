"""Axes whose length is another in each sample: which they are, and how long, in Python.

Every named size of frames or tokens of an input may be one (`frames = T`). A size that is made of such names is ragged
wherever it stands: `T + 1` after a class token, `(T + 1)//2` after a stride.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from netcfg.blocks.base import ShapeError
from netcfg.graph import Graph, Signal
from netcfg.shapes import Atom, Shape, Size, Symbolic, show

ROWS = "TL"
"""The axes that may be ragged."""


def ragged_names(signals: Iterable[Signal]) -> tuple[str, ...]:
    """The names of sizes that these signals, a network's inputs or fields of the data, bring in."""
    found = (
        name
        for signal in signals
        for letter, size in zip(signal.axes, signal.shape, strict=False)
        if letter in ROWS and (name := name_of(size))
    )
    return tuple(dict.fromkeys(found))


def names_of(graph: Graph) -> tuple[str, ...]:
    """Those of a network."""
    return ragged_names(graph.inputs.values())


def name_of(size: Size) -> str | None:
    """The name that a size is, if it is one and no more."""
    if not isinstance(size, Symbolic) or len(size.terms) != 1:
        return None
    monomial, factor = size.terms[0]
    return monomial[0] if factor == 1 and len(monomial) == 1 and isinstance(monomial[0], str) else None


def ragged_places(shape: Shape, names: Collection[str]) -> list[tuple[int, Size]]:
    """The axes of a shape (the first is 0) whose length hangs on these names, with their sizes."""
    return [(axis, size) for axis, size in enumerate(shape) if not set(names).isdisjoint(names_in(size))]


def length_in_python(size: Size, called: Callable[[str], str]) -> str:
    """A size as an expression over what its names are called."""
    if isinstance(size, int):
        return str(size)
    terms = []
    for monomial, factor in size.terms:
        atoms = "*".join(_atom(atom, called) for atom in monomial)
        terms.append(atoms if factor == 1 and atoms else "*".join(filter(None, (f"({factor})", atoms))))
    return " + ".join(terms)


def _atom(atom: Atom, called: Callable[[str], str]) -> str:
    if isinstance(atom, str):
        return called(atom)
    return f"(({length_in_python(atom.numerator, called)})//{atom.divisor})"


def names_in(size: Size) -> Iterator[str]:
    """The names that a size is made of."""
    if isinstance(size, int):
        return
    for monomial, _ in size.terms:
        for atom in monomial:
            if isinstance(atom, str):
                yield atom
            else:
                yield from names_in(atom.numerator)


def places_as_samples(signals: Sequence[tuple[Shape, str]]) -> list[Shape]:
    """The shapes of signals that are compared with each other, of these shapes and axes, without a first axis of
    another length in each sample: its places are compared like samples. Raises `ShapeError` where one has no such axis.
    """
    ragged = [bool(axes) and axes[0] in ROWS and not isinstance(shape[0], int) for shape, axes in signals]
    if not any(ragged):
        return [shape for shape, _ in signals]
    if not all(ragged):
        shown = " with ".join(show(shape) or "one number" for shape, _ in signals)
        raise ShapeError(
            f"compares {shown}: one is as long as its sample, and another has one value for all of it",
            code="NC402",
            help="let a block make one value of each row, [frame_mean] for instance",
        )
    return [shape[1:] for shape, _ in signals]
