"""What a use says about whether, how often and as what it stands there: `if`, `rows`, `flat`.

These keys belong to every block and every use of a template, network or not; they are taken out before a schema sees
the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netcfg.blocks.base import Block
from netcfg.blocks.formula_text import HERE, read_formula
from netcfg.blocks.network.formula import Formula
from netcfg.blocks.network.model import NetworkUse
from netcfg.blocks.registry import find
from netcfg.blocks.values import read_bool, read_condition, read_reference, split_list
from netcfg.folding import Over
from netcfg.graph import Signal
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import NOTHING, Site, Wire
from netcfg.passes.expansion import COMMON_OPTIONS, KEYS
from netcfg.passes.expressions import ExpressionError, named_in
from netcfg.passes.infer import Inference
from netcfg.passes.over import read_over
from netcfg.passes.references import References
from netcfg.passes.sizes import Fields, Sizes
from netcfg.passes.table_rows import Table, row_of
from netcfg.passes.variables import VariableScope
from netcfg.shapes import UNKNOWN
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Option, Section
from netcfg.vocabulary import help_for

STRUCTURE = frozenset(KEYS)
JOINS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "stack": ("stack", {}),
    **{axis: ("stack", {"axis": axis}) for axis in ("frames", "tokens", "objects")},
    "concat": ("combine_concat", {}),
    "add": ("combine_add", {}),
}
"""What makes one signal of several copies', the block that does it, and its options."""
OVER = ("over", "statistics")
MAX_COPIES = 10_000
_BY_TURN = frozenset({"turn", "number"})


def is_structured(section: Section) -> bool:
    """Whether it has one of these keys."""
    for option in section.options:  # a loop: this is asked of every block
        if option.key in STRUCTURE:
            return True
    return False


@dataclass(slots=True, eq=False, repr=False)
class Written:
    """A block as it is written, without the keys of its structure, and what it may name; `scope` is None where it
    names nothing. `name` is what it is called so far.
    """

    section: Section
    scope: VariableScope | None = None
    keys: Mapping[str, Option] = field(default_factory=dict)
    is_flat: bool = False
    name: str | None = None

    @property
    def is_named_by_copy(self) -> bool:
        """Whether its name says the copy, and so is the whole path of one."""
        option = self.section.option("name")
        return option is not None and "$" in option.value and "copy" in named_in(option.value)

    def copy(self, index: int) -> Written:
        """One of several copies, which has no name of its own unless that says the copy."""
        section, scope = self.section, self.scope
        assert scope is not None
        if not self.is_named_by_copy:
            options = [option for option in section.options if option.key != "name"]
            section = section.with_options(options)
        return Written(section, replace(scope, local={**scope.local, "copy": str(index)}), self.keys)

    @property
    def varies(self) -> bool:
        """Whether its options are others in each turn of its `repeat`."""
        return any(
            name in _BY_TURN or name.startswith("in.")
            for option in self.section.options
            if "$" in option.value
            for name in named_in(option.value)
        )

    @property
    def is_named_by_turn(self) -> bool:
        """Whether its name says the turn, and so is the whole path of one."""
        option = self.section.option("name")
        return option is not None and "$" in option.value and not _BY_TURN.isdisjoint(named_in(option.value))

    def of_turn(self, turn: int, read: Wire | None = None) -> VariableScope | None:
        """What it may name in one turn, which reads `read` (None: what it says itself)."""
        if self.scope is None or not ("turn" in self.scope.local or self.section.option("repeat")):
            return self.scope
        first = int(self.scope.local.get("number", 0))
        local = {**self.scope.local, "turn": str(turn), "number": str(first + turn)}
        sizes = self.scope.sizes
        if read is not None and isinstance(sizes, Sizes):
            sizes = replace(sizes, read=lambda: read)
        return VariableScope(self.scope.variables, self.scope.parameters, local, sizes)


