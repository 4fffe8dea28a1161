"""`[net] same_as = Critic`: another network's declaration, with parameters of its own."""

from __future__ import annotations

from dataclasses import replace

from netcfg.passes.collect import Parts
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Group, Option

SAME_AS = "same_as"


def asks_for_another(group: Group) -> Option | None:
    """The option by which a network takes another's blocks."""
    return group.sections[0].option(SAME_AS) if group.sections else None


def fill_in(parts: Parts, findings: list[Finding]) -> None:
    """Give each network that is the same as another its blocks; what [net] says itself wins."""
    asking = {name: option for name, group in parts.networks.items() if (option := asks_for_another(group))}
    for name, option in asking.items():
        group = parts.networks[name]
        net = group.sections[0]
        own = [written for written in net.options if written.key != SAME_AS]
        finding = _mistake(name, group, option, parts, asking)
        if finding is not None:
            findings.append(finding)
            parts.networks[name] = replace(group, sections=[replace(net, options=own, malformed=True)])
            continue
        other, *blocks = parts.networks[option.value].sections
        keys = {written.key for written in own}
        options = own + [written for written in other.options if written.key not in keys]
        variables = net.has_variables or other.has_variables
        sections = [replace(net, options=options, has_variables=variables), *blocks]
        parts.networks[name] = replace(group, sections=sections)


def _mistake(
    name: str, group: Group, option: Option, parts: Parts, asking: dict[str, Option]
) -> Finding | None:
    """Why a network cannot be the same as the one it names."""
    of = option.value
    help: str | None
    if of == name:
        help = "name another network"
        return Finding("NC203", f"`{name}` cannot be the same as itself", option.value_span, help=help)
    if of not in parts.networks:
        help = did_you_mean(of, [known for known in parts.networks if known not in asking])
        return Finding("NC201", f"there is no network `{of}`", option.value_span, help=help)
    if of in asking:
        notes = (Note(asking[of].span, "it says so here"),)
        message = f"`{of}` has no blocks of its own: it is the same as `{asking[of].value}`"
        return Finding(
            "NC201", message, option.value_span, notes, help="name the network that has the blocks"
        )
    if len(group.sections) > 1:
        message = f"`{name}` is the same as `{of}`, and has blocks of its own"
        help = "take them out, or make a template of what the two have in common: `{Define …}`"
        return Finding("NC105", message, group.sections[1].span, help=help)
    return None
