"""How much memory a network takes: its signals in a forward pass and in a training step, and its parameters.

The peak of a forward pass follows the generated `forward`, which lets go of each signal at its last use. A training
step keeps what the gradients need (`Block.gradient_needs` and `Block.kept`) until its backward pass. Units: bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from netcfg.graph import Graph
from netcfg.passes.lifetimes import Key, Lifetimes
from netcfg.program import Program
from netcfg.shapes import Shape, Size, volume

BYTES = {"f32": 4, "bf16": 2, "fp16": 2}
"""Of a number of a signal; parameters, gradients and what optimizers remember are always in f32."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one network, for a batch. `peak` and `kept` are None where a size is unknown.

    `kept` is what a training step holds between its forward and its backward pass, inputs and outputs included.
    """

    peak: int | None
    kept: int | None
    parameters: int
    gradients: int
    optimizer: int


def memory_of(program: Program, graph: Graph, batch_size: int = 1, precision: str = "f32") -> Memory:
    """The memory of a network, trained as the program says."""
    each = batch_size * BYTES[precision]
    peak, kept = forward_peak(graph), training_kept(graph)
    states = [
        phase.optimizer.state_size() for phase in program.phases if graph.name in phase.optimizer.networks
    ]
    return Memory(
        None if peak is None else peak * each,
        None if kept is None else kept * each,
        graph.parameters * BYTES["f32"],
        graph.trainable * BYTES["f32"],
        graph.trainable * BYTES["f32"] * max(states, default=0),
    )


def output_bytes(shapes: Iterable[Shape], batch_size: int = 1, precision: str = "f32") -> int | None:
    """The size of a block's signals; None where it is unknown."""
    total: Size = sum(map(volume, shapes))
    return total * batch_size * BYTES[precision] if isinstance(total, int) else None


# --- signals ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Buffer:
    """A stretch of memory: how many numbers it holds, and from which to which statement."""

    numbers: Size
    made: int
    last: int


@dataclass(slots=True)
class _Buffers:
    """The memory of each signal; several have the same one where one is a view of another, or overwrites it."""

    graph: Graph
    lifetimes: Lifetimes
    trains: bool
    of: dict[Key, _Buffer] = field(default_factory=dict)
    all: list[_Buffer] = field(default_factory=list)

    def fill(self) -> None:
        """Go through the forward."""
        for index, node in enumerate(self.graph.nodes):
            if node.is_input:
                self._new((index, ""), volume(node.output.shape), -1, len(self.graph.nodes))
            elif self.lifetimes.is_statement(index):
                for key in self.lifetimes.roots(index):
                    self.of[key].last = max(self.of[key].last, index)
                self._made(index)
        for signal in self.graph.outputs.values():
            self.of[self.lifetimes.root(signal)].last = len(self.graph.nodes)

    def _made(self, index: int) -> None:
        node = self.graph.nodes[index]
        overwrites = self.lifetimes.may_overwrite(index) and node.block.overwriting("x") is not None
        if node.block.is_view or overwrites or (node.block.only_trains and not self.trains):
            self.of[(index, "")] = self.of[self.lifetimes.roots(index)[0]]
            return
        for port, signal in node.outputs.items():
            if len(node.outputs) == 1 or self.lifetimes.uses.get((index, port)):
                self._new((index, port), volume(signal.shape), index, index)

    def _new(self, key: Key, numbers: Size, made: int, last: int) -> None:
        self.of[key] = _Buffer(numbers, made, last)
        self.all.append(self.of[key])


def _buffers(graph: Graph, trains: bool) -> _Buffers:
    buffers = _Buffers(graph, Lifetimes(graph), trains)
    buffers.fill()
    return buffers


def forward_peak(graph: Graph) -> int | None:
    """The most numbers that a forward pass without gradients holds at once, for one sample, inputs included."""
    buffers = _buffers(graph, trains=False)
    changes: list[Size] = [0] * (len(graph.nodes) + 2)
    for buffer in buffers.all:
        changes[buffer.made + 1] += buffer.numbers
        if buffer.last + 2 < len(changes):
            changes[buffer.last + 2] -= buffer.numbers
    held = list(accumulate(changes))
    totals = [held[0]]
    for index, node in enumerate(graph.nodes):
        inside = node.block.scratch(*node.given) * node.times
        totals.append(held[index + 1] + (inside if buffers.lifetimes.is_statement(index) else 0))
    known = [total for total in totals if isinstance(total, int)]
    return max(known) if len(known) == len(totals) else None


def training_kept(graph: Graph) -> int | None:
    """The numbers that are held after a forward pass with gradients, for one sample."""
    buffers = _buffers(graph, trains=True)
    needed: dict[int, _Buffer] = {id(buffer): buffer for buffer in buffers.all if buffer.made < 0}
    inside: Size = 0
    for index in _with_gradients(graph, buffers.lifetimes):
        node = graph.nodes[index]
        needs = node.block.gradient_needs()
        inputs = [buffers.of[key] for key in buffers.lifetimes.roots(index)] if "input" in needs else []
        outputs = [buffers.of[key] for key in _keys(node.outputs, index) if key in buffers.of]
        needed |= {id(buffer): buffer for buffer in [*inputs, *(outputs if "output" in needs else [])]}
        inside = inside + node.block.kept(*node.given) * node.times
    for signal in graph.outputs.values():
        buffer = buffers.of[buffers.lifetimes.root(signal)]
        needed[id(buffer)] = buffer
    total = sum((buffer.numbers for buffer in needed.values()), inside)
    return total if isinstance(total, int) else None


def _keys(outputs: Mapping[str, object], index: int) -> list[Key]:
    return [(index, port) for port in outputs]


def _with_gradients(graph: Graph, lifetimes: Lifetimes) -> list[int]:
    """The statements through which a gradient comes: those of trained parameters, and what reads their signals."""
    reached: set[Key] = set()
    found = []
    for index, node in enumerate(graph.nodes):
        if lifetimes.is_statement(index) and (
            node.trainable or not reached.isdisjoint(lifetimes.roots(index))
        ):
            found.append(index)
            reached.update((index, port) for port in node.outputs if not node.block.stops_gradient)
    return found
