"""What a formula means: the shape, axes and kind of each part, the line of PyTorch for it, and the memory it takes.

Signals meet by letter where their axes are known (see `netcfg.blocks.meeting`), and must else be of equal shapes, or
one number a sample.
"""

from __future__ import annotations

import ast
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from netcfg.axes import AXES, Kind, axes_in_words
from netcfg.blocks.base import ShapeError
from netcfg.blocks.formula_text import (
    ALONG,
    COMPARISONS,
    EXTREME,
    OPERATORS,
    OVER,
    PI,
    SERIES,
    Formula,
    Parsed,
    dotted,
    over,
)
from netcfg.blocks.meeting import aligned, axes_in, common_axes
from netcfg.shapes import Shape, Size, at, differ, show, volume

MAX_SERIES = 1_000_000
_LETTERS = {name: letter for letter, name in AXES.items()}
_ATOM, _POWER, _SIGN, _PRODUCT, _SUM, _COMPARED = range(6, 0, -1)
"""How tightly Python binds, so that a line has no more brackets than it needs."""
_BINDS = {"**": _POWER, "*": _PRODUCT, "/": _PRODUCT, "+": _SUM, "-": _SUM}
_COMPUTED: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_OF_NUMBERS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "floor": math.floor,
}
_CALLS = {
    "softplus": "F.softplus",
    "relu": "torch.relu",
}
"""What PyTorch calls a function; others are `torch.` and their own name."""
_SAVES = {
    "input": {"log", "abs", "softplus", "sin", "cos"},
    "output": {"exp", "sqrt", "sigmoid", "tanh", "relu"},
}
"""What the gradient of a function needs; of `sign` and `floor` nothing."""
_STEPS = {"sign", "floor"}
"""Functions that are level wherever they have a gradient, which is zero there."""


@dataclass(frozen=True, eq=False)
class Term:
    """A part of a formula: a number, a signal it reads, or what is made of others.

    `axes` is a letter for each of its sizes; None where nobody said and it has the signals' own shape. `shape` is None
    where a line is written, which needs no sizes. `source` is the input to blame for its shape. `parts` are computed
    before it, in order; a view is its only part's memory. `has_gradient` says whether PyTorch computes one, which may
    be zero everywhere; `moves_by` are the inputs to which one comes back that is not.
    """

    code: str
    binds: int = _ATOM
    axes: str | None = ""
    shape: Shape | None = None
    kind: Kind = "number"
    number: float | None = None
    source: int | None = None
    has_gradient: bool = False
    moves_by: frozenset[int] = frozenset()
    is_view: bool = False
    parts: tuple[Term, ...] = ()
    is_series: bool = False

    def within(self, binds: int) -> str:
        """Its code where something stands that binds so tightly."""
        return self.code if self.binds >= binds else f"({self.code})"

    @property
    def root(self) -> Term:
        """Whose memory it has."""
        return self.parts[0].root if self.is_view else self

    @property
    def is_input(self) -> bool:
        """Whether it is a signal that is read, rather than made."""
        return not self.parts and not self.is_series

    @property
    def numbers(self) -> Size:
        """How much memory it has, in numbers of four bytes."""
        total = volume(self.shape or ())
        if self.kind == "truth":
            return (total + 3) // 4
        return total * 2 if self.kind == "class" else total


@dataclass(eq=False, repr=False)
class Meaning:
    """A formula's whole: `result`, and what its gradient keeps (by memory)."""

    result: Term
    saved: list[Term] = field(default_factory=list)
    mixes: frozenset[str] = frozenset()
    """The axes over which something is summed, or along which it goes; "" is one that nobody named."""

    def needs(self) -> frozenset[str]:
        """What its gradient needs of `input` and `output`."""
        inputs = {"input" for term in self.saved if term.is_input}
        return frozenset(inputs | {"output" for term in self.saved if term is self.result.root})

    def kept(self) -> Size:
        """Numbers beside input and output that its gradient needs."""
        between = {
            id(term): term for term in self.saved if not term.is_input and term is not self.result.root
        }
        return sum((term.numbers for term in between.values()), start=0)

    def goes_place_by_place(self) -> bool:
        """Whether no function mixes heights or widths."""
        return not self.mixes & {"H", "W", ""}

    def scratch(self) -> Size:
        """Numbers beside its output that live at most at once."""
        most, held = _memory(self.result)
        return most - held


