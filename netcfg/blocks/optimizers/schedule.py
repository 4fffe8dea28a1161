"""A number that changes while a program trains."""

import ast
from collections.abc import Callable
from math import cos, exp, floor, inf, isfinite, log, log1p, pi, sin, sqrt, tanh
from typing import Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.blocks.formula_text import OPERATORS, UNARY, Formula
from netcfg.blocks.optimizers.schedules import By, Moment

TIME = "p"
"""What a formula calls the time, from 0 to 1."""
_GRID = 100


class NumberSchedule(Section, name="schedule"):
    """A number that changes while the program trains: name it where a number is asked for that may change.

    It goes from `start` to `end` in `epochs`, after a `delay`, and stays there. It weighs losses in `minimise`
    (`recon + beta * kl`), and it may stand in every option whose page says `number or schedule`: learning rates, weight
    decay, momenta, the factor of [reverse_gradient]. `value` says it by a formula of `p`, the time from 0 to 1,
    instead: `2 / (1 + exp(-10 * p)) - 1`. By step, it changes with each update of the phase whose losses it weighs or
    whose rates it sets, never within an accumulation, and in blocks and losses with each batch. What it was stands in
    the run's log and curves. Sums on the validation split are made as at the end, so that epochs can be compared.
    Example::

        [schedule]
        name = beta
        end = 1
        epochs = 10
        shape = cosine
    """

    group: ClassVar[Group] = "optimizer"
    family: ClassVar[str] = "number"

    name: str = Option(max_length=255, description="what others call it")
    start: float = Option(0.0, description="what it is at first")
    end: float = Option(1.0, description="what it becomes")
    epochs: Annotated[float, Option(gt=0)] | None = Option(
        None, description="how many epochs it takes; None: all that are left after `delay`"
    )
    delay: Annotated[float, Option(ge=0)] = Option(0.0, description="how many epochs it stays at first")
    shape: Literal["linear", "cosine", "exponential", "step"] = Option(
        "linear",
        description="along a line, half a cosine, a constant factor, or all at once when `epochs` are over",
    )
    value: Formula | None = Option(
        None, description="a formula of `p`, which goes from 0 to 1, in the place of start, end and shape"
    )
    by: By = Option("epoch", description="whether it changes with each epoch, or with each step")

    def conflict(self) -> str | None:
        """A formula says all of it; a factor leads from no number to another sign."""
        if self.value is not None:
            beside = [
                key
                for key in ("start", "end", "shape")
                if getattr(self, key) != type(self).model_fields[key].default
            ]
            return f"has `value`, which says all of it, and `{beside[0]}`" if beside else None
        if self.shape == "exponential" and self.start * self.end <= 0:
            return (
                f"has `shape = exponential`, which needs numbers of one sign that are not 0, and goes from "
                f"{self.start:g} to {self.end:g}"
            )
        return None

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """A formula that cannot be computed, all the way."""
        if self.value is None:
            return {}
        parsed = self.value.parsed
        for name in parsed.names:
            if name != TIME:
                help = "`p` is the time, from 0 to 1; numbers and functions of it are all there is"
                return {"value": ("NC105", f"`value` names `{name}`, and a schedule knows only `p`", help)}
        help = "a formula of `p` that has a number everywhere from 0 to 1"
        for place in range(_GRID + 1):
            part = place / _GRID
            try:
                found = _evaluate(parsed.tree, part)
            except _NotKnown as error:
                return {"value": ("NC105", f"`value` has `{error}`, which no schedule knows", help)}
            except (ArithmeticError, ValueError):
                found = inf
            if not isfinite(found):
                return {"value": ("NC105", f"`value` has no number at p = {part:g}", help)}
        return {}

    def never(self, epochs: int) -> dict[str, str]:
        """A delay, or a step, that is not over before the end."""
        if self.delay >= epochs:
            return {"delay": f"it stays at first for {self.delay:g} epochs"}
        if self.shape == "step" and self.value is None and self.delay + (self.epochs or inf) >= epochs:
            key = "shape" if self.epochs is None else "epochs"
            return {key: "its step would come after the last epoch"}
        return {}

    def at(self, moment: Moment) -> float:
        """What it is at a moment; pure."""
        time = moment.time if self.by == "step" else float(moment.epochs_done)
        return self.after(self._part(time, moment.epochs))

    def _part(self, time: float, epochs: int) -> float:
        length = self.epochs if self.epochs is not None else epochs - self.delay
        if length <= 0:
            return 0.0
        return min(1.0, max(0.0, (time - self.delay) / length))

    def after(self, part: float) -> float:
        """What it is after a part of its way, from 0 to 1."""
        if self.value is not None:
            return float(_evaluate(self.value.parsed.tree, part))
        if self.shape == "step":
            return self.end if part >= 1 else self.start
        if self.shape == "exponential":
            return float(self.start * (self.end / self.start) ** part)
        if self.shape == "cosine":
            part = (1.0 - cos(pi * part)) / 2.0
        return self.start + (self.end - self.start) * part

    def words(self) -> str:
        """`0 to 1 in 10 epochs, cosine, by step`."""
        if self.value is not None:
            text = str(self.value)
        else:
            text = f"{self.start:g} to {self.end:g}"
        if self.epochs is not None:
            text += f" in {self.epochs:g} epoch{'s' * (self.epochs != 1)}"
        if self.delay:
            text += f" after {self.delay:g}"
        if self.shape != "linear":
            text += f", {self.shape}"
        return text + (", by step" if self.by == "step" else "")


class _NotKnown(ValueError):
    """A part of a formula that means nothing to a number; the message is the part."""


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "abs": abs,
    "sigmoid": lambda x: 1 / (1 + exp(-x)) if x > -700 else 0.0,
    "tanh": tanh,
    "softplus": lambda x: max(x, 0.0) + log1p(exp(-abs(x))),
    "relu": lambda x: max(x, 0.0),
    "sin": sin,
    "cos": cos,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "floor": lambda x: float(floor(x)),
}
_COMPARED: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
_COMPUTED: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: _power(a, b),
}


def _power(base: float, exponent: float) -> float:
    found = base**exponent
    if isinstance(found, complex):
        raise ValueError("a root of a number below 0")
    return float(found)


def _evaluate(node: ast.expr, p: float) -> float:
    """A formula's value. Raises `_NotKnown`, or what arithmetic raises."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return pi if node.id == "pi" else p
    if isinstance(node, ast.UnaryOp):
        value = _evaluate(node.operand, p)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        compute = _COMPUTED[OPERATORS[type(node.op)]]
        return compute(_evaluate(node.left, p), _evaluate(node.right, p))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = _evaluate(node.left, p), _evaluate(node.comparators[0], p)
        return float(_COMPARED[type(node.ops[0])](left, right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _call(node.func.id, node.args, p)
    raise _NotKnown(ast.unparse(node))


def _call(name: str, given: list[ast.expr], p: float) -> float:
    if name == "where" and len(given) == 3:  # of which the other side may have no number here
        return _evaluate(given[1] if _evaluate(given[0], p) else given[2], p)
    values = [_evaluate(one, p) for one in given]
    if name in UNARY and len(values) == 1:
        return float(_FUNCTIONS[name](values[0]))
    if name in ("min", "max") and len(values) > 1:
        return min(values) if name == "min" else max(values)
    if name == "clip" and len(values) == 3:
        return max(values[1], min(values[2], values[0]))
    raise _NotKnown(f"{name}(…)")
