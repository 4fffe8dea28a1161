"""The sum of losses that an optimizer minimises, `a + 10 * (b - c) + beta * d`, as factors by loss.

Read from left to right with stacks of its own: a sum of thousands of losses nests no calls.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container

from netcfg.blocks.changing import Changing, Weight

MAX_NESTING = 100
"""So many brackets may stand one inside the other: a factor before each goes through all that is in it."""
_TOKEN = re.compile(r"\s*(?:((?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)|([^\W\d]\w*)|([-+*/()]))")
_TIES = {"+": 1, "-": 1, "*": 2, "/": 2, "negative": 3}


class NoSum(ValueError):
    """A text that is no sum of losses; the message, where there is one, says why."""


Number = dict[tuple[str, ...], float]
"""A sum of numbers, each times the schedules of its key."""


class _Sum:
    """Factors by loss, and a number; both may hang on schedules."""

    __slots__ = ("constant", "weights")

    def __init__(self, weights: dict[str, Number], constant: Number) -> None:
        self.weights = weights
        self.constant = constant

    def add(self, other: _Sum, sign: float) -> None:
        for name, weight in other.weights.items():
            _add(self.weights.setdefault(name, {}), weight, sign)
        _add(self.constant, other.constant, sign)

    def scale(self, factor: Number) -> None:
        self.weights = {name: _product(weight, factor) for name, weight in self.weights.items()}
        self.constant = _product(self.constant, factor)


def _product_told(left: _Sum, right: _Sum) -> str:
    """What two sums of losses are that are multiplied: mostly one is a number that nobody has declared."""
    names = " and ".join(f"`{name}`" for name in dict.fromkeys((*left.weights, *right.weights)))
    return (
        f"multiplies or divides {names}, of which no [schedule] is a number"
        if len(names) < 60
        else ("multiplies or divides by a loss")
    )


def _add(number: Number, other: Number, sign: float) -> None:
    for names, value in other.items():
        number[names] = number.get(names, 0.0) + sign * value


def _product(one: Number, other: Number) -> Number:
    found: Number = {}
    for names, value in one.items():
        for more, factor in other.items():
            key = tuple(sorted((*names, *more)))
            found[key] = found.get(key, 0.0) + value * factor
    return found


def _weight(number: Number) -> Weight:
    """A factor as phases have it: a number, unless it hangs on schedules."""
    changing = tuple((value, names) for names, value in number.items() if names and value)
    constant = number.get((), 0.0)
    if not changing:
        return constant
    return Changing((((constant, ()),) if constant else ()) + changing)


def sum_of_losses(text: str, schedules: Container[str] = ()) -> tuple[dict[str, Weight], Weight]:
    """The factors by name, in the order of the text, and the number that stands alone. Raises `NoSum`.

    `schedules` are the names that stand for numbers that change.
    """
    values: list[_Sum] = []
    pending: list[str] = []  # operators and brackets whose right side is not complete
    depth, expects_value = 0, True
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise NoSum
        position = match.end()
        number, name, sign = match.groups()
        if number is not None or name is not None:
            if not expects_value:
                raise NoSum
            values.append(_value(name, number, schedules))
            expects_value = False
        elif sign == "(":
            depth += 1
            if not expects_value:
                raise NoSum
            if depth > MAX_NESTING:
                raise NoSum(f"has more than {MAX_NESTING} brackets, one inside the other")
            pending.append(sign)
        elif sign == ")":
            depth -= 1
            if expects_value or depth < 0:
                raise NoSum
            _reduce(values, pending, 0)
            pending.pop()
        elif expects_value:
            if sign == "-":  # two of them are none
                pending.pop() if pending[-1:] == ["negative"] else pending.append("negative")
            elif sign != "+":
                raise NoSum
        else:
            # What binds as tightly is computed first, too: a - b - c is (a - b) - c.
            _reduce(values, pending, _TIES[sign])
            pending.append(sign)
            expects_value = True
    if expects_value or depth:
        raise NoSum
    _reduce(values, pending, 0)
    found = values.pop()
    numbers = [value for one in (*found.weights.values(), found.constant) for value in one.values()]
    if not all(map(math.isfinite, numbers)):
        raise NoSum("has a factor that is no finite number")
    return {name: _weight(weight) for name, weight in found.weights.items()}, _weight(found.constant)


def _value(name: str | None, number: str, schedules: Container[str]) -> _Sum:
    if name is None:
        return _Sum({}, {(): _number(number)})
    return _Sum({}, {(name,): 1.0}) if name in schedules else _Sum({name: {(): 1.0}}, {})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise NoSum from None


def _reduce(values: list[_Sum], pending: list[str], ties: int) -> None:
    """Compute what binds at least as tightly, back to a bracket."""
    while pending and pending[-1] != "(" and _TIES[pending[-1]] >= ties:
        sign = pending.pop()
        right = values.pop()
        if sign == "negative":
            right.scale({(): -1.0})
            values.append(right)
            continue
        left = values.pop()
        if sign in "+-":
            left.add(right, 1.0 if sign == "+" else -1.0)
        elif sign == "*" and not (left.weights and right.weights):
            if right.weights:
                left, right = right, left
            left.scale(right.constant)
        elif sign == "/" and not right.weights and any(map(any, right.constant)):
            raise NoSum("divides by a schedule: let the [schedule] itself be what it multiplies")
        elif sign == "/" and not right.weights and right.constant.get(()):
            left.scale({(): 1 / right.constant[()]})
        else:
            raise NoSum(_product_told(left, right) if right.weights else "divides by 0")
        values.append(left)