def _memory(term: Term) -> tuple[Size, Size]:
    """The most numbers that live at once while a term is made, and those that live afterwards."""
    moments: list[Size] = [0]
    live: Size = 0
    for part in term.parts:
        most, held = _memory(part)
        moments.append(live + most)
        live = live + held
    own = 0 if term.is_view or term.is_input else term.numbers
    moments.append(live + own)
    return max(moments, key=_of_large_images), live if term.is_view else own


def _of_large_images(numbers: Size) -> int:
    return at(numbers, defaultdict(lambda: 4096))


@lru_cache(maxsize=1024)
def meaning(
    formula: Formula,
    names: tuple[str, ...],
    axes: tuple[str, ...] | None,
    kinds: tuple[Kind, ...] | None,
    shapes: tuple[Shape, ...] | None,
) -> Meaning:
    """A formula over its inputs: their names in Python, what is known of their axes and kinds, and their shapes.

    Raises `ShapeError` where shapes do not go together; without `shapes` nothing is checked.
    """
    return _Reader(formula.parsed, names, axes, kinds, shapes).meaning()


class _Reader:
    def __init__(
        self,
        parsed: Parsed,
        names: tuple[str, ...],
        axes: tuple[str, ...] | None,
        kinds: tuple[Kind, ...] | None,
        shapes: tuple[Shape, ...] | None,
    ) -> None:
        self.parsed = parsed
        self.saved: list[Term] = []
        self.mixes: set[str] = set()
        held: tuple[Kind, ...] = kinds or tuple("number" for _ in names)
        self.signals = {
            called: Term(
                names[index],
                axes=axes[index] if axes is not None else None,
                shape=shapes[index] if shapes is not None else None,
                kind=held[index],
                source=index,
                has_gradient=held[index] == "number",
                moves_by=frozenset([index] if held[index] == "number" else ()),
            )
            for index, called in enumerate(parsed.names)
        }
        self.checks = shapes is not None
        self.whole = names[0]
        """A signal of the common shape, where axes are not known."""

    def meaning(self) -> Meaning:
        result = self._term(self.parsed.tree)
        return Meaning(result, [term.root for term in self.saved], frozenset(self.mixes))

    def _term(self, tree: ast.expr) -> Term:
        if isinstance(tree, ast.Constant):
            assert isinstance(tree.value, int | float)
            return _number(tree.value)
        if isinstance(tree, ast.Name | ast.Attribute):
            name = dotted(self.parsed, tree)
            return _number(math.pi) if name == PI else self.signals[name]
        if isinstance(tree, ast.UnaryOp):
            return self._signed(tree)
        if isinstance(tree, ast.Subscript):
            return self._looked_up(self._term(tree.value), self._term(tree.slice), tree)
        if isinstance(tree, ast.BinOp):
            return self._binary(OPERATORS[type(tree.op)], self._term(tree.left), self._term(tree.right), tree)
        if isinstance(tree, ast.Compare):
            sign = COMPARISONS[type(tree.ops[0])]
            left, right = self._met([self._term(tree.left), self._term(tree.comparators[0])], tree)
            return self._made(
                f"{left.within(_SUM)} {sign} {right.within(_SUM)}", [left, right], _COMPARED, "truth"
            )
        assert isinstance(tree, ast.Call)
        assert isinstance(tree.func, ast.Name)
        return self._call(tree.func.id, [self._term(part) for part in tree.args], over(tree) or (), tree)

    # --- operators

    def _signed(self, tree: ast.UnaryOp) -> Term:
        term = self._term(tree.operand)
        if isinstance(tree.op, ast.UAdd):
            return term
        if term.number is not None:
            return _number(-term.number)
        return self._made(f"-{self._plain(term).within(_SIGN)}", [self._plain(term)], _SIGN)

    def _binary(self, sign: str, left: Term, right: Term, tree: ast.expr) -> Term:
        if left.number is not None and right.number is not None:
            return self._computed(
                lambda: _COMPUTED[sign](float(left.number or 0), float(right.number or 0)), tree
            )
        if sign == "/" and right.number == 0:
            text = self.parsed.text_of(tree)
            raise ShapeError(
                f"divides by zero in `{text}`",
                argument=None,
                option="value",
                item=text,
                help="a number that is not 0",
            )
        left, right = self._met([self._plain(left), self._plain(right)], tree)
        binds = _BINDS[sign]
        # To the left of a power, and to the right of all else, what binds as tightly needs brackets.
        before, after = (binds + 1, _SIGN) if sign == "**" else (binds, binds + 1)
        code = f"{left.within(before)} {sign} {right.within(after)}"
        if sign == "/" and left.number is not None:  # PyTorch makes it of the reciprocal
            reciprocal = self._made("", [right])
            self._save(right.has_gradient, reciprocal)
            return self._made(code, [reciprocal], binds)
        made = self._made(code, [left, right], binds)
        self._save_of(sign, left, right, made)
        return made

    def _save_of(self, sign: str, left: Term, right: Term, made: Term) -> None:
        """What the gradient of an operator needs."""
        if sign in ("*", "/"):
            self._save(left.has_gradient, right)
            self._save(right.has_gradient, left)
        if sign == "/":
            self._save(right.has_gradient, right)
        if sign == "**":
            self._save(made.has_gradient, left, right)
            self._save(right.has_gradient, made)

    def _computed(self, compute: Callable[[], float], tree: ast.expr) -> Term:
        """A number of numbers."""
        try:
            value = compute()
        except (ArithmeticError, ValueError):
            value = math.nan
        if isinstance(value, complex) or not math.isfinite(value):
            text = self.parsed.text_of(tree)
            raise ShapeError(
                f"cannot compute `{text}`, which is no number",
                argument=None,
                option="value",
                item=text,
                help="a number that is finite and real",
            )
        return _number(value)

    # --- functions

    def _call(self, name: str, terms: list[Term], axes: tuple[str, ...], tree: ast.Call) -> Term:
        if name == "where":
            return self._where(terms, tree)
        if name in SERIES:
            return self._series(name, terms, axes, tree)
        if name == "clip":
            return self._extreme("max", [self._extreme("min", [terms[0], terms[2]], tree), terms[1]], tree)
        if name in EXTREME and len(terms) > 1:
            return self._extreme(name, terms, tree)
        term = terms[0]
        if term.number is not None and name in _OF_NUMBERS:
            return self._computed(lambda: float(_OF_NUMBERS[name](term.number or 0.0)), tree)
        if term.number is not None:
            text = self.parsed.text_of(tree)
            message = f"takes `{text}` of a number, and needs a signal"
            raise ShapeError(message, argument=None, option="value", item=text)
        term = self._plain(term)
        if name in ALONG:
            return self._along(name, term, axes, tree)
        if name in OVER | EXTREME:
            return self._over(name, term, axes, tree)
        made = self._made(f"{_CALLS.get(name, f'torch.{name}')}({term.code})", [term])
        if name in _STEPS:
            made = replace(made, moves_by=frozenset())
        self._save(made.has_gradient and name in _SAVES["input"], term)
        self._save(made.has_gradient and name in _SAVES["output"], made)
        return made

    def _series(self, name: str, terms: list[Term], axes: tuple[str, ...], tree: ast.Call) -> Term:
        """Numbers in a row, along features or the axis that is named, the same for all samples."""
        text = self.parsed.text_of(tree)
        numbers = [term.number for term in terms if term.number is not None]
        if len(numbers) < len(terms):
            message = f"counts `{text}` by a signal, and takes numbers alone"
            source = next(term.source for term in terms if term.number is None)
            raise ShapeError(message, argument=source, option="value", item=text)
        first, last, step = 0.0, numbers[0], 1.0
        if len(numbers) > 1:
            first, last = numbers[:2]
        if len(numbers) > 2:
            step = numbers[2]
        many = step if name == "linspace" else math.ceil((last - first) / step) if step else math.inf
        if not math.isfinite(many) or many != int(many) or not 1 <= many <= MAX_SERIES:
            message = f"makes `{many:g}` numbers by `{text}`: 1 to {MAX_SERIES:,} can be"
            raise ShapeError(message, argument=None, option="value", item=text)
        letter = _LETTERS[axes[0]] if axes else "F"
        stops = f"{first}, {last}, {int(many)}" if name == "linspace" else f"{first}, {last}, {step}"
        code = f"torch.{name}({stops}, device={self.whole}.device)[None]"
        shape = (int(many),) if self.checks else None
        return Term(code, axes=letter, shape=shape, is_series=True)

    def _looked_up(self, table: Term, row: Term, tree: ast.Subscript) -> Term:
        """The row of a signal that is the same for all samples, by a class of each."""
        text = self.parsed.text_of(tree)
        if row.kind != "class":
            message = f"looks up `{text}` by {'a number' if row.number is not None else 'numbers'}"
            help = "a class says which row: an [input] with `kind = class`, or `argmax`"
            raise ShapeError(message, argument=row.source, option="value", item=text, help=help)
        if table.shape == () or table.axes == "":
            message = f"looks up `{text}` in one number"
            raise ShapeError(message, argument=table.source, option="value", item=text)
        shape = None if table.shape is None or row.shape is None else (*row.shape, *table.shape[1:])
        axes = None if table.axes is None or row.axes is None else row.axes + table.axes[1:]
        made = Term(
            f"{table.within(_ATOM)}[0][{row.code}.long()]",
            axes=axes,
            shape=shape,
            kind=table.kind,
            source=table.source,
            has_gradient=table.has_gradient,
            moves_by=table.moves_by,
            parts=(table, row),
        )
        self._save(made.has_gradient, row)
        return made

    def _where(self, terms: list[Term], tree: ast.Call) -> Term:
        condition, *choices = terms
        if condition.kind != "truth":
            text = self.parsed.text_of(tree)
            message = f"asks `{text}` of numbers, and needs yes or no first"
            help = "compare them: `where(a > 0, b, c)`"
            raise ShapeError(message, argument=condition.source, option="value", item=text, help=help)
        condition, left, right = self._met([condition, *map(self._plain, choices)], tree)
        made = self._made(
            f"torch.where({condition.code}, {left.code}, {right.code})", [condition, left, right]
        )
        self._save(made.has_gradient, condition)
        return made

    def _extreme(self, name: str, terms: Sequence[Term], tree: ast.expr) -> Term:
        """The largest or smallest of several, number by number; numbers of a formula come last, as limits."""
        choose = max if name == "max" else min
        numbers = [term.number for term in terms if term.number is not None]
        signals = self._met([self._plain(term) for term in terms if term.number is None], tree)
        if not signals:
            return _number(choose(numbers))
        made = signals[0]
        for other in signals[1:]:
            left, right = self._met([made, other], tree)
            made = self._made(f"torch.{name}imum({left.code}, {right.code})", [left, right])
            self._save(made.has_gradient, left, right)
        if numbers:
            bound = "min" if name == "max" else "max"
            limited = self._made(f"{made.within(_ATOM)}.clamp({bound}={choose(numbers)!r})", [made])
            self._save(made.has_gradient, made)
            made = limited
        return made

    def _along(self, name: str, term: Term, axes: tuple[str, ...], tree: ast.expr) -> Term:
        """What stays as it is but for the order of one axis, or what stands where along it."""
        place = self._places(term, axes, tree)
        if len(place) != 1:
            text = self.parsed.text_of(tree)
            help = f"say which: `over = {AXES[term.axes[0]]}`" if term.axes else "give the [input] `axes`"
            message = f"takes `{text}` along one axis of {_said(term)}"
            raise ShapeError(message, argument=term.source, option="value", item=text, help=help)
        code = f"{_CALLS.get(name, f'torch.{name}')}({term.code}, {place[0]})"
        if name == "argmax":
            return self._without(self._made(code, [term], kind="class"), term, place)
        made = self._made(code, [term])
        self._save(made.has_gradient and name == "cumprod", term)
        self._save(made.has_gradient and name in ("softmax", "log_softmax", "cumprod"), made)
        return made

    def _over(self, name: str, term: Term, axes: tuple[str, ...], tree: ast.expr) -> Term:
        """Some axes less."""
        call = {"min": "amin", "max": "amax"}.get(name, name)
        places = self._places(term, axes, tree)
        if term.axes == "":  # one number already
            if name != "var":
                return term
        if name == "var" and term.shape is not None and volume(tuple(term.shape[i - 1] for i in places)) == 1:
            text = self.parsed.text_of(tree)
            raise ShapeError(
                f"takes `{text}` of one number ({_said(term)})",
                argument=term.source,
                option="value",
                item=text,
            )
        if term.axes is None:
            code, places = (
                f"{term.within(_ATOM)}.flatten(1).{call}(1)",
                list(range(1, 1 + len(term.shape or ()))),
            )
        else:
            code = f"{term.within(_ATOM)}.{call}(({', '.join(map(str, places))},))"
        made = self._without(self._made(code, [term]), term, places)
        self._save(made.has_gradient and name in ("var", "min", "max"), term)
        self._save(made.has_gradient and name in ("min", "max"), made)
        return made

    def _places(self, term: Term, axes: tuple[str, ...], tree: ast.expr) -> list[int]:
        """The numbers of axes in a term, the batch 0; all of them where none is named."""
        self.mixes |= {_LETTERS[name] for name in axes} or set(term.axes or [""])
        if not axes:
            if term.axes is None:
                return list(range(1, 1 + len(term.shape))) if term.shape is not None else [1]
            return list(range(1, 1 + len(term.axes)))
        for name in axes:
            if _LETTERS[name] not in (term.axes or ""):
                text = self.parsed.text_of(tree)
                given = "a signal whose axes nobody said" if term.axes is None else axes_in_words(term.axes)
                help = "write its `axes` in the [input]" if term.axes is None else None
                message = f"has no axis `{name}` in `{text}`: it is {given} ({_said(term)})"
                raise ShapeError(message, argument=term.source, option="value", item=name, help=help)
        return [1 + (term.axes or "").index(_LETTERS[name]) for name in axes]

    @staticmethod
    def _without(made: Term, term: Term, places: Sequence[int]) -> Term:
        left = [index for index in range(1, 1 + len(term.axes or "")) if index not in places]
        axes = "".join((term.axes or "")[index - 1] for index in left)
        shape = None if term.shape is None else tuple(term.shape[index - 1] for index in left)
        return replace(made, axes=axes, shape=shape)

    # --- what all of them do

    def _plain(self, term: Term) -> Term:
        """Classes and yes or no as numbers, before they are computed with."""
        if term.kind == "number":
            return term
        return replace(self._made(f"{term.within(_ATOM)}.float()", [term]), has_gradient=False)

    def _made(self, code: str, parts: Sequence[Term], binds: int = _ATOM, kind: Kind = "number") -> Term:
        """What is computed of terms of one shape (and of numbers)."""
        signals = [part for part in parts if part.number is None]
        largest = _largest(signals)
        shape = None if largest.shape is None else _stretched(signals)
        has_gradient = kind == "number" and any(part.has_gradient for part in signals)
        moves_by = frozenset[int]().union(*(part.moves_by for part in signals if kind == "number"))
        return Term(
            code,
            binds,
            largest.axes,
            shape,
            kind,
            None,
            largest.source,
            has_gradient,
            moves_by,
            parts=tuple(signals),
        )

    def _save(self, asked: bool, *terms: Term) -> None:
        if asked:
            self.saved += [term for term in terms if term.number is None]

    def _met(self, terms: list[Term], tree: ast.expr) -> list[Term]:
        """The same terms with their axes where they meet. Raises `ShapeError` where they do not."""
        signals = [term for term in terms if term.number is None]
        if len(signals) < 2:
            return terms
        if any(term.axes is None for term in signals):
            return [self._by_position(term, signals, tree) for term in terms]
        joint = common_axes([term.axes or "" for term in signals])
        self._expect_equal(signals, joint, tree)
        return [term if term.number is not None else _in_place(term, joint) for term in terms]

    def _by_position(self, term: Term, signals: list[Term], tree: ast.expr) -> Term:
        if term.number is not None:
            return term
        whole = next(one for one in signals if one.axes is None)
        if term.axes is None:
            self._expect_alike(whole, term, tree)
            return term
        if term.axes:
            text = self.parsed.text_of(tree)
            message = f"computes `{text}` of {_said(whole)} whose axes nobody said, and of a row along one"
            help = "write its `axes` in the [input] or [parameter]"
            raise ShapeError(message, argument=whole.source, option="value", item=text, help=help)
        code = f"{term.within(_ATOM)}.reshape(-1, *(1,) * ({self.whole}.dim() - 1))"
        shape = None if whole.shape is None else (1,) * len(whole.shape)
        return _view(term, code, None, shape)

    def _expect_alike(self, one: Term, other: Term, tree: ast.expr) -> None:
        if one.shape is None or other.shape is None:
            return
        if len(one.shape) != len(other.shape) or any(map(differ, one.shape, other.shape)):
            self._refuse(one, other, "their axes are not known, so that they must be equal", tree)

    def _expect_equal(self, signals: list[Term], joint: str, tree: ast.expr) -> None:
        sizes: dict[str, tuple[Size, Term]] = {}
        for term in signals:
            for letter, size in zip(axes_in(term.axes or "", joint), term.shape or (), strict=False):
                here, first = sizes.setdefault(letter, (size, term))
                if here == 1:
                    sizes[letter] = size, term
                elif size != 1 and differ(here, size):
                    self._refuse(first, term, f"{here} ≠ {size} ({AXES[letter]})", tree)

    def _refuse(self, one: Term, other: Term, why: str, tree: ast.expr) -> None:
        text = self.parsed.text_of(tree)
        message = f"computes `{text}` of {_said(one)} and {_said(other)}: {why}"
        raise ShapeError(message, argument=other.source, other=one.source, option="value", item=text)


