"""Pass: groups become a program's parts: variables, templates, networks, and the reserved groups.

Ensures: names of networks and templates are unique; presets and command-line settings are applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from netcfg.blocks.registry import Group as Kind
from netcfg.blocks.registry import find
from netcfg.blocks.values import IDENTIFIER, read_condition
from netcfg.passes.names import is_reserved
from netcfg.passes.read import ReadGroup, Reading, is_shipped
from netcfg.passes.table_rows import Table, read_table
from netcfg.passes.variables import Variables, VariableScope
from netcfg.source import Finding, Note, Span, did_you_mean, nearest
from netcfg.syntax import Group, Option, Section

RESERVED_GROUPS = ("General", "Data", "Model", "Loss", "Optimizer", "Metric", "Generation")
GRAPHS = ("Model", "Generation")
"""Those whose blocks are wired, and read the sizes of what they are fed."""
_KINDS: Mapping[str, Kind] = {
    "Data": "data",
    "Loss": "loss",
    "Optimizer": "optimizer",
    "Metric": "metric",
    "General": "general",
}
TEMPLATE_KEYWORD = "Define"
TABLE_KEYWORD = "Table"
AUDETNET_NETWORKS = frozenset({"Encoder", "AUPredictor", "Decoder"})

_OF_BODIES = frozenset({"net", "input", "output", "defaults", "expect", "parameters"})


@dataclass(slots=True, eq=False, repr=False)
class ProgramSize:
    """What the networks of a program come to so far: blocks, and uses of templates with all that stands in them."""

    blocks: int = 0
    expansions: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Template:
    """`{Define name}`: parameters with their defaults (None: required) and the blocks."""

    name: str
    parameters: dict[str, str | None]
    blocks: list[Section]
    span: Span
    hides_block: bool = False


@dataclass(slots=True, eq=False, repr=False)
class DefaultsUse:
    """The options of `[defaults]` by their line: those that a block has taken, and what was wrong with others."""

    taken: set[tuple[int, int, str]] = field(default_factory=set)
    refused: dict[tuple[int, int, str], Finding] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class Parts:
    """A program before anything in it is checked."""

    name: str
    variables: Variables
    presets: dict[str, Section] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    networks: dict[str, Group] = field(default_factory=dict)
    reserved: dict[str, list[Section]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Names of groups that are neither networks nor templates as they stand, which is said at them."""
    size: ProgramSize = field(default_factory=ProgramSize)
    defaults: DefaultsUse = field(default_factory=DefaultsUse)

    def template_of(self, section: Section) -> Template | None:
        """The template that a block is a use of.

        One called like a block type is meant in its author's files, and the block type in the shipped ones, which know
        of no other.
        """
        template = self.templates.get(section.name)
        if template is not None and template.hides_block and is_shipped(section.file.name):
            return None
        return template


def is_audetnet(parts: Parts) -> bool:
    """Whether a file is in AUDetNet's format: its networks, options by position, no wiring of its own."""
    general = parts.reserved.get("General", [])
    is_general = any(section.name == "training" for section in general) or "Model" in parts.spans
    return AUDETNET_NETWORKS <= set(parts.networks) and not is_general


def collect(
    reading: Reading, preset: str | None, settings: Mapping[str, object], findings: list[Finding]
) -> Parts:
    """Sort the groups by what they are, then fix the variables."""
    parts = Parts(reading.name, Variables(findings))
    for read in reading.groups:
        if not read.group.malformed:
            _sort(read, parts, findings)
        elif read.group.name:
            parts.refused.add(read.group.name)
    # What is included comes first, so that the file that includes it has the last word.
    for read in sorted(reading.groups, key=lambda read: -read.depth):
        if read.group.name == "General":
            _add_presets(read.group, parts, findings)
    is_read = bool(reading.groups) or not findings  # else nothing can be known of what it declares
    _apply_preset(preset if is_read else None, parts, findings)
    for name, value in settings.items() if is_read else ():
        text = _as_text(value)
        if text.isprintable():
            parts.variables.assign(name, text, None)
        else:
            message = (
                f"the value of `{name}` (asked for from outside the file) holds control characters: `{text}`"
            )
            findings.append(Finding("NC013", message, help="take them out"))
    # At last, as a variable may be made of others that presets or the command line have changed by now.
    parts.variables.evaluate_all()
    for name, sections in parts.reserved.items():
        if name not in GRAPHS:  # in which whoever reads what is not there reads on from before it
            parts.reserved[name] = those_there(sections, VariableScope(parts.variables), findings)
    return parts


