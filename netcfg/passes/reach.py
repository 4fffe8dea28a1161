"""What depends on what in a model: which networks a signal needs, and which its gradient reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Node, Signal

Networks = frozenset[str]
NONE: Networks = frozenset()
OWN = ""  # among the input names of a network: its own parameters
Key = tuple[int, str]
"""A signal: its producer's index and the port."""


class Reach(NamedTuple):
    """`depends`, by node of the model: the networks its value comes from. `gradient`, by signal: those it trains."""

    depends: tuple[Networks, ...]
    gradient: Mapping[Key, Networks]
    signals: Mapping[str, Signal]

    def reads(self, loss: Loss) -> list[Signal]:
        """The signals a loss reads, in the order of its arguments."""
        return [self.signals[name] for name in loss.reads.values()]

    def trains(self, loss: Loss) -> Networks:
        """The networks that the gradient of a loss reaches."""
        reached = frozenset(loss.evaluates)
        if loss.stops_gradient:
            return reached
        return reached.union(*(self.gradient[key(signal)] for signal in self.reads(loss)))


def key(signal: Signal) -> Key:
    """What a signal is called in `Reach.gradient`."""
    return signal.producer, signal.port


def reach(model: Graph, signals: Mapping[str, Signal]) -> Reach:
    """The dependencies of a model, from its fields down."""
    depends: list[Networks] = []
    gradient: dict[Key, Networks] = {}
    for index, node in enumerate(model.nodes):
        own = frozenset({node.block.network.name}) if isinstance(node.block, NetworkUse) else NONE
        # In the order of the model, where what a node reads is known before it.
        depends.append(own.union(*(depends[signal.producer] for signal in node.inputs)))
        gradient |= {(index, port): reached for port, reached in _gradients(node, gradient).items()}
    return Reach(tuple(depends), gradient, signals)


def has_slope(signal: Signal) -> bool:
    """Whether a gradient can come back from a signal: a class, or yes and no, move by steps alone."""
    return signal.kind == "number"


def differentiable(node: Node) -> list[Signal]:
    """The signals that a block (no network) reads, and to which a gradient comes back through it."""
    places = node.block.gradient_reaches(len(node.inputs))
    return [signal for place, signal in enumerate(node.inputs) if place in places]


def _gradients(node: Node, before: Mapping[Key, Networks]) -> dict[str, Networks]:
    """The networks that a gradient at each output of a node reaches, from those at its inputs."""
    if not isinstance(node.block, NetworkUse):
        passed = NONE.union(*(before[key(signal)] for signal in differentiable(node)))
        return {port: passed if has_slope(signal) else NONE for port, signal in node.outputs.items()}
    passed_in = [before[key(signal)] for signal in node.inputs]
    graph: Graph = node.block.network
    sources = dict(zip(graph.inputs, passed_in, strict=True)) | {OWN: frozenset({graph.name})}
    # Port by port: a network whose second output hangs on no parameter must not be said to be trained through it.
    inner = through(graph)
    only = next(iter(graph.outputs.values()))
    return {
        port: NONE.union(*(sources[name] for name in inner[key(graph.outputs.get(port, only))]))
        for port in node.outputs
    }


def through(graph: Graph) -> dict[Key, frozenset[str]]:
    """For each signal of a network what its gradient reaches: inputs by name, and OWN."""
    reached: dict[Key, frozenset[str]] = {}
    for index, node in enumerate(graph.nodes):
        own = frozenset({node.path} if node.is_input else {OWN} if node.trainable else ())
        own = own.union(*(reached[key(signal)] for signal in differentiable(node)))
        reached |= {
            (index, port): own if has_slope(signal) else frozenset() for port, signal in node.outputs.items()
        }
    return reached
