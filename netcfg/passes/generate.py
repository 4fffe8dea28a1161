"""Pass: `{Generation}` becomes a graph for making things: draws, networks, loops; it reads no data but its inputs.

Requires: the networks' graphs. Ensures: every input of every use of a network is fed by a signal of a fitting shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.gradient import Gradient
from netcfg.blocks.network.loop import Loop
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Signal
from netcfg.passes.elaborate import elaborate_generation
from netcfg.passes.reserved import Reserved
from netcfg.program import Data
from netcfg.shapes import show
from netcfg.source import Finding, Note, has_errors
from netcfg.syntax import Group

GENERATION = "Generation"
PICTURE = "CHW"
"""The axes of what is given as a picture."""


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
    graph = elaborate_generation(
        Group(GENERATION, span, sections), lambda: fields, graphs, reserved.parts, findings
    )
    if graph is None or has_errors(findings[before:]):
        _say_what_is_of_training(findings, before, fields, reserved)
        return None
    for node in graph.blocks:
        if node.parameters:
            message = f"[{node.type}] has parameters, and stands in {{Generation}}, where nothing trains it"
            findings.append(Finding("NC210", message, node.span, help="put it into a network"))
        elif isinstance(node.block, Gradient):
            message = "[gradient] is of training, and {Generation} computes without gradients"
            findings.append(Finding("NC112", message, node.span, help="take it out"))
    _check_inputs(graph, fields, findings)
    return None if has_errors(findings[before:]) else graph


def _say_what_is_of_training(
    findings: list[Finding], before: int, fields: Mapping[str, FieldSpec], reserved: Reserved
) -> None:
    """Of a name that leads nowhere here, that data or the model have it; once, however often it is written."""
    wired = {
        option.value: section
        for section in reserved.sections("Model")
        if (option := section.option("name")) is not None
    }
    told: set[str] = set()
    kept: list[Finding] = []
    for finding in findings[before:]:
        if finding.code != "NC201" or finding.span is None:
            kept.append(finding)
            continue
        text = finding.span.text.strip()
        name = next(
            (one for one in (text, text.removeprefix("data."), text.partition(".")[0]) if one in fields), ""
        )
        if name:
            message = f"`{name}` is a field of the data, and {{Generation}} makes things without any"
            help, notes = _instead_of(name, fields[name]), finding.notes
        elif text.partition(".")[0] in wired:
            name = text.partition(".")[0]
            message = f"`{name}` is made in {{Model}} of data, and {{Generation}} makes things without any"
            help, notes = "use the network here, too", (Note(wired[name].span, "it is made here"),)
        else:
            kept.append(finding)
            continue
        if name not in told:  # of one that is written often, its first place
            kept.append(Finding("NC201", message, finding.span, notes, help=help))
        told.add(name)
    findings[before:] = kept


def _instead_of(name: str, spec: FieldSpec) -> str:
    """What takes the place of a field of the data."""
    if spec.axes == PICTURE:
        return (
            "draw what the network is to start from: `[random]`; or let pictures be given: "
            f"`[input] name = {name}`, `like = data.{name}`"
        )
    if spec.kind == "class" and spec.names:
        return (
            f"draw it, `[random]` with `distribution = integer`, `below = {len(spec.names)}`; or let it be given: "
            f"`[input] name = {name}`, `kind = class`, `classes = {len(spec.names)}`"
        )
    return "draw what the network is to start from: `[random]`"


def _check_inputs(graph: Graph, fields: Mapping[str, FieldSpec], findings: list[Finding]) -> None:
    """Pictures are given as a field of the data is, one for each sample; all else as numbers."""
    given = [node for node in graph.nodes if node.is_input]
    pictures = [node for node in given if node.output.axes == PICTURE]
    for node in given:
        if node in pictures:
            spec = fields.get(node.path)
            if spec is None or (spec.kind, spec.axes) != ("image", PICTURE):
                named = [name for name, one in fields.items() if (one.kind, one.axes) == ("image", PICTURE)]
                message = f"`{node.path}` is given pictures, and no picture of the data is called so"
                help = "given ones are prepared as those are; " + (
                    f"call it `{named[0]}`" if named else "a group {Data} says how"
                )
                findings.append(Finding("NC501", message, node.span, help=help))
        elif any(not isinstance(size, int) for size in node.output.shape):
            message = f"`{node.path}` is {show(node.output.shape)}, which nobody can write on a command line"
            findings.append(Finding("NC402", message, node.span, help="give its sizes as numbers"))
    for node in pictures[1:] if not has_errors(findings) else ():
        message = f"{{Generation}} is given two pictures for a sample: `{pictures[0].path}` and `{node.path}`"
        findings.append(Finding("NC105", message, node.span, help="leave one input, and let all read it"))


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
