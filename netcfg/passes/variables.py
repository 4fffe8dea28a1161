"""Pass: `$name` and `${expression}` become text.

Ensures: values of `[variables]` are evaluated once, in any order; what sets a variable wins in the order
command line, preset, including file, included file.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netcfg.source import Finding, Note, Span, did_you_mean, nearest
from netcfg.syntax import Option, Section

_USE = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_]\w*)|(\$)|)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "int": int}
MAX_EXPRESSION = 500
MAX_NUMBER = 10**15
MAX_SHOWN = 12
MAX_TEXT = 65_536
"""So long may variables make a text: each may double the one before."""
MAX_TEXTS = 64 * 1024 * 1024
"""And so long all texts of a program: a template may be used very often."""


class ExpressionError(Exception):
    """An expression cannot be read or computed; the text says why. `unknown` names a missing variable.

    `reported`: it needs a variable that failed already, and only follows from that.
    """

    def __init__(
        self, message: str, unknown: str | None = None, reported: bool = False, code: str = "NC009"
    ) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.reported = reported
        self.code = "NC108" if unknown is not None else code


Lookup = Callable[[str], str]
"""From a variable's name to its text; raises `ExpressionError`."""


def evaluate(expression: str, lookup: Lookup) -> str:
    """The value of `2 * width + 1` as text. Exact quotients of whole numbers are whole numbers."""
    if len(expression) > MAX_EXPRESSION:
        raise ExpressionError(f"is longer than {MAX_EXPRESSION} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of `1if`, would reach the terminal
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(
            f"`{expression}` is not an expression of numbers, variables and + - * / // % ( )"
        ) from None
    try:
        value = _value(tree, lookup)
    except ZeroDivisionError:
        raise ExpressionError(f"`{expression}` divides by zero") from None
    except (OverflowError, TypeError, ValueError, RecursionError):
        raise ExpressionError(f"`{expression}` cannot be computed") from None
    if not abs(value) <= MAX_NUMBER:
        raise ExpressionError(f"`{expression}` is larger than {MAX_NUMBER:.0e}")
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and "." not in expression
        else str(value)
    )


def _value(tree: ast.expr, lookup: Lookup) -> Any:
    """The value of a tree, from its leaves upwards: no call for each level, of which a sum has as many as terms."""
    operations: list[ast.expr] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        operations.append(node)
        pending += _operands(node)
    values: list[Any] = []
    for node in reversed(operations):
        operands = [values.pop() for _ in _operands(node)]
        values.append(_computed(node, operands[::-1], lookup))
    return values.pop()


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return node.args if isinstance(node, ast.Call) else []


def _computed(node: ast.expr, operands: list[Any], lookup: Lookup) -> Any:
    """A node's value, whose operands' values are known."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.Name):
        return _number(node.id, lookup(node.id))
    if isinstance(node, ast.UnaryOp | ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](*operands)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords and node.args:
        function = _FUNCTIONS.get(node.func.id)
        if function is not None:
            return function(*operands)
    raise ExpressionError("may only hold numbers, variables, + - * / // % ( ), min, max and int")


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise ExpressionError(f"computes with `{name}`, which is not a number: `{text}`")


def replaced(text: str, lookup: Lookup) -> str:
    """A value with its variables in place. Raises `ExpressionError`, also where it becomes too long."""
    written = 0

    def put(match: re.Match[str]) -> str:
        nonlocal written
        stands_for = _stands_for(match, lookup)
        written += len(stands_for)
        if written > MAX_TEXT:
            raise ExpressionError(f"becomes longer than {MAX_TEXT} characters", code="NC015")
        return stands_for

    return _USE.sub(put, text)


def _stands_for(match: re.Match[str], lookup: Lookup) -> str:
    expression, name, dollar = match.groups()
    if expression is not None:
        return evaluate(expression, lookup)
    if name is not None:
        return lookup(name)
    if dollar is not None:
        return "$"
    raise ExpressionError("has a `$` without a name after it (write `$$` for the character itself)")


def _named_in(text: str) -> list[str]:
    """The names that a text may ask for; one inside an expression may also be a function's."""
    found = []
    for expression, name, _ in _USE.findall(text):
        found += [name] if name else _NAME.findall(expression)
    return found


@dataclass(slots=True, eq=False, repr=False)
class _Definition:
    text: str
    span: Span | None
    depth: int


