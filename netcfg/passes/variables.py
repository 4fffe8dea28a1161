"""Pass: `$name` and `${expression}` become text.

Ensures: values of `[variables]` are evaluated once, in any order; what sets a variable wins in the order
command line, preset, including file, included file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netcfg.passes.expressions import ExpressionError, Lookup, SizeError, named_in, replaced
from netcfg.source import Finding, Note, Span, did_you_mean, nearest
from netcfg.syntax import Option, Section

MAX_SHOWN = 12
MAX_TEXTS = 64 * 1024 * 1024
"""So long may all texts of a program become that variables make: a template may be used very often."""
COUNTERS = {
    "turn": "in a block with `repeat` or `rows`",
    "number": "in a block with `repeat` or `rows`",
    "total": "in a block with `repeat` or `rows`",
    "row": "in a block with `rows`",
    "copy": "in a block with `copies`",
}
"""What counts by itself, and where."""
NAMING = frozenset(
    "name from branch_at_layer combine_layers origin_layer shared_with weights_from rows".split()
)
"""Options that name blocks, which no size may decide."""


def _is_same(one: Span, other: Span) -> bool:
    return one.line == other.line and one.file.name == other.file.name


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
        if known is not None and known.span is not None and _is_same(known.span, option.span):
            return  # of a file that is included under several names
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
            # A dict as a stack: the last one is on top, and one that is in it already closes a circle.
            current, needed = next(reversed(waiting.items()))
            if current in self.values or current in self.failed:
                del waiting[current]
            elif not needed:
                self._settle(current)
            elif (next_one := needed.pop()) in waiting:  # all of the circle fail, and leave the stack by that
                self._report_cycle(next_one, list(waiting))
            else:
                waiting[next_one] = self._needed(next_one)

    def _needed(self, name: str) -> list[str]:
        """The variables that a variable needs and that have no value yet, in reverse order."""
        named = reversed(named_in(self.definitions[name].text))
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
            return  # one mistake, one finding: where the variable itself is defined
        if error.unknown is not None:
            near = nearest(error.unknown, known or {})
            help = f"did you mean `{near}`?" if near else did_you_mean(error.unknown, self.definitions)
            if error.unknown in COUNTERS:
                help = f"`${error.unknown}` is known {COUNTERS[error.unknown]}"
            help = help or "declare it: `{General}`, `[variables]`"
            self.findings.append(Finding(error.code, str(error), span, help=help))
        else:
            self.findings.append(Finding(error.code, f"{subject}{error}", span, help=error.help))


@dataclass(slots=True, eq=False, repr=False)
class VariableScope:
    """What a section may name: what counts its turns and the columns of its table, the parameters of the template it
    stands in, then the program's variables; `sizes` gives those of signals, where they may be asked for.
    """

    variables: Variables
    parameters: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)
    sizes: Lookup | None = None

    def lookup(self, name: str) -> str:
        """The text a name stands for."""
        if "." in name:
            return self._dotted(name)
        found = self.local.get(name)
        if found is None:
            found = self.parameters.get(name)
        return self.variables.value(name) if found is None else found

    def _dotted(self, name: str) -> str:
        """A size; or what a variable stands for, and what is written behind it."""
        head, _, rest = name.partition(".")
        is_variable = head in self.local or head in self.parameters or head in self.variables.definitions
        if self.sizes is None and not is_variable:
            message = f"asks for `{name}`, and sizes are known to the numbers of a network's blocks alone"
            raise ExpressionError(message, help="a variable, or a size in another option")
        try:
            return f"{self.lookup(head)}.{rest}" if self.sizes is None else self.sizes(name)
        except SizeError as error:
            if is_variable and error.code == "NC201":
                return f"{self.lookup(head)}.{rest}"
            raise

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
            elif (text := self.text(option)) is not None:
                options.append(option.with_value(text))
            else:
                failed = True
        section = section.with_options(options)
        section.malformed, section.has_variables = failed, False
        return section

    def text(self, option: Option) -> str | None:
        """An option's value with its names in place; None where that cannot be (reported)."""
        scope = self
        if self.sizes and option.key in NAMING:
            scope = VariableScope(self.variables, self.parameters, self.local)
        try:
            return scope.replaced(option.value)
        except ExpressionError as error:
            known = {**self.parameters, **self.local}
            self.variables.report(error, option.value_span, f"`{option.key}` ", known)
            return None
