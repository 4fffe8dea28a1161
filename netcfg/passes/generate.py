"""Pass: `{Generation}` becomes a graph for making things: draws, networks, loops; it reads no data.

Requires: the networks' graphs. Ensures: every input of every use of a network is fed by a signal of a fitting shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netcfg.blocks.network.gradient import Gradient
from netcfg.blocks.network.loop import Loop
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Signal
from netcfg.passes.elaborate import elaborate_generation
from netcfg.passes.reserved import Reserved
from netcfg.program import Data
from netcfg.source import Finding, has_errors
from netcfg.syntax import Group

GENERATION = "Generation"


def read_generation(reserved: Reserved, data: Data | None, graphs: Mapping[str, Graph]) -> Graph | None:
    """The graph that `{Generation}` describes; None where there is none, or something in it is wrong."""
    sections, span = reserved.sections(GENERATION), reserved.parts.spans.get(GENERATION)
    findings, before = reserved.findings, len(reserved.findings)
    if span is None:
        return None
    if not sections:
        help = "draw something, `[random]`, and make a thing of it: a network by its name"
        findings.append(Finding("NC208", "{Generation} makes nothing", span, help=help))
        return None
    fields = data.fields if data is not None else {}
    for section in sections:
        option = section.option("from")
        declared = {one.value for other in sections if (one := other.option("name"))}
        for item in option.value.split(",") if option else ():
            name = item.strip().partition(".")[0]
            if option is not None and name in fields and name not in declared:
                message = f"`{name}` is a field of the data, and {{Generation}} makes things without any"
                help = "draw what the network is to start from: `[random]`"
                findings.append(Finding("NC201", message, option.item_span(item.strip()), help=help))
                return None
    graph = elaborate_generation(
        Group(GENERATION, span, sections), lambda: fields, graphs, reserved.parts, findings
    )
    if graph is None or has_errors(findings[before:]):
        return None
    for node in graph.blocks:
        if node.parameters:
            message = f"[{node.type}] has parameters, and stands in {{Generation}}, where nothing trains it"
            findings.append(Finding("NC210", message, node.span, help="put it into a network"))
        elif isinstance(node.block, Gradient):
            message = "[gradient] is of training, and {Generation} computes without gradients"
            findings.append(Finding("NC112", message, node.span, help="take it out"))
    return None if has_errors(findings[before:]) else graph


def used_networks(graph: Graph) -> Iterator[str]:
    """The networks that it uses, in loops too, in order."""
    for node in graph.blocks:
        if isinstance(node.block, NetworkUse):
            yield node.block.network.name
        elif isinstance(node.block, Loop):
            yield from used_networks(node.block.body)


def made_by(graph: Graph) -> dict[str, Signal]:
    """What it makes: the signals that nothing in it reads, by the names of their blocks."""
    read = {(signal.producer, signal.port) for node in graph.nodes for signal in node.inputs}
    return {
        graph.reference(signal): signal
        for index, node in enumerate(graph.nodes)
        for port, signal in node.outputs.items()
        if (index, port) not in read and not any(producer == index for producer, _ in read)
    }
