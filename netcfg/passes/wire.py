"""Pass: the networks and the data become one model, the graph that losses and metrics read.

Requires: the networks' graphs and the data's fields. Ensures: every input of every use of a network is fed by a
signal of a fitting shape. Without `{Model}` one network takes the fields named like its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.blocks.network.net import Input, Net
from netcfg.graph import Graph, Node, Signal
from netcfg.passes.collect import Parts
from netcfg.passes.elaborate import elaborate_model
from netcfg.program import Data
from netcfg.source import Finding, Note, Severity, has_errors
from netcfg.syntax import Group, Section

MODEL = "Model"


def wire(
    sections: list[Section], data: Data, graphs: Mapping[str, Graph], parts: Parts, findings: list[Finding]
) -> Graph | None:
    """The model that `{Model}` describes; None where something in it is wrong."""
    span = parts.spans[MODEL]
    group = Group(MODEL, span, sections)
    before = len(findings)
    model = elaborate_model(group, data.fields, data.span, graphs, parts, findings)
    if model is None:
        return None
    check_classes(model, findings)
    return None if has_errors(findings[before:]) else model


def check_classes(model: Graph, findings: list[Finding]) -> None:
    """Compare how many classes a network's inputs declare with those of the data fields that feed them.

    More in the data would be numbers that no table has a row for; fewer leave rows that nothing trains.
    """
    for node in model.blocks:
        if not isinstance(node.block, NetworkUse):
            continue
        entries = [entry for entry in node.block.network.nodes if entry.is_input]
        for signal, entry in zip(node.inputs, entries, strict=True):
            field, fed = model.nodes[signal.producer], entry.block
            if not (isinstance(field.block, DataField) and isinstance(fed, Input)):
                continue
            given = len(field.block.spec.names) if field.block.spec.kind == "class" else 0
            if given and fed.classes is not None and fed.classes != given:
                message = (
                    f"`{entry.path}` of `{node.block.network.name}` has {fed.classes} classes, and the data field "
                    f"`{field.path}`, which feeds it, has {given}"
                )
                notes = (Note(entry.span, "the input is declared here"),)
                help = f"`classes = {given}`, or `classes = $data.{field.path}.classes`"
                severity: Severity = "error" if given > fed.classes else "warning"
                findings.append(Finding("NC305", message, node.span, notes, help=help, severity=severity))


def single_model(graph: Graph, fed: Mapping[str, str], data: Data) -> Graph:
    """The model of a program with one network: `fed` gives the field of each of its inputs."""
    nodes = []
    for index, (name, spec) in enumerate(data.fields.items()):
        signal = Signal(index, "", spec.shape, spec.axes, spec.holds)
        nodes.append(Node(name, DataField.of(name, spec), (), {"": signal}, data.span, None))
    signals = {node.path: node.output for node in nodes}
    use = NetworkUse(name=graph.name).model_copy(update={"network": graph})
    ports = graph.outputs if len(graph.outputs) > 1 else {"": next(iter(graph.outputs.values()))}
    outputs = {port: signal._replace(producer=len(nodes), port=port) for port, signal in ports.items()}
    inputs = tuple(signals[fed[name]] for name in graph.inputs)
    span = next(graph.nodes[signal.producer].span for signal in graph.outputs.values())
    nodes.append(Node(graph.name, use, inputs, outputs, span, 0, macs=graph.macs))
    return Graph(MODEL, tuple(nodes), {}, graph.span, Net())


def signals_by_name(model: Graph) -> dict[str, Signal]:
    """What losses and metrics may name: fields and blocks; `name.port` where a block gives several signals.

    The one named output of a network may be named as well: `Network.output`.
    """
    signals: dict[str, Signal] = {}
    for node in model.nodes:
        for port, signal in node.outputs.items():
            signals[f"{node.path}.{port}" if port else node.path] = signal
        if isinstance(node.block, NetworkUse) and len(node.outputs) == 1:
            for port in filter(None, node.block.network.outputs):
                signals[f"{node.path}.{port}"] = node.output
    for name, signal in model.named.items():  # uses of templates, and what there is several of
        signals.setdefault(name, signal)
    return signals