def _number(value: float) -> Term:
    return Term(repr(value), _ATOM if value >= 0 else _SIGN, number=value)


def _said(term: Term) -> str:
    return show(term.shape or ()) or "one number"


def _view(term: Term, code: str, axes: str | None, shape: Shape | None) -> Term:
    """The same numbers with other axes."""
    return Term(
        code,
        _ATOM,
        axes,
        shape,
        term.kind,
        None,
        term.source,
        term.has_gradient,
        term.moves_by,
        is_view=True,
        parts=(term,),
    )


def _in_place(term: Term, joint: str) -> Term:
    """A term with the axes that it lacks, each of size 1."""
    own = axes_in(term.axes or "", joint)
    if own == joint:
        return term if own == term.axes else replace(term, axes=joint)
    code = aligned(term.within(_ATOM), term.axes or "", joint)
    sizes = dict(zip(own, term.shape or (), strict=False))
    shape = None if term.shape is None else tuple(sizes.get(letter, 1) for letter in joint)
    return _view(term, code, joint, shape)


def _largest(signals: Sequence[Term]) -> Term:
    """Whose axes the others have, too."""
    return next((term for term in signals if term.axes is None), signals[0])


def _stretched(signals: Sequence[Term]) -> Shape:
    """The common shape of signals that meet: at each place the size that is not 1."""
    shapes = [term.shape or () for term in signals]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*shapes, strict=True))