def those_there(sections: list[Section], scope: VariableScope, findings: list[Finding]) -> list[Section]:
    """The sections of a group whose `if` holds, or that have none."""
    there = []
    for section in sections:
        option = section.option("if")
        if option is None:
            there.append(section)
            continue
        text = scope.text(option)
        try:
            if text is None or read_condition(text):
                rest = [other for other in section.options if other is not option]
                there.append(replace(section, options=rest))
        except ValueError as error:
            help = "a variable, or a condition: `if = ${fold > 0}`"
            findings.append(Finding("NC105", f"`if` must be {error}", option.value_span, help=help))
    return there


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _sort(read: ReadGroup, parts: Parts, findings: list[Finding]) -> None:
    group = read.group
    words = group.name.split(maxsplit=1)
    if words and words[0] == TEMPLATE_KEYWORD:
        _add_template(group, words[1] if len(words) > 1 else "", parts, findings)
    elif words and words[0] == TABLE_KEYWORD:
        _add_table(group, words[1] if len(words) > 1 else "", parts, findings)
    elif group.name in RESERVED_GROUPS:
        _add_reserved(group.name, read, parts, findings)
    elif (meant := _meant(group)) is not None:
        message = f"[{group.sections[0].name}] stands in {{{meant}}}, and this group is called `{group.name}`"
        findings.append(Finding("NC101", message, group.span, help=f"did you mean `{meant}`?"))
        _add_reserved(meant, read, parts, findings)  # so that nobody misses what is in it
    else:
        _add_network(group, parts, findings)


def _add_variables(section: Section, depth: int, parts: Parts, findings: list[Finding]) -> bool:
    """Take `[variables]` and `[preset NAME]`; tells whether the section was one of them."""
    words = section.name.split()
    if words[:1] == ["variables"]:
        for option in section.options:
            parts.variables.declare(option, depth)
        return True
    if words[:1] == ["preset"]:
        if len(words) != 2:
            findings.append(
                Finding("NC002", "a preset has one name", section.span, help="write `[preset demo]`")
            )
        return True
    return False


def _add_presets(group: Group, parts: Parts, findings: list[Finding]) -> None:
    for section in group.sections:
        words = section.name.split()
        if len(words) == 2 and words[0] == "preset":
            _report_repeated(section, findings)
            _add_preset(words[1], section, parts)


def _report_repeated(section: Section, findings: list[Finding]) -> None:
    for option in section.options:
        first = section.option(option.key)
        if first is not None and first is not option:
            notes = (Note(first.span, "first here"),)
            message = f"`{option.key}` is written twice"
            findings.append(Finding("NC106", message, option.span, notes, help="take one of them out"))


def _add_preset(name: str, section: Section, parts: Parts) -> None:
    """A preset written in several files adds up; what comes later (the including file last) wins."""
    known = parts.presets.get(name)
    if known is not None:
        own = {option.key for option in section.options}
        inherited = [option for option in known.options if option.key not in own]
        section = Section(
            section.name,
            section.file,
            section.line,
            section.column,
            section.length,
            inherited + section.options,
        )
    parts.presets[name] = section


def _apply_preset(name: str | None, parts: Parts, findings: list[Finding]) -> None:
    for preset in parts.presets.values():
        for option in preset.options:
            if option.key not in parts.variables.definitions:
                help = did_you_mean(option.key, parts.variables.definitions)
                message = f"the preset sets a variable `{option.key}` that is not declared"
                findings.append(
                    Finding("NC108", message, option.span, help=help or "declare it in `[variables]`")
                )
    if name is None:
        return
    if name not in parts.presets:
        help = did_you_mean(name, parts.presets) or "it has no presets"
        findings.append(Finding("NC113", f"{parts.name} has no preset `{name}`", help=help))
        return
    for option in parts.presets[name].options:
        if option.key in parts.variables.definitions:
            parts.variables.assign(option.key, option.value, option.span)


def _add_template(group: Group, name: str, parts: Parts, findings: list[Finding]) -> None:
    if not name:
        findings.append(Finding("NC002", "a template needs a name", group.span, help="write `{Define name}`"))
        return
    if name in _OF_BODIES:
        message = f"[{name}] says something of every network and template, and can be no template itself"
        findings.append(Finding("NC109", message, group.span, help="give the template another name"))
        return
    if _taken(name, group, parts.templates.get(name), "template", findings):
        return
    hides_block = find("network", name) is not None
    if hides_block:
        message = f"the template `{name}` takes the place of the block type of that name"
        help = "right where it is meant; where the block type is, give the template another name"
        findings.append(Finding("NC109", message, group.span, help=help, severity="warning"))
    blocks = list(group.sections)
    parameters: dict[str, str | None] = {}
    if blocks and blocks[0].name == "parameters":
        parameters = _parameters(blocks.pop(0), findings)
    for section in blocks:
        if section.name == "parameters":
            findings.append(Finding("NC112", "[parameters] must come first in its template", section.span))
        elif section.name == "input":
            for option in section.options:
                if option.key != "name" and option.value != "None":
                    message = f"an [input] of a template has a `name` alone, and no `{option.key}`"
                    help = "take it out: what feeds the use says the rest"
                    findings.append(Finding("NC103", message, option.span, help=help))
    parts.templates[name] = Template(
        name, parameters, [b for b in blocks if b.name != "parameters"], group.span, hides_block
    )


