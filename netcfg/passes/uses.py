"""Networks as blocks of `{Model}`: which signals feed their inputs."""

from __future__ import annotations

from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph
from netcfg.passes.drafts import NOTHING, Namespace, Wire
from netcfg.passes.references import References
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Section


def fed_wires(
    use: NetworkUse, graph: Graph, section: Section, previous: Wire, names: Namespace, references: References
) -> list[Wire]:
    """What feeds a network: what `from` names; else the block before; else signals named like its inputs."""
    inputs = list(graph.inputs)
    if use.from_ is not None:
        option = section.option("from")
        if len(use.from_) != len(inputs):
            span = option.value_span if option else None
            references.report_count(section, len(use.from_), len(inputs), span)
            return [NOTHING] * len(inputs)
        return references.wires(use, section, previous, names)
    if len(inputs) == 1 and names.results:
        return [previous]
    return [_named_like(name, graph, section, names, references.findings) for name in inputs]


def _named_like(name: str, graph: Graph, section: Section, names: Namespace, findings: list[Finding]) -> Wire:
    """The field or earlier signal that bears an input's name; the unnamed input takes `image`."""
    if name == "input" and name not in names.inputs and len(graph.inputs) == 1:
        name = "image"
    if name in names.inputs:
        return names.inputs[name]
    if name in names.named:
        return names.named[name].wire
    message = f"nothing feeds the input `{name}` of `{graph.name}`"
    help = did_you_mean(name, names.known) or "say which signals it takes: `from = …`"
    signal = graph.inputs.get(name)
    notes = (Note(graph.nodes[signal.producer].span, "the input is declared here"),) if signal else ()
    findings.append(Finding("NC206", message, section.span, notes, help=help))
    return NOTHING
