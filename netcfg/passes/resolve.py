"""Pass: the program as one text, includes in place and variables replaced, for the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from netcfg.passes.collect import RESERVED_GROUPS, TEMPLATE_KEYWORD, Parts
from netcfg.passes.read import Reading
from netcfg.passes.variables import VariableScope
from netcfg.syntax import Section


def resolved_text(reading: Reading, parts: Parts, names: Mapping[Path, str]) -> str:
    """A text that compiles to the same program. Template bodies keep their parameters.

    `names` are for Python files that it is to include under another name.
    """
    scope = VariableScope(parts.variables)
    groups = [f"{{include {names.get(path, path)}}}\n" for path in reading.extensions]
    if parts.variables.values:
        values = [f"{name} = {_escaped(value)}" for name, value in parts.variables.values.items()]
        groups.append("\n".join(["{General}", "[variables]", *values]) + "\n")
    for read in reading.groups:
        if read.group.name not in RESERVED_GROUPS:
            is_template = read.group.name.split()[0] == TEMPLATE_KEYWORD
            sections = read.group.sections
            groups.append(_group(read.group.name, sections if is_template else _replaced(sections, scope)))
    for name, sections in parts.reserved.items():
        groups.append(_group(name, _replaced(sections, scope)))
    return "\n".join(groups)


def _replaced(sections: Iterable[Section], scope: VariableScope) -> Iterator[Section]:
    """The sections with variables replaced; a `$` that is left stands for itself and is written so."""
    for section in map(scope.replace, sections):
        options = [option.with_value(_escaped(option.value)) for option in section.options]
        yield replace(section, options=options)


def _escaped(value: str) -> str:
    return value.replace("$", "$$")


def _group(name: str, sections: Iterable[Section]) -> str:
    return "\n".join([f"{{{name}}}", *(_section(section) for section in sections)])


def _section(section: Section) -> str:
    words = [word.key for word in section.words]
    options = [f"{option.key} = {option.value}" for option in section.options]
    return "\n".join([f"[{section.name}]", *words, *options, ""])
