"""Pass: `$name` and `${expression}` become text.

Ensures: values of `[variables]` are evaluated once, in any order; what sets a variable wins in the order
command line, preset, including file, included file.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.syntax import Option, Section

_USE = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_]\w*)|(\$)|)")
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
MAX_CHAIN = 64


class ExpressionError(Exception):
    """An expression cannot be read or computed; the text says why. `unknown` names a missing variable.

    `reported`: it needs a variable that failed already, and only follows from that.
    """

    def __init__(self, message: str, unknown: str | None = None, reported: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.reported = reported


Lookup = Callable[[str], str]
"""From a variable's name to its text; raises `ExpressionError`."""


def evaluate(expression: str, lookup: Lookup) -> str:
    """The value of `2 * width + 1` as text. Exact quotients of whole numbers are whole numbers."""
    if len(expression) > MAX_EXPRESSION:
        raise ExpressionError(f"is longer than {MAX_EXPRESSION} characters")
    try:
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


def _value(node: ast.AST, lookup: Lookup) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.Name):
        return _number(node.id, lookup(node.id))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.operand, lookup))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, lookup), _value(node.right, lookup))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id)
        if function is not None and node.args:
            return function(*(_value(argument, lookup) for argument in node.args))
    raise ExpressionError("may only hold numbers, variables, + - * / // % ( ), min, max and int")


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise ExpressionError(f"computes with `{name}`, which is not a number: `{text}`")


def replaced(text: str, lookup: Lookup) -> str:
    """A value with its variables in place. Raises `ExpressionError`."""

    def put(match: re.Match[str]) -> str:
        expression, name, dollar = match.groups()
        if expression is not None:
            return evaluate(expression, lookup)
        if name is not None:
            return lookup(name)
        if dollar is not None:
            return "$"
        raise ExpressionError("has a `$` without a name after it (write `$$` for the character itself)")

    return _USE.sub(put, text)


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
    _evaluating: list[str] = field(default_factory=list)

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
        if name not in self.values:
            if name in self.failed:
                raise ExpressionError(f"the variable `{name}` has no value", reported=True)
            if name not in self.definitions:
                raise ExpressionError(f"there is no variable `{name}`", unknown=name)
            if name in self._evaluating:
                chain = " → ".join([*self._evaluating[self._evaluating.index(name) :], name])
                raise ExpressionError(f"the variable `{name}` needs itself: {chain}")
            if len(self._evaluating) >= MAX_CHAIN:
                self.failed.update(self._evaluating[1:])  # reported once, at the first
                self.values.update(dict.fromkeys(self._evaluating[1:], "0"))  # reported once, at the first
                raise ExpressionError(
                    f"`{self._evaluating[0]}` needs more than {MAX_CHAIN} variables, each through the next"
                )
            self._evaluating.append(name)
            try:
                self.values[name] = replaced(self.definitions[name].text, self.value)
            finally:
                self._evaluating.pop()
        return self.values[name]

    def evaluate_all(self) -> dict[str, str]:
        """Every variable's value; what cannot be evaluated is reported at its definition."""
        for name, definition in self.definitions.items():
            try:
                self.value(name)
            except ExpressionError as error:
                self.report(error, definition.span, "")
                self.failed.add(name)
        return dict(self.values)

    def report(
        self, error: ExpressionError, span: Span | None, subject: str, known: Mapping[str, str] | None = None
    ) -> None:
        """Turn an expression's error into a finding at the value that holds it."""
        if error.reported:
            return
        if error.unknown is not None:
            names = [*(known or {}), *self.definitions]
            help = did_you_mean(error.unknown, names) or "declare it: `{General}`, `[variables]`"
            self.findings.append(Finding("NC108", str(error), span, help=help))
        else:
            self.findings.append(Finding("NC009", f"{subject}{error}", span))


@dataclass(slots=True, eq=False, repr=False)
class VariableScope:
    """What a section may name: the parameters of the template it stands in, then the program's variables."""

    variables: Variables
    parameters: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str:
        """The text a name stands for."""
        parameter = self.parameters.get(name)
        return self.variables.value(name) if parameter is None else parameter

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
                options.append(option.with_value(replaced(option.value, self.lookup)))
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
