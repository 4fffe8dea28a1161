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
        if unread and ports and name not in evaluated and _may_go(graph, unread):
            found[name] = unread
    return found


def without(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    """A network that does not give some of its outputs, all blocks still in their places."""
    return replace(
        graph, outputs={name: signal for name, signal in graph.outputs.items() if name not in outputs}
    )


def left_out(graph: Graph, outputs: tuple[str, ...]) -> list[Node]:
    """The blocks that are not computed without some of the outputs."""
    gone = Lifetimes(graph).live - Lifetimes(without(graph, outputs)).live
    return [graph.nodes[index] for index in sorted(gone) if not graph.nodes[index].is_input]


def _may_go(graph: Graph, outputs: tuple[str, ...]) -> bool:
    # A network that is told lengths is called in a way of its own.
    return not names_of(graph) and not any(
        node.block.has_state or node.block.takes_batch_statistics() for node in left_out(graph, outputs)
    )
