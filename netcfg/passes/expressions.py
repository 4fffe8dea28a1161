"""`$name` and `${expression}` inside a value: reading, computing, putting the results in their places.

A name may be dotted: `input.channels` is a size, which only some places know (see `netcfg.passes.sizes`). What a name
stands for is the business of a `Lookup`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from netcfg.axes import AXES

SIZES = (*AXES.values(), "length", "classes")
"""What may stand behind the last dot of a size."""
_USE = re.compile(
    r"\$(?:\{([^{}]*)\}|([A-Za-z_]\w*(?:(?:\.[\w-]+)*?\.(?:" + "|".join(SIZES) + r")(?![\w-]))?)|(\$)|)"
)
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)*")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_QUOTED_OR_DOTTED = re.compile(r"\"[^\"]*\"|'[^']*'|(?<![\w.])[A-Za-z_]\w*(?:\.\w+)+")


def _power(base: float, exponent: float) -> float:
    """A power whose size is known before it is computed."""
    # By logarithms, as a large power takes all memory before it can be judged.
    if abs(exponent) > MAX_EXPONENT or (base and abs(exponent * math.log10(abs(base))) > 300):
        raise ExpressionError(f"computes a power of {base:g} to {exponent:g}, which is too large")
    value = base**exponent
    if isinstance(value, complex):
        raise ExpressionError(f"computes a power of {base:g} to {exponent:g}, which is no number")
    return float(value) if isinstance(value, float) else int(value)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITIES: dict[type[ast.AST], Callable[..., Any]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
MAX_EXPRESSION = 500
MAX_EXPONENT = 64
MAX_NUMBER = 10**15
MAX_TEXT = 65_536
"""So long may variables make a text: each may double the one before."""


class ExpressionError(Exception):
    """An expression cannot be read or computed; the text says why. `unknown` names a missing variable.

    `reported`: it needs a variable that failed already, and only follows from that.
    """

    def __init__(
        self,
        message: str,
        unknown: str | None = None,
        reported: bool = False,
        code: str = "NC009",
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.reported = reported
        self.code = "NC108" if unknown is not None else code
        self.help = help


class SizeError(ExpressionError):
    """A size is not known; of no account in the part of a condition that is not taken."""


Lookup = Callable[[str], str]
"""From a variable's name to its text; raises `ExpressionError`."""


class _Text(str):
    """What a name stands for where that is no number."""

    name = ""


class _Failed:
    """The value of a part that cannot be computed, which need not matter: `1 / n if n else 0`."""

    def __init__(self, error: ExpressionError) -> None:
        self.error = error


def divisible(value: float, by: int) -> int:
    """The multiple of `by` that is nearest, at least `by`, and never less than 0.9 of the value.

    Source: MobileNets' reference code, `_make_divisible`.
    """
    nearest = max(by, int(value + by / 2) // by * by)
    return nearest if nearest >= 0.9 * value else nearest + by


def _rounded(value: float, *more: float) -> int:
    if more:
        raise ExpressionError("rounds to whole numbers alone: `divisible(v, 8)` is the nearest multiple of 8")
    return round(value)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "int": int,
    "round": _rounded,
    "ceil": math.ceil,
    "divisible": divisible,
}
_MAY_HOLD = (
    "may only hold numbers, variables, sizes, + - * / // % ** ( ), comparisons of two, and, or, not, `a if c else b`, "
    "min, max, int, round, ceil and divisible"
)


def evaluate(expression: str, lookup: Lookup) -> str:
    """The value of `2 * width + 1` as text. Exact quotients of whole numbers are whole numbers."""
    parsed = _parsed(expression)
    value = _value(parsed.steps, lambda name: lookup(parsed.dotted.get(name, name)), expression)
    if isinstance(value, str | bool):
        return str(value)
    # Asked this way round, NaN is refused, too.
    if not abs(value) <= MAX_NUMBER:
        raise ExpressionError(f"`{expression}` is larger than {MAX_NUMBER:.0e}")
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and not parsed.has_point
        else str(value)
    )


