"""Pass: the program as one text, includes in place and variables replaced, for the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from netcfg.passes.collect import RESERVED_GROUPS, TABLE_KEYWORD, TEMPLATE_KEYWORD, Parts
from netcfg.passes.expressions import named_in
from netcfg.passes.feed import is_source
from netcfg.passes.read import Reading
from netcfg.passes.variables import COUNTERS, VariableScope
from netcfg.syntax import Group, Option, Section


def resolved_text(
    reading: Reading, parts: Parts, settled: Sequence[Mapping[str, str]], names: Mapping[Path, str]
) -> str:
    """A text that compiles to the same program. Template bodies keep their parameters.

    `names` are for Python files that it is to include under another name; `settled` the options of each source that
    its data say, and nobody has written.
    """
    scope = VariableScope(parts.variables)
    groups = [f"{{include {names.get(path, path)}}}\n" for path in reading.extensions]
    if parts.variables.values:
        values = [f"{name} = {_escaped(value)}" for name, value in parts.variables.values.items()]
        groups.append("\n".join(["{General}", "[variables]", *values]) + "\n")
    for read in reading.groups:
        group, keyword = read.group, read.group.name.split()[0]
        if keyword == TABLE_KEYWORD:
            groups.append(_table(group))
        elif group.name not in RESERVED_GROUPS:
            is_template = keyword == TEMPLATE_KEYWORD
            groups.append(
                _group(group.name, group.sections if is_template else _replaced(group.sections, scope))
            )
    for name, sections in parts.reserved.items():
        replaced = list(_replaced(sections, scope))
        if name == "Data" and replaced:
            first, *others = range(len(replaced))
            sources = [first, *(place for place in others if is_source(replaced[place]))]
            for place, options in zip(sources, settled, strict=False):
                replaced[place] = _with(replaced[place], options)
        groups.append(_group(name, replaced))
    return "\n".join(groups)


def _with(section: Section, settled: Mapping[str, str]) -> Section:
    """A section with options that it does not say, or says to be `None`."""
    kept = [
        option for option in section.options if option.key not in settled or option.value.lower() != "none"
    ]
    written = {option.key for option in kept}
    added = [
        Option(section.file, section.line, key, _escaped(value))
        for key, value in settled.items()
        if key not in written
    ]
    return replace(section, options=[*kept, *added])


def _replaced(sections: Iterable[Section], scope: VariableScope) -> Iterator[Section]:
    """The sections with variables replaced; a `$` that is left stands for itself and is written so.

    What counts turns, the columns of tables and sizes stay as they are, and what stands beside them in a value.
    """
    for section in sections:
        columns_may_be_named = section.option("rows") is not None
        options = [_value(option, scope, columns_may_be_named) for option in section.options]
        yield replace(section, options=options)


def _value(option: Option, scope: VariableScope, columns_may_be_named: bool) -> Option:
    named = named_in(option.value) if "$" in option.value else []
    if any("." in name or name in COUNTERS for name in named) or (columns_may_be_named and named):
        return option
    return option.with_value(_escaped(scope.replaced(option.value)))


def _table(group: Group) -> str:
    return "\n".join([f"{{{group.name}}}", *(" ".join(cell.value for cell in row) for row in group.rows), ""])


def _escaped(value: str) -> str:
    return value.replace("$", "$$")


def _group(name: str, sections: Iterable[Section]) -> str:
    return "\n".join([f"{{{name}}}", *(_section(section) for section in sections)])


def _section(section: Section) -> str:
    words = [word.key for word in section.words]
    options = [f"{option.key} = {option.value}" for option in section.options]
    return "\n".join([f"[{section.name}]", *words, *options, ""])
