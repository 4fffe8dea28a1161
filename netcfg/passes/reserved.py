"""The sections of the reserved groups, checked by kind: what the passes over data, losses and optimizers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from netcfg.blocks.base import Section as Checked
from netcfg.blocks.registry import GROUPS, Group, find, sections
from netcfg.passes.collect import GRAPHS, Parts
from netcfg.passes.schema import check_section
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding
from netcfg.syntax import Section
from netcfg.vocabulary import help_for

Kind = TypeVar("Kind", bound=Checked)


class Reserved:
    """The reserved groups of a program, their variables replaced."""

    def __init__(self, parts: Parts, findings: list[Finding]) -> None:
        self.parts = parts
        self.findings = findings
        self.holds_network: set[str] = set()  # groups in which a [net] stands, whose header is missing
        scope = VariableScope(parts.variables)
        self._sections = {
            name: sections if name in GRAPHS else [scope.replace(section) for section in sections]
            for name, sections in parts.reserved.items()
        }

    def sections(self, group: str) -> list[Section]:
        """The sections of `{Group}`, of all files together; those of `{Model}` as written, for the sizes in them."""
        return self._sections.get(group, [])

    def replace(self, group: str, sections: list[Section]) -> None:
        """Put others in the place of those of a group."""
        self._sections[group] = sections

    def checked(self, section: Section, group: Group, kind: type[Kind]) -> Kind | None:
        """The section by its schema; an unknown type is reported with the nearest right one."""
        if section.malformed:
            return None
        found = find(group, section.name)
        if found is None or not issubclass(found, kind):
            self._report_unknown(section, group, kind)
            return None
        return check_section(section, found, self.findings)

    def _report_unknown(self, section: Section, group: Group, kind: type[Checked]) -> None:
        # A schedule is no step, and has been taken out of them; a slip of the pen is not.
        known = [
            name
            for name, found in sections(group).items()
            if issubclass(found, kind) or found.family == "number"
        ]
        help = help_for(section.name, group, known)
        if group == "data" and find("data", section.name):
            help = "the first block of {Data} is the source, the others change its samples"
        place_of_it = ""
        for other in GROUPS:
            if other != group and find(other, section.name):
                place = "a network" if other == "network" else f"{{{other.capitalize()}}}"
                help = f"it belongs into {place}"
                place_of_it = place
        message = f"{{{group.capitalize()}}} has no block `{section.name}` here"
        if group in self.holds_network and place_of_it == "a network":
            return  # it belongs to the [net] above it
        if section.name == "net":
            self.holds_network.add(group)
            help = "a network begins with its name: write `{Name}` above [net]"
        self.findings.append(Finding("NC102", message, section.span, help=help))

    def is_new(self, checked: Checked, section: Section, taken: Mapping[str, object]) -> bool:
        """Whether the name of a loss, metric or phase is still free; says so where it is not."""
        name = called(checked)
        if name in taken:
            option = section.option("name")
            span = option.value_span if option else section.span
            self.findings.append(
                Finding("NC107", f"there are two called `{name}`", span, help="write `name = …`")
            )
        return name not in taken


def called(checked: Checked) -> str:
    """What others call a section: its name, or without one its type."""
    return checked.name or checked.type_name
