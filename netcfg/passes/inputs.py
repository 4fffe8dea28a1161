"""What feeds a network: one picture, as [net] says, or its [input] blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netcfg.blocks.network.net import Input, Net
from netcfg.passes.drafts import NOTHING, Context, Wire
from netcfg.passes.given import Offer, Others
from netcfg.passes.names import check_name
from netcfg.passes.placing import Placing
from netcfg.passes.schema import check_section
from netcfg.passes.stand_ins import StandIns
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Note
from netcfg.syntax import Section


def inputs_replaced(sections: Sequence[Section], scope: VariableScope) -> list[Section]:
    """A body whose inputs are read before its first block, so that their variables are in their places."""
    return [scope.replace(section) if section.name == "input" else section for section in sections]


def check_declared(net: Net, section: Section, inputs: Sequence[Section], findings: list[Finding]) -> None:
    """Report where neither of both says what is fed, or both do."""
    if net.channels is None and not inputs and not net.inputs:
        message = "`net` needs `channels` or `inputs`, or the network an [input]"
        findings.append(Finding("NC104", message, section.span, help="write `channels = 3`"))
    elif net.channels is not None and inputs:
        option = section.option("channels")
        notes = (Note(inputs[0].span, "its inputs are declared here"),)
        span = option.span if option else section.span
        message = "`channels` and [input] blocks both declare the network's input"
        findings.append(Finding("NC105", message, span, notes, help="leave `channels` out"))


def place_inputs(
    net: Net | None,
    net_section: Section,
    declared: Sequence[Section],
    context: Context,
    placing: Placing,
    stand_ins: StandIns | None,
    others: Others | None = None,
) -> dict[str, Wire]:
    """The inputs by name, in file order; a stand-in for each that cannot be read, and where there is none."""
    wires: dict[str, Wire] = {}

    def stood_in(section: Section, name: str) -> Wire:
        block = stand_ins.input(section, name) if stand_ins else None
        place = context.place.below(name)
        return placing.draft(place, block, section, [], None, context) if block else NOTHING

    if net is not None and net.channels is not None and not declared:
        block = Input(name="input", channels=net.channels, height=net.height, width=net.width)
        wires["input"] = placing.draft(context.place.below("input"), block, net_section, [], None, context)
    for offer in _offered(net, net_section, others, placing.findings):
        if offer.name in wires:
            option = net_section.option("inputs")
            message = f"`{offer.name}` is the name of two inputs"
            help = "name one port of each network, or write an `[input]` with `like` and a name of its own"
            placing.findings.append(
                Finding("NC107", message, option.value_span if option else net_section.span, help=help)
            )
            continue
        place = context.place.below(offer.name)
        wires[offer.name] = placing.draft(place, offer.input(), net_section, [], None, context)
    for section in declared:
        checked = check_section(section, Input, placing.findings)
        option = section.option("name")
        if checked is not None and checked.like is not None:
            checked = _like(checked, section, others, placing.findings)
        if checked is None:
            if option:
                wires[option.value] = stood_in(section, option.value)
        elif check_name(option, wires, placing.findings):
            place = context.place.below(checked.name)
            wires[checked.name] = placing.draft(place, checked, section, [], None, context)
    if not wires and (declared or stand_ins or (net is not None and net.inputs)):
        wires["input"] = stood_in(declared[0] if declared else net_section, "input")
    return wires


def _offered(
    net: Net | None, section: Section, others: Others | None, findings: list[Finding]
) -> Iterator[Offer]:
    """What `[net] inputs` takes, in order."""
    option = section.option("inputs")
    if net is None or net.inputs is None or option is None or others is None:
        return
    for item in net.inputs:
        yield from others.offers(option, item, findings)


def _like(block: Input, section: Section, others: Others | None, findings: list[Finding]) -> Input | None:
    """An input in the shape of the signal that `like` names; None where there is no such signal (reported)."""
    option = section.option("like")
    assert option is not None
    assert block.like is not None
    offers = others.offers(option, block.like, findings) if others else []
    if len(offers) > 1:
        listed = " or ".join(f"`{option.value}.{offer.name}`" for offer in offers[:4])
        message = f"`{option.value}` gives {len(offers)} signals"
        findings.append(Finding("NC204", message, option.value_span, help=f"say which: {listed}"))
        return None
    return offers[0].input(block.name) if offers else None
