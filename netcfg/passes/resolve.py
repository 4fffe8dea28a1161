"""Pass: the program as one text, includes in place and variables replaced, for the run folder."""

from __future__ import annotations

from netcfg.passes.collect import RESERVED_GROUPS, TEMPLATE_KEYWORD, Parts
from netcfg.passes.read import Reading
from netcfg.passes.variables import VariableScope
from netcfg.syntax import Section


def resolved_text(reading: Reading, parts: Parts) -> str:
    """A text that compiles to the same program. Template bodies keep their parameters."""
    scope = VariableScope(parts.variables)
    groups = [f"{{include {path}}}\n" for path in reading.extensions]
    if parts.variables.values:
        values = [f"{name} = {value}" for name, value in parts.variables.values.items()]
        groups.append("\n".join(["{General}", "[variables]", *values]) + "\n")
    for read in reading.groups:
        if read.group.name not in RESERVED_GROUPS:
            is_template = read.group.name.split()[0] == TEMPLATE_KEYWORD
            sections = read.group.sections
            groups.append(_group(read.group.name, sections if is_template else map(scope.replace, sections)))
    for name, sections in parts.reserved.items():
        groups.append(_group(name, map(scope.replace, sections)))
    return "\n".join(groups)


def _group(name: str, sections: object) -> str:
    return "\n".join([f"{{{name}}}", *(_section(section) for section in sections)])  # type: ignore[attr-defined]


def _section(section: Section) -> str:
    words = [word.key for word in section.words]
    options = [f"{option.key} = {option.value}" for option in section.options]
    return "\n".join([f"[{section.name}]", *words, *options, ""])