def _add_table(group: Group, name: str, parts: Parts, findings: list[Finding]) -> None:
    if not IDENTIFIER.match(name.rpartition(".")[2]):
        message = f"`{name}` cannot be a table's name" if name else "a table needs a name"
        findings.append(Finding("NC002", message, group.span, help="write `{Table stages}`"))
    elif not _taken(name, group, parts.tables.get(name), "table", findings):
        parts.tables[name] = read_table(group, name, findings)


def _parameters(section: Section, findings: list[Finding]) -> dict[str, str | None]:
    lines: list[Option] = sorted([*section.words, *section.options], key=lambda option: option.line)
    parameters: dict[str, str | None] = {}
    for option in lines:
        if option.key in parameters:
            findings.append(Finding("NC106", f"the parameter `{option.key}` is written twice", option.span))
        parameters[option.key] = option.value or None
    return parameters


def _add_reserved(name: str, read: ReadGroup, parts: Parts, findings: list[Finding]) -> None:
    parts.spans.setdefault(name, read.group.span)
    for section in read.group.sections:
        if name != "General" or not _add_variables(section, read.depth, parts, findings):
            parts.reserved.setdefault(name, []).append(section)


def _meant(group: Group) -> str | None:
    """The reserved group whose first section stands in one of another name: `{Dataset}`, `{Optimiser}`."""
    first = group.sections[0].name if group.sections else "net"
    if first == "net" or find("network", first) is not None:
        return None
    return next((name for name, kind in _KINDS.items() if find(kind, first) is not None), None)


def _add_network(group: Group, parts: Parts, findings: list[Finding]) -> None:
    first = group.sections[0] if group.sections else None
    if first is None or (first.name != "net" and not first.malformed):
        _report_no_network(group, first, findings)
        parts.refused.add(group.name.split()[-1])
        return
    if "." in group.name or is_reserved(group.name):
        message = f"`{group.name}` cannot be a network's name: " + (
            "it holds a dot" if "." in group.name else "Python or PyTorch's modules use the word themselves"
        )
        findings.append(Finding("NC111", message, group.span, help="give the network another name"))
        return
    if not _taken(group.name, group, parts.networks.get(group.name), "network", findings):
        parts.networks[group.name] = group


def _report_no_network(group: Group, first: Section | None, findings: list[Finding]) -> None:
    """A group that is neither: a reserved word misspelt, or a network without its [net]."""
    for index, finding in enumerate(findings):
        if (finding.code, finding.message) == ("NC003", f"an option of `{group.name}` outside any block"):
            # The options are those of the [net] that is missing.
            findings[index] = replace(finding, help="open a block before it: `[net]`")
            return
    match = nearest(group.name, [*RESERVED_GROUPS, TEMPLATE_KEYWORD])
    words = group.name.split()
    if len(words) == 2 and words[0] != TABLE_KEYWORD:
        # A network's name is one word: this is a template by the word of another language, or a misspelt one.
        help = f"a template is written `{{{TEMPLATE_KEYWORD} {words[1]}}}`"
        findings.append(Finding("NC101", f"there is no group `{group.name}`", group.span, help=help))
    elif match is not None:
        message = f"`{group.name}` is neither a reserved group nor a network (which begins with [net])"
        findings.append(Finding("NC101", message, group.span, help=f"did you mean `{match}`?"))
    elif first is None:
        findings.append(
            Finding("NC208", f"`{group.name}` is empty", group.span, help="a network begins with `[net]`")
        )
    else:
        notes = (Note(group.span, f"the network `{group.name}` begins here"),)
        message = f"a network begins with [net], and `{group.name}` begins with [{first.name}]"
        help = f"put `[net]` first; a template, used as `[{group.name}]`, is `{{{TEMPLATE_KEYWORD} {group.name}}}`"
        findings.append(Finding("NC112", message, first.span, notes, help=help))


def _taken(
    name: str, group: Group, known: Template | Group | Table | None, kind: str, findings: list[Finding]
) -> bool:
    if known is None:
        return False
    notes = (Note(known.span, "first here"),)
    message = f"the {kind} `{name}` is defined twice"
    help = "rename or remove one of them"
    if known.span.file is not group.span.file and kind != "network":
        help += (
            f", or include its file under a name: `{{include {known.span.file.name} as a}}` gives `a.{name}`"
        )
    findings.append(Finding("NC109", message, group.span, notes, help=help))
    return True
