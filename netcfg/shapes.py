"""Shapes without a batch axis, whose sizes may be unknown until a batch is seen.

A size is an `int`, or a `Symbolic`: a polynomial over names (`height`) and floored quotients of such
polynomials. Both are kept in one canonical form, so that two branches that shrink and grow an unknown height
in the same way end in equal sizes, and a difference that no height can mend is found without any data.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple, Union

Size = Union[int, "Symbolic"]  # noqa: UP007
Shape = tuple[Size, ...]


class Quotient(NamedTuple):
    """The floor of a polynomial divided by a whole number, as an atom of other polynomials."""

    numerator: Symbolic
    divisor: int

    def __str__(self) -> str:
        return f"({self.numerator})//{self.divisor}"


Atom = str | Quotient
Monomial = tuple[Atom, ...]


class Symbolic:
    """A size known only as an expression, e.g. `height` or `(height + 1)//2`.

    Supports `+ - *` with sizes and `//` with whole numbers; results that turn out constant become plain ints.
    """

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: dict[Monomial, int]) -> None:
        self.terms = tuple(sorted(terms.items(), key=_term_order))
        self._hash = hash(self.terms)

    @staticmethod
    def named(name: str) -> Symbolic:
        """The size a reader calls `name`."""
        return Symbolic({(name,): 1})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbolic) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Size) -> Size:
        terms = dict(self.terms)
        for monomial, factor in _terms(other):
            terms[monomial] = terms.get(monomial, 0) + factor
        return _size(terms)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + other * -1

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __mul__(self, other: Size) -> Size:
        terms: dict[Monomial, int] = {}
        for left, left_factor in self.terms:
            for right, right_factor in _terms(other):
                monomial = tuple(sorted(left + right, key=_atom_order))
                terms[monomial] = terms.get(monomial, 0) + left_factor * right_factor
        return _size(terms)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Size:
        whole = {monomial: factor // divisor for monomial, factor in self.terms}
        rest = {monomial: factor % divisor for monomial, factor in self.terms}
        remainder = _size(rest)
        if isinstance(remainder, int):
            return _size(whole) + remainder // divisor
        return _size(whole) + _size({(Quotient(remainder, divisor),): 1})

    def __str__(self) -> str:
        text = " + ".join(_term_text(monomial, factor) for monomial, factor in self.terms)
        return text.replace("+ -", "- ")

    __repr__ = __str__


def _terms(size: Size) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if isinstance(size, Symbolic) else (((), size),)


def _size(terms: dict[Monomial, int]) -> Size:
    terms = {monomial: factor for monomial, factor in terms.items() if factor}
    if not terms:
        return 0
    if set(terms) == {()}:
        return terms[()]
    return Symbolic(terms)


def _atom_order(atom: Atom) -> tuple[bool, str]:
    return (isinstance(atom, Quotient), str(atom))


def _term_order(term: tuple[Monomial, int]) -> tuple[int, list[tuple[bool, str]]]:
    return (-len(term[0]), [_atom_order(atom) for atom in term[0]])


def _term_text(monomial: Monomial, factor: int) -> str:
    if not monomial:
        return str(factor)
    alone = factor == 1 and len(monomial) == 1
    atoms = "*".join(
        f"({atom})" if isinstance(atom, Quotient) and not alone else str(atom) for atom in monomial
    )
    return atoms if factor == 1 else f"-{atoms}" if factor == -1 else f"{factor}*{atoms}"


def at(size: Size, known: Mapping[str, int]) -> int:
    """The number that a size comes to, once the sizes named in it are known."""
    if isinstance(size, int):
        return size
    return sum(factor * prod(_atom_at(atom, known) for atom in monomial) for monomial, factor in size.terms)


def _atom_at(atom: Atom, known: Mapping[str, int]) -> int:
    if isinstance(atom, str):
        return known[atom]
    return at(atom.numerator, known) // atom.divisor


def differ(first: Size, second: Size) -> bool:
    """Whether two sizes can never be equal: both known, or a constant apart."""
    difference = first - second
    return isinstance(difference, int) and difference != 0


def volume(shape: Shape) -> Size:
    """How many numbers a signal of this shape holds, per sample."""
    return prod(shape)


def known(shape: Shape) -> bool:
    """Whether every size is a number."""
    return all(isinstance(size, int) for size in shape)


def show(shape: Shape) -> str:
    """A shape as a reader writes it: `64×112×112`, `512`, `3×height×width`."""
    return "×".join(_factor_text(size) for size in shape)


def _factor_text(size: Size) -> str:
    text = str(size)
    return f"({text})" if isinstance(size, Symbolic) and " " in text else text


def to_json(shape: Shape) -> list[int | str]:
    """A shape as data: numbers, and symbolic sizes as their text."""
    return [size if isinstance(size, int) else str(size) for size in shape]


UNKNOWN: Shape = (Symbolic.named("?"),)
"""Of a signal in a broken program of which not even the number of axes is known."""