@dataclass(eq=False, repr=False)
class Variables:
    """The variables of a program, evaluated when first asked for."""

    findings: list[Finding]
    definitions: dict[str, _Definition] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    written: int = 0
    """How many characters all values together have become."""

    def declare(self, option: Option, depth: int) -> None:
        """A line of `[variables]`: the outermost file wins; twice at one depth is an error."""
        known = self.definitions.get(option.key)
        if known is not None and known.depth == depth and known.span is not None:
            notes = (Note(known.span, "first here"),)
            message = f"the variable `{option.key}` is defined twice"
            self.findings.append(Finding("NC109", message, option.span, notes, help="take one of them out"))
        elif known is None or depth < known.depth:
            self.definitions[option.key] = _Definition(option.value, option.span, depth)

    def assign(self, name: str, text: str, span: Span | None) -> None:
        """Set a declared variable, from a preset (with its place) or from the command line (without)."""
        if name not in self.definitions:
            help = did_you_mean(name, self.definitions) or "the file declares no variables"
            asked = "" if span else " (asked for from outside the file)"
            self.findings.append(Finding("NC108", f"there is no variable `{name}`{asked}", span, help=help))
            return
        known = self.definitions[name]
        self.definitions[name] = _Definition(text, span or known.span, -1)

    def value(self, name: str) -> str:
        """The text of a variable. Raises `ExpressionError` where it has none."""
        if name not in self.values and name in self.definitions:
            self._evaluate(name)
        if name in self.failed:
            raise ExpressionError(f"the variable `{name}` has no value", reported=True)
        if name not in self.values:
            raise ExpressionError(f"there is no variable `{name}`", unknown=name)
        return self.values[name]

    def evaluate_all(self) -> dict[str, str]:
        """Every variable's value; what cannot be evaluated is reported at its definition."""
        for name in self.definitions:
            self._evaluate(name)
        return dict(self.values)

    def _evaluate(self, name: str) -> None:
        """Evaluate a variable after those it needs, however long the chain; a mistake is reported where it is."""
        waiting = {name: self._needed(name)}
        while waiting:
            current, needed = next(reversed(waiting.items()))
            if current in self.values or current in self.failed:
                del waiting[current]
            elif not needed:
                self._settle(current)
            elif (next_one := needed.pop()) in waiting:
                self._report_cycle(next_one, list(waiting))
            else:
                waiting[next_one] = self._needed(next_one)

    def _needed(self, name: str) -> list[str]:
        """The variables that a variable needs and that have no value yet, in reverse order."""
        named = reversed(_named_in(self.definitions[name].text))
        return [other for other in named if other in self.definitions and other not in self.values]

    def _settle(self, name: str) -> None:
        definition = self.definitions[name]
        try:
            self.values[name] = replaced(definition.text, self._settled)
        except ExpressionError as error:
            self.report(error, definition.span, f"`{name}` ")
            self.failed.add(name)

    def _settled(self, name: str) -> str:
        """The value of a variable that needs no evaluating any more."""
        if name in self.failed or name in self.values:
            return self.value(name)
        raise ExpressionError(f"there is no variable `{name}`", unknown=name)

    def _report_cycle(self, name: str, waiting: list[str]) -> None:
        circle = waiting[waiting.index(name) :]
        chain = " → ".join([*circle, name] if len(circle) < MAX_SHOWN else [*circle[:MAX_SHOWN], "…", name])
        message = f"the variable `{name}` needs itself: {chain}"
        self.findings.append(Finding("NC009", message, self.definitions[name].span))
        self.failed.update(circle)

    def report(
        self, error: ExpressionError, span: Span | None, subject: str, known: Mapping[str, str] | None = None
    ) -> None:
        """Turn an expression's error into a finding at the value that holds it."""
        if error.reported:
            return
        if error.unknown is not None:
            near = nearest(error.unknown, known or {})
            help = f"did you mean `{near}`?" if near else did_you_mean(error.unknown, self.definitions)
            help = help or "declare it: `{General}`, `[variables]`"
            self.findings.append(Finding(error.code, str(error), span, help=help))
        else:
            self.findings.append(Finding(error.code, f"{subject}{error}", span))


@dataclass(slots=True, eq=False, repr=False)
class VariableScope:
    """What a section may name: the parameters of the template it stands in, then the program's variables."""

    variables: Variables
    parameters: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str:
        """The text a name stands for."""
        parameter = self.parameters.get(name)
        return self.variables.value(name) if parameter is None else parameter

    def replaced(self, text: str) -> str:
        """A value with its names in place. Raises `ExpressionError`, also where all of them become too much."""
        value = replaced(text, self.lookup)
        if self.variables.written > MAX_TEXTS:
            raise ExpressionError("", reported=True)
        self.variables.written += len(value)
        if self.variables.written > MAX_TEXTS:
            raise ExpressionError(f"and what stands before it become {MAX_TEXTS} characters", code="NC015")
        return value

    def replace(self, section: Section) -> Section:
        """The section with variables replaced; options that cannot be are reported and marked by dropping them."""
        if not section.has_variables:
            return section
        options = []
        failed = section.malformed
        for option in section.options:
            if "$" not in option.value:
                options.append(option)
                continue
            try:
                options.append(option.with_value(self.replaced(option.value)))
            except ExpressionError as error:
                self.variables.report(error, option.value_span, f"`{option.key}` ", self.parameters)
                failed = True
        return Section(
            section.name,
            section.file,
            section.line,
            section.column,
            section.length,
            options,
            section.words,
            failed,
        )
