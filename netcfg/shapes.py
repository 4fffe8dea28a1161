"""Shapes without a batch axis, whose sizes may be unknown until a batch is seen.

A size is an `int`, or a `Symbolic`: a polynomial over names (`height`) and floored quotients of such
polynomials. Both are kept in one canonical form, so that two branches that shrink and grow an unknown height
in the same way end in equal sizes, and a difference that no height can mend is found without any data.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from math import prod
from typing import NamedTuple, Union
from weakref import WeakValueDictionary

Size = Union[int, "Symbolic"]  # noqa: UP007
Shape = tuple[Size, ...]


MAX_DIVISOR = 2**63
"""Floors of floors are one floor up to this divisor; above it they nest, so that numbers stay short."""
MAX_TERMS = 1_000
"""Of the product of a shape's unknown sizes, written out."""
MAX_TEXT = 400
"""So much of a size is shown at most; the middle of a longer text is left out."""


class Quotient(NamedTuple):
    """The floor of a polynomial divided by a whole number, as an atom of other polynomials."""

    numerator: Symbolic
    divisor: int

    def __str__(self) -> str:
        return _shortened(f"({self.numerator})//{self.divisor}")


Atom = str | Quotient
Monomial = tuple[Atom, ...]
Terms = tuple[tuple[Monomial, int], ...]


class Symbolic:
    """A size known only as an expression, e.g. `height` or `(height + 1)//2`.

    Supports `+ - *` with sizes and `//` with whole numbers; results that turn out constant become plain ints.
    Equal sizes are one object: comparing, hashing and showing a size never walks the sizes inside it, of which a
    long network has as many as layers.
    """

    __slots__ = ("__weakref__", "_serial", "_text", "terms")

    terms: Terms
    _serial: int
    _text: str

    def __new__(cls, terms: dict[Monomial, int]) -> Symbolic:
        """The one size of these terms."""
        key = tuple(sorted(terms.items(), key=_term_order))
        known = _KNOWN.get(key)
        if known is not None:
            return known
        made = super().__new__(cls)
        made.terms = key
        made._serial = next(_SERIALS)
        made._text = _shortened(
            " + ".join(_term_text(monomial, factor) for monomial, factor in key).replace("+ -", "- ")
        )
        return _KNOWN.setdefault(key, made)

    def __reduce__(self) -> tuple[type[Symbolic], tuple[dict[Monomial, int]]]:
        return Symbolic, (dict(self.terms),)

    @staticmethod
    def named(name: str) -> Symbolic:
        """The size a reader calls `name`."""
        return Symbolic({(name,): 1})

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
        return _size(whole) + _size({(_quotient(remainder, divisor),): 1})

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


_KNOWN: WeakValueDictionary[Terms, Symbolic] = WeakValueDictionary()
_SERIALS = count()


def _quotient(numerator: Symbolic, divisor: int) -> Quotient:
    """The floor; that of another floor is one: `((height + 1)//2 + 1)//2` is `(height + 3)//4`."""
    (monomial, factor), *rest = numerator.terms
    inner = monomial[0] if len(monomial) == 1 and factor == 1 else None
    if not isinstance(inner, Quotient) or len(rest) > 1 or (rest and rest[0][0]):
        return Quotient(numerator, divisor)
    if inner.divisor * divisor > MAX_DIVISOR:
        return Quotient(numerator, divisor)
    added = rest[0][1] * inner.divisor if rest else 0
    merged = inner.numerator + added
    assert isinstance(merged, Symbolic)
    return Quotient(merged, inner.divisor * divisor)


def _shortened(text: str) -> str:
    half = MAX_TEXT // 2
    return text if len(text) <= MAX_TEXT else f"{text[:half]}…{text[-half:]}"


def _terms(size: Size) -> Terms:
    return size.terms if isinstance(size, Symbolic) else (((), size),)


def _size(terms: dict[Monomial, int]) -> Size:
    terms = {monomial: factor for monomial, factor in terms.items() if factor}
    if not terms:
        return 0
    if set(terms) == {()}:
        return terms[()]
    return Symbolic(terms)


def _atom_order(atom: Atom) -> tuple[bool, str, int]:
    """By what a reader sees; of two whose shortened texts agree, the older one first."""
    return (True, str(atom), atom.numerator._serial) if isinstance(atom, Quotient) else (False, atom, 0)


def _term_order(term: tuple[Monomial, int]) -> tuple[int, list[tuple[bool, str, int]]]:
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


def is_beyond(shape: Shape, limit: int) -> bool:
    """Whether it surely holds more than `limit` numbers, or is too long a sum to be followed any further."""
    terms = [_terms(size) for size in shape]
    if prod(map(len, terms)) > MAX_TERMS:
        return True
    if any(abs(factor) > limit for size in terms for _, factor in size):
        return True
    total = volume(shape)
    return isinstance(total, int) and total > limit


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


def spread(part: Shape, whole: Shape) -> Shape | None:
    """`part` with ones put in, so that it broadcasts over `whole`; None where it does not fit.

    It lies along the first axes (a number for each frame of T×F, or each sample), or along the last (H×W of C×H×W).
    """
    missing = len(whole) - len(part)
    while missing < 0 and part[-1] == 1:  # a label of its own for each sample counts as one number
        part, missing = part[:-1], missing + 1
    if missing < 0:
        return None
    first, last = (*part, *[1] * missing), (*[1] * missing, *part)
    is_map = len(whole) - missing == 2 and len(whole) > 2
    for made in (last, first) if is_map else (first, last):
        if all(size == 1 or not differ(size, other) for size, other in zip(made, whole, strict=True)):
            return made
    return None


def class_axis(rank: int) -> int:
    """The axis of the classes of a signal of so many axes, without samples.

    Of K, L×K, K×H×W, T×K×H×W: a row has its features last, a map its channels before height and width.
    """
    return {1: 0, 2: 1, 3: 0, 4: 1}[rank]
