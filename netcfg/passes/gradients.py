"""Pass: what lies between the two signals of a `[gradient]`, and whether a gradient passes there at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.gradient import Gradient
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Node, Signal
from netcfg.passes.reach import differentiable, has_slope, key, through
from netcfg.source import Finding, Note


def gradients_of(model: Graph) -> list[int]:
    """The nodes that differentiate."""
    return [index for index, node in enumerate(model.nodes) if isinstance(node.block, Gradient)]


def between(model: Graph, index: int) -> frozenset[int]:
    """The nodes by which a node's `of` hangs on its `by`, so that the gradient passes; `by` itself is none of them."""
    of, by = model.nodes[index].inputs
    leads: dict[tuple[int, str], bool] = {key(by): True}
    found: set[int] = set()
    # In the order of the model, where what a node reads is known before it.
    for number, node in enumerate(model.nodes[:index]):
        for port, signal in node.outputs.items():
            if key(signal) == key(by):
                continue
            leads[number, port] = any(leads.get(key(read), False) for read in _differentiable(node, port))
    waiting = [of]
    while waiting:
        signal = waiting.pop()
        if signal.producer not in found and key(signal) != key(by) and leads.get(key(signal), False):
            found.add(signal.producer)
            waiting += model.nodes[signal.producer].inputs
    return frozenset(found)


def differentiated(model: Graph) -> set[str]:
    """The networks that lie between the two signals of a gradient."""
    nodes = (model.nodes[inner] for index in gradients_of(model) for inner in between(model, index))
    return {node.block.network.name for node in nodes if isinstance(node.block, NetworkUse)}


def _differentiable(node: Node, port: str) -> Iterable[Signal]:
    """The signals that a node reads and whose gradient comes back from one of its ports."""
    if not isinstance(node.block, NetworkUse):
        return differentiable(node) if has_slope(node.outputs[port]) else ()
    graph: Graph = node.block.network
    only = next(iter(graph.outputs.values()))
    reached = through(graph)[key(graph.outputs.get(port, only))]
    return [signal for name, signal in zip(graph.inputs, node.inputs, strict=True) if name in reached]


def in_training_only(
    model: Graph, signals: Mapping[str, Signal], losses: Mapping[str, Loss]
) -> frozenset[str]:
    """The losses that are not evaluated on other splits: by themselves, or since they hang on a gradient."""
    after = _after(model, gradients_of(model))
    found = {
        name
        for name, loss in losses.items()
        if not loss.in_evaluation or any(signals[read].producer in after for read in loss.reads.values())
    }
    # One step is enough: a loss that reads losses is read by none.
    return frozenset(found | {name for name, loss in losses.items() if found & set(loss.losses)})


def _after(model: Graph, nodes: Iterable[int]) -> frozenset[int]:
    """These, and all that hangs on them."""
    found = set(nodes)
    for index, node in enumerate(model.nodes if found else ()):
        if any(signal.producer in found for signal in node.inputs):
            found.add(index)
    return frozenset(found)


def check_gradients(model: Graph, judged: Mapping[str, Signal], findings: list[Finding]) -> None:
    """Refuse (NC421) gradients that do not pass, and those that metrics or pictures (`judged`) would need."""
    for index in gradients_of(model):
        node = model.nodes[index]
        of, by = node.inputs
        if key(of) == key(by) or between(model, index):
            continue
        names = model.reference(of), model.reference(by)
        message = f"`{node.path}` differentiates `{names[0]}` by `{names[1]}`, and no gradient leads there"
        notes, help = _stopped(model, of, by)
        findings.append(Finding("NC421", message, node.span, notes, help=help))
    after = _after(model, gradients_of(model))
    for name, signal in judged.items():
        if signal.producer in after:
            message = f"`{name}` hangs on a [gradient], which is there in training alone"
            help = "let losses alone read it"
            findings.append(Finding("NC421", message, model.nodes[signal.producer].span, help=help))


def _stopped(model: Graph, of: Signal, by: Signal) -> tuple[tuple[Note, ...], str]:
    """Why not: a block on the way that stops gradients, if there is a way."""
    after = _after(model, [by.producer])
    if of.producer not in after:
        return (
            (),
            f"`{model.reference(of)}` does not depend on `{model.reference(by)}`: name what it is computed from",
        )
    for number in sorted(after - {by.producer}):
        node = model.nodes[number]
        if isinstance(node.block, NetworkUse):
            continue
        if not any(key(signal) == key(by) or signal.producer in after for signal in differentiable(node)):
            return (Note(node.span, f"no gradient passes this [{node.type}]"),), "read what is before it"
    return (), "something between the two stops gradients"
