"""What to say of a section in a network that no block type, template or network is called like."""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.blocks.registry import GROUPS, find
from netcfg.passes.collect import Parts
from netcfg.passes.read import shipped_folder
from netcfg.source import Finding
from netcfg.syntax import Section
from netcfg.vocabulary import OWN_BLOCK, help_for


def report_unknown(
    section: Section,
    known: Mapping[str, None],
    networks: Mapping[str, object],
    parts: Parts,
    findings: list[Finding],
) -> None:
    """A section is neither a block type, nor a template, nor (in {Model}) a network: none of the `known` ones."""
    name = section.name
    if name == "net":
        findings.append(Finding("NC112", "[net] must come first in its network, once", section.span))
        return
    for group in GROUPS:
        if group != "network" and find(group, name):
            message = f"[{name}] is no block of a network"
            findings.append(
                Finding("NC102", message, section.span, help=f"it belongs into {{{group.capitalize()}}}")
            )
            return
    if name in parts.networks and not networks:
        message = f"`{name}` is a network, and networks are no blocks of each other"
        help = "connect them in {Model}, or make this one a template: `{Define …}`"
        findings.append(Finding("NC112", message, section.span, help=help))
        return
    if name in parts.refused:  # said at its group
        return
    place = _shipped_template(name)
    help = f"`{{include {place}}}` has it" if place else help_for(name, "network", known) or OWN_BLOCK
    what = "network or block type" if networks else "block type"
    findings.append(Finding("NC102", f"there is no {what} `{name}`", section.span, help=help))


def _shipped_template(name: str) -> str | None:
    """The shipped file that defines a template of this name, as one includes it; None where there is none."""
    for folder in ("blocks", "zoo"):
        for path in sorted((shipped_folder() / folder).glob("*.cfg")):
            text = path.read_text(encoding="utf-8")
            if any(line.split("}")[0] == f"{{Define {name}" for line in text.splitlines()):
                return f"{folder}/{path.name}"
    return None