Step = Callable[[Sequence[Any], Lookup], Any]
"""From the values of a node's operands to its own."""


class _Parsed(NamedTuple):
    """An expression's steps, each after its operands', whose number stands beside it; and what dotted names became.

    `has_point`: a number in it is written as a decimal, and so is the result.
    """

    steps: Sequence[tuple[Step, int]]
    dotted: Mapping[str, str]
    has_point: bool


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> _Parsed:
    """What is written, whatever its names stand for: a template's expressions are read once, not at every use."""
    if len(expression) > MAX_EXPRESSION:
        raise ExpressionError(f"is longer than {MAX_EXPRESSION} characters")
    dotted: dict[str, str] = {}
    plain = _QUOTED_OR_DOTTED.sub(lambda match: _placeholder(match[0], dotted), expression.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of `1if`, would reach the terminal
            tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(
            f"holds `{expression}`, which is no expression of numbers, variables and + - * / // % ** ( )"
        ) from None
    steps: list[tuple[Step, int]] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        operands = _operands(node)
        steps.append((_step(node), len(operands)))
        pending += operands
    # They were found from the root down, last operands first; turned round, operands come first and in their
    # order.
    return _Parsed(steps[::-1], dotted, "." in plain)


def _placeholder(found: str, dotted: dict[str, str]) -> str:
    """A word in the place of a dotted name, of which Python would read parts as its own: `in`, `class`."""
    if found[0] in "\"'":
        return found
    word = f"__size_{len(dotted)}"
    dotted[word] = found
    return word


def _value(steps: Sequence[tuple[Step, int]], lookup: Lookup, expression: str) -> Any:
    """The value of a tree, from its leaves upwards: no call for each level, of which a sum has as many as terms."""
    values: list[Any] = []
    for step, count in steps:
        first = len(values) - count
        operands = values[first:]
        del values[first:]
        values.append(_attempt(step, operands, lookup, expression))
    value = values.pop()
    if isinstance(value, _Failed):
        raise value.error
    return value


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.UnaryOp():
            return [node.operand]
        case ast.BinOp():
            return [node.left, node.right]
        case ast.BoolOp():
            return node.values
        case ast.Compare():
            return [node.left, *node.comparators]
        case ast.IfExp():
            return [node.test, node.body, node.orelse]
        case ast.Call():
            return node.args
    return []


def _attempt(step: Step, operands: list[Any], lookup: Lookup, expression: str) -> Any:
    """A node's value; what cannot be computed is a value too, for conditions to leave aside."""
    try:
        return step(operands, lookup)
    except ZeroDivisionError:
        return _Failed(ExpressionError(f"`{expression}` divides by zero"))
    except SizeError as error:
        return _Failed(error)
    except (OverflowError, TypeError, ValueError, RecursionError):
        return _Failed(ExpressionError(f"`{expression}` cannot be computed"))


def _step(node: ast.expr) -> Step:
    """How a node is computed. A node that is none of ours is refused by then, not here: a part of it may be wrong in a
    way of its own, of which more can be said.
    """
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return lambda operands, lookup: value
        case ast.Name(id=name):
            return lambda operands, lookup: _meant(name, lookup(name))
        case ast.BoolOp(op=op):
            is_or = isinstance(op, ast.Or)
            return lambda operands, lookup: _joined(is_or, operands)
        case ast.IfExp():
            return _chosen
        # Before numbers are asked for: texts can be equal, though nothing is computed with them.
        case ast.Compare(ops=[op]) if type(op) in _EQUALITIES:
            return _of_known(_EQUALITIES[type(op)], _itself)
        case ast.Compare(ops=[op]) | ast.UnaryOp(op=op) | ast.BinOp(op=op) if type(op) in _OPERATORS:
            return _of_known(_OPERATORS[type(op)], _number)
        case ast.Call(func=ast.Name(id=name), keywords=[], args=[_, *_]) if name in _FUNCTIONS:
            return _of_known(_FUNCTIONS[name], _number)
    return _of_known(_refuse, _itself)


def _of_known(function: Callable[..., Any], read: Callable[[Any], Any]) -> Step:
    """A function of operands that are all known; one that failed is what comes out."""

    def step(operands: Sequence[Any], lookup: Lookup) -> Any:
        for operand in operands:
            if isinstance(operand, _Failed):
                return operand
        return function(*map(read, operands))

    return step


def _chosen(operands: Sequence[Any], lookup: Lookup) -> Any:
    """`a if c else b`, where the part that is not taken may have failed."""
    test, then, otherwise = operands
    return test if isinstance(test, _Failed) else then if _number(test) else otherwise


def _itself(value: Any) -> Any:
    return value


def _refuse(*operands: Any) -> Any:
    raise ExpressionError(_MAY_HOLD)


def _joined(is_or: bool, operands: Sequence[Any]) -> Any:
    """`and` and `or` over as many as it takes, from the left."""
    for operand in operands:
        if isinstance(operand, _Failed) or bool(_number(operand)) is is_or:
            return operand if isinstance(operand, _Failed) else is_or
    return not is_or


def _meant(name: str, text: str) -> int | float | bool | _Text:
    """A variable's text as what it reads like: a number, yes or no, or a text."""
    # Whole numbers first: `4` is no 4.0.
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text in ("True", "False"):
        return text == "True"
    meant = _Text(text)
    meant.name = name
    return meant


def _number(value: Any) -> Any:
    if isinstance(value, _Text):
        raise ExpressionError(f"computes with `{value.name}`, which is not a number: `{value}`")
    if isinstance(value, str):
        raise ExpressionError(f"computes with the text `{value}`")
    return value


class _Piece(NamedTuple):
    """A part of a value: a text, or a name or an expression that stands for one."""

    text: str = ""
    name: str | None = None
    expression: str | None = None
    is_bare: bool = False
    """A `$` with nothing behind it."""


@lru_cache(maxsize=1024)
def _pieces(text: str) -> tuple[_Piece, ...]:
    """A value in its parts: that of a template's option is taken apart once, not at every use."""
    pieces: list[_Piece] = []
    end = 0
    for match in _USE.finditer(text):
        if match.start() > end:
            pieces.append(_Piece(text[end : match.start()]))
        end = match.end()
        expression, name, dollar = match.groups()
        is_bare = expression is None and name is None and dollar is None
        pieces.append(_Piece(dollar or "", name, expression, is_bare))
    return (*pieces, _Piece(text[end:])) if end < len(text) else tuple(pieces)


def replaced(text: str, lookup: Lookup) -> str:
    """A value with its variables in place. Raises `ExpressionError`, also where it becomes too long."""
    written = 0
    made = []
    for piece in _pieces(text):
        if piece.text:
            made.append(piece.text)
            continue
        stands_for = ""
        if piece.expression is not None:
            stands_for = evaluate(piece.expression, lookup)
        elif piece.name is not None:
            stands_for = lookup(piece.name)
        elif piece.is_bare:
            raise ExpressionError("has a `$` without a name after it (write `$$` for the character itself)")
        written += len(stands_for)
        if written > MAX_TEXT:
            raise ExpressionError(f"becomes longer than {MAX_TEXT} characters", code="NC015")
        made.append(stands_for)
    return "".join(made)


@lru_cache(maxsize=1024)
def named_in(text: str) -> tuple[str, ...]:
    """The names that a text may ask for, dotted ones whole; one inside an expression may also be a function's."""
    found: list[str] = []
    for expression, name, _ in _USE.findall(text):
        found += [name] if name else _NAME.findall(_QUOTED.sub(" ", expression))
    return tuple(found)