@dataclass(slots=True, eq=False, repr=False)
class Structure:
    """Reads the structure of the blocks of one network."""

    parts: Parts
    findings: list[Finding]
    inference: Inference
    references: References
    fields: Fields
    networks: Mapping[str, object]

    def scope(self, section: Section, site: Site, local: Mapping[str, str] | None = None) -> VariableScope:
        """What a block may name where it stands."""
        over = site.context.over
        sizes = Sizes(site.names, self.inference, self.fields, lambda: self.peek(section, site), over)
        return VariableScope(self.parts.variables, site.context.variables.parameters, local or {}, sizes)

    def split(self, section: Section) -> tuple[Section, dict[str, Option]]:
        """A block without the keys of its structure, and these; one that is written twice is reported.

        A parameter of a template that is called like one of them is a parameter.
        """
        keys: dict[str, Option] = {}
        options = []
        template = self.parts.template_of(section)
        own = template.parameters if template else {}
        for option in section.options:
            if option.key not in STRUCTURE or option.key in own:
                options.append(option)
            elif option.key in keys:
                notes = (Note(keys[option.key].span, "first here"),)
                self.findings.append(Finding("NC106", f"`{option.key}` is written twice", option.span, notes))
            else:
                keys[option.key] = option
        return section.with_options(options), keys

    def is_there(self, keys: Mapping[str, Option], scope: VariableScope) -> bool:
        """What `if` says."""
        option = keys.get("if")
        text = scope.text(option) if option else "True"
        # Where nobody knows, it is there: so its other mistakes are found, too.
        if option is None or text is None:
            return True
        try:
            return read_condition(text)
        except ValueError as error:
            help = "a variable, or a condition: `if = ${stride == 1}`"
            self.findings.append(Finding("NC105", f"`if` must be {error}", option.value_span, help=help))
            return True

    def is_flat(self, written: Written, templates: Mapping[str, Template]) -> bool:
        """Whether what is inside a use stands in its place; only templates have an inside."""
        option = written.keys.get("flat")
        text = written.scope.text(option) if option and written.scope else None
        if option is None or text is None:
            return False
        try:
            is_flat = read_bool(text)
        except ValueError as error:
            self.findings.append(Finding("NC105", f"`flat` must be {error}", option.value_span))
            return False
        section = written.section
        if is_flat and section.name not in templates:
            message = f"`flat` is for uses of templates, and [{section.name}] has nothing inside it"
            self.findings.append(Finding("NC105", message, option.span, help="take it out"))
            return False
        for key in ("shared_with", "weights", "weights_from", "copies"):
            if is_flat and (other := section.option(key) or written.keys.get(key)):
                message = f"`{key}` is for what has a path, and a flat use has none"
                self.findings.append(Finding("NC105", message, other.span, help="take `flat` out"))
        return is_flat

    def copies(self, written: Written) -> tuple[int, str | None] | None:
        """How many stand side by side, and what makes one signal of theirs; None where a block stands alone."""
        option, join = written.keys.get("copies"), written.keys.get("join")
        if option is None:
            if join is not None:
                message = "`join` makes one signal of `copies`, and there are none"
                self.findings.append(Finding("NC105", message, join.span, help="write `copies = …`"))
            return None
        assert written.scope is not None
        text, how = written.scope.text(option), written.scope.text(join) if join else None
        if text is None or (join and how is None):
            return None
        # Nine digits are too many copies already, and thousands of them Python refuses to read.
        if not text.isdecimal() or not 0 < int(text[:9]) <= MAX_COPIES:
            message = f"`copies` must be a whole number from 1 to {MAX_COPIES}, found `{text}`"
            self.findings.append(Finding("NC105", message, option.value_span))
            return None
        if join and how not in JOINS:
            message = f"`join` must be one of {', '.join(f'`{known}`' for known in JOINS)}, found `{how}`"
            self.findings.append(Finding("NC105", message, join.value_span))
            return None
        return int(text), how

    def over(
        self, written: Written, site: Site, wires: Sequence[Wire] | None = None
    ) -> tuple[Over, ...] | None:
        """The axes for whose places a block is computed, one by one; None where that is wrong (reported).

        `wires` are what it reads, where that is known.
        """
        if "over" not in written.keys and "statistics" not in written.keys:
            return site.context.over
        assert written.scope is not None
        texts = {key: written.scope.text(written.keys[key]) for key in OVER if key in written.keys}
        wires = self.peeked(written.section, site) if wires is None else wires
        signals = [signal for wire in wires if wire != NOTHING and (signal := self._known(wire))]
        if len(signals) < len(wires):
            signals = []
        return read_over(written.keys, texts, signals, site.context.over, self.findings)

    def _known(self, wire: Wire) -> Signal | None:
        """A signal that is there, whatever is wrong with its port being said elsewhere."""
        node = self.inference.nodes[wire.producer]
        if node is None or node.output.shape == UNKNOWN:
            return None
        return node.outputs.get(wire.port) or (None if wire.port else node.output)

    def peeked(self, section: Section, site: Site) -> list[Wire]:
        """All signals that a block reads, without a word."""
        kind = None if self.parts.template_of(section) else find("network", section.name)
        roles = kind.roles if kind and issubclass(kind, Block) else ()
        options = [self._reference_option(section), *(section.option(role) for role in roles)]
        written = [option for option in options if option]
        reads_nothing = kind is not None and issubclass(kind, Block) and kind.input_count == 0
        wires = [] if options[0] or reads_nothing else [site.previous]
        # Its findings go nowhere: all of this is said when the block is placed.
        quiet = References([], self.references.in_model)
        scope = VariableScope(self.parts.variables, site.context.variables.parameters)
        for option in written:
            try:
                items = split_list(scope.replaced(option.value))
            except ExpressionError:
                return [NOTHING]
            wires += [self._first(item, option, section, site, quiet) for item in items]
        return wires

    def read(self, written: Written, site: Site) -> Wire:
        """The first signal that a block reads, were it there."""
        section = written.section
        option = self._reference_option(section)
        scope = written.of_turn(0) or self.scope(section, site)
        text = scope.text(option) if option else None
        if option is None:
            return self.references.default(section, site.previous, site.names)
        return self._first(text, option, section, site, self.references)

    def peek(self, section: Section, site: Site) -> Wire:
        """The same without a word: what is wrong with it is said when the block is placed."""
        option = self._reference_option(section)
        if option is None:
            return site.previous
        scope = VariableScope(self.parts.variables, site.context.variables.parameters)
        try:
            text = scope.replaced(option.value)
        except ExpressionError:
            return NOTHING
        return self._first(text, option, section, site, References([], self.references.in_model))

    def _reference_option(self, section: Section) -> Option | None:
        kind = None if self.parts.template_of(section) else find("network", section.name)
        own = kind.reference_option if kind and issubclass(kind, Block) else "from"
        return section.option(own) or section.option("from")

    @staticmethod
    def _first(
        text: str | None, option: Option, section: Section, site: Site, references: References
    ) -> Wire:
        if text is None:
            return NOTHING
        try:
            item = _first_item(text, section)
            reference = read_reference(item)
        except ValueError as error:
            references.findings.append(Finding("NC105", f"`{option.key}` must be {error}", option.value_span))
            return NOTHING
        return references.resolve(reference, option, item, section, site.names)

    # --- tables

    def rows(self, section: Section, site: Site) -> Iterator[Written]:
        """A block for each row of its table; itself where it names none."""
        option = section.option("rows")
        if option is None:
            yield Written(section)
            return
        scope = VariableScope(self.parts.variables, site.context.variables.parameters)
        name = scope.text(option)
        table = self.parts.tables.get(name) if name is not None else None
        if table is None or table.is_broken:
            if name is not None and table is None:
                help = did_you_mean(name, self.parts.tables) or "write one: `{Table NAME}`"
                self.findings.append(
                    Finding("NC116", f"there is no table `{name}`", option.value_span, help=help)
                )
            yield Written(replace(section, malformed=True))
            return
        if not self._check_columns(section, table):
            yield Written(replace(section, malformed=True))
            return
        known = self._keys_of(section)
        number = 0
        # Of all rows before the first is placed, as `$total` counts those that come later, too.
        turns_of = [self._turns(section, table, index, scope) for index in range(len(table.rows))]
        total = sum(turns_of)
        for index, turns in enumerate(turns_of):
            written = row_of(section, table, index, known, scope)
            counters = {"row": index, "turn": 0, "number": number, "total": total}
            local = {key: str(value) for key, value in counters.items()} | written[1]
            yield Written(written[0], VariableScope(self.parts.variables, {}, local))
            number += turns

    def _turns(self, section: Section, table: Table, index: int, scope: VariableScope) -> int:
        """How many turns a row has, where that can be said before it is placed; one otherwise."""
        option = section.option("repeat") or table.cell("repeat", index)
        if option is None:
            return 1
        cells = {name: cell for name in named_in(option.value) if (cell := table.cell(name, index))}
        try:
            local = {name: scope.replaced(cell.value) for name, cell in cells.items()}
            text = replace(scope, local=local).replaced(option.value)
        except ExpressionError:
            return 1
        return int(text) if text.isdecimal() and len(text) < 6 else 1

    def _keys_of(self, section: Section) -> Mapping[str, object] | None:
        """What may be set in a block of this type; None where nobody knows the type."""
        template = self.parts.template_of(section)
        keys = [key for key in KEYS if key != "rows"]
        if template is not None:
            return dict.fromkeys((*template.parameters, *COMMON_OPTIONS, *keys))
        keys.remove("flat")  # only a template has an inside
        kind = NetworkUse if section.name in self.networks else find("network", section.name)
        return dict.fromkeys((*kind.readers(), *keys)) if kind else None

    def _check_columns(self, section: Section, table: Table) -> bool:
        """Report columns that set nothing, and that no option of the use names."""
        known = self._keys_of(section)
        named = {name for option in section.options for name in named_in(option.value)}
        before = len(self.findings)
        if known is None:
            return True
        for column in table.columns:
            if column.value not in known and column.value not in named:
                message = f"the column `{column.value}` is no option of [{section.name}], and none names it"
                notes = (Note(section.span, "the table is used here"),)
                help = help_for(column.value, "option", known)
                self.findings.append(Finding("NC116", message, column.span, notes, help=help))
        return len(self.findings) == before


def _first_item(text: str, section: Section) -> str:
    """The first signal that an option of references names, a formula too."""
    kind = find("network", section.name)
    if kind is not None and issubclass(kind, Formula):
        names = read_formula(text).parsed.names
        return names[0] if names and names[0] != HERE else "-1"
    return split_list(text)[0]
