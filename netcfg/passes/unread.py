"""Outputs of networks that a program never reads, and the networks without what makes them alone.

A network's outputs are its interface: whoever builds it is given all of them. A program that trains it needs those that
something reads, and computes nothing else.
"""

from __future__ import annotations

from dataclasses import replace

from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Node
from netcfg.passes.lifetimes import Lifetimes
from netcfg.passes.ragged import names_of
from netcfg.program import Program


def unread_outputs(program: Program) -> dict[str, tuple[str, ...]]:
    """By network the outputs that no block of {Model}, loss, metric or picture reads, where any are left out.

    All outputs are computed of a network that a loss evaluates itself, of one that nothing is read of, and where what
    would be left out remembers something or counts batches.
    """
    model = program.model
    if model is None:
        return {}
    read = {(signal.producer, signal.port) for node in model.nodes for signal in node.inputs}
    read |= {(signal.producer, signal.port) for signal in model.outputs.values()}  # of the turns of a loop
    names = {name for loss in program.losses.values() for name in loss.reads.values()}
    names |= {name for metric in program.metrics.values() for name in metric.reads.values()}
    names |= set(program.pictures.show) if program.pictures else set()
    read |= {(signal.producer, signal.port) for name in names if (signal := program.signals.get(name))}
    evaluated = {name for loss in program.losses.values() for name in loss.evaluates}
    wanted: dict[str, set[str]] = {}
    for index, node in enumerate(model.nodes):
        if isinstance(node.block, NetworkUse):
            wanted.setdefault(node.block.network.name, set()).update(
                port for producer, port in read if producer == index
            )
    found = {}
    for name, ports in wanted.items():
        graph = program.networks[name]
        unread = tuple(port for port in graph.outputs if port not in ports)
        # The port of an only output has no name, whatever the output is called.
        if len(graph.outputs) > 1 and unread and ports and name not in evaluated and _may_go(graph, unread):
            found[name] = unread
    return found


def without(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    """A network that does not give some of its outputs, all blocks still in their places."""
    return replace(
        graph, outputs={name: signal for name, signal in graph.outputs.items() if name not in outputs}
    )


def left_out(graph: Graph, outputs: tuple[str, ...] = ()) -> list[Node]:
    """The blocks that are not computed, as no output but these depends on them."""
    live = _live(graph, outputs)
    return [node for index, node in enumerate(graph.nodes) if index not in live and not node.is_input]


def _live(graph: Graph, outputs: tuple[str, ...] = ()) -> set[int]:
    return Lifetimes(without(graph, outputs)).live


def parts_of(nodes: list[Node], graph: Graph) -> list[str]:
    """Blocks by their paths; those that are all of a use or folder by its path alone."""
    others = {node.path for node in graph.blocks} - {node.path for node in nodes}
    kept = {path[: -len(rest)] for path in others for rest in _rests(path)}
    found: dict[str, None] = {}
    for node in nodes:
        heads = [node.path[: -len(rest)] for rest in _rests(node.path)]
        found[next((head for head in reversed(heads) if head not in kept), node.path)] = None
    return list(found)


def _rests(path: str) -> list[str]:
    """What stands behind each path that leads to this one, with its dot."""
    parts = path.split(".")
    return ["." + ".".join(parts[place:]) for place in range(len(parts) - 1, 0, -1)]


def _may_go(graph: Graph, outputs: tuple[str, ...]) -> bool:
    # A network that is told lengths is called in a way of its own.
    if names_of(graph):
        return False
    blocks = (graph.nodes[index].block for index in _live(graph) - _live(graph, outputs))
    return not any(block.has_state or block.takes_batch_statistics() for block in blocks)
