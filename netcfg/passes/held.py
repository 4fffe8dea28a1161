"""What a network holds of its signals: in a forward pass, and between that and the backward pass. In numbers a sample.

The peak of a forward pass follows the generated `forward`, which lets go of each signal at its last use. A training
step keeps what the gradients need (`Block.gradient_needs` and `Block.kept`) until its backward pass, but for what
stands in a stretch that is computed again (`checkpoint = True`): of that only what the stretch reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from netcfg.graph import Graph
from netcfg.passes.lifetimes import Key, Lifetimes
from netcfg.shapes import Size, volume

STRETCHES = 64
"""The most stretches that a network is cut into."""


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


def _buffers(graph: Graph, trains: bool, lifetimes: Lifetimes) -> _Buffers:
    buffers = _Buffers(graph, lifetimes, trains)
    buffers.fill()
    return buffers


def forward_peak(graph: Graph) -> int | None:
    """The most numbers that a forward pass without gradients holds at once, for one sample, inputs included."""
    buffers = _buffers(graph, False, Lifetimes(graph, stretches_of(graph)))
    # Place 0 is before the first statement, where inputs are there (`made` is -1). What a statement reads last is let
    # go only behind it: while it runs, what it reads and what it makes are both there.
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What a training step holds after its forward pass, and the most that it makes `again` at once in its backward.

    `by_stretch` is that of each stretch that a gradient comes through.
    """

    held: Size
    by_stretch: Mapping[int, Size]

    @property
    def again(self) -> Size:
        """Of the stretch that makes most."""
        return max(self.by_stretch.values(), key=_rough, default=0)

    @property
    def at_most(self) -> Size:
        """Both together."""
        return self.held + self.again


def training_kept(graph: Graph) -> int | None:
    """The numbers that are held after a forward pass with gradients, for one sample; None where a size is unknown."""
    held = kept_in_training(graph).held
    return held if isinstance(held, int) else None


def kept_in_training(graph: Graph, stretches: Mapping[int, int] | None = None) -> Kept:
    """What is held, with the stretches that the file asks for, or others: by statement the number of its stretch."""
    stretches = stretches_of(graph) if stretches is None else stretches
    lifetimes = Lifetimes(graph, stretches)
    buffers = _buffers(graph, True, lifetimes)
    # By identity, as several signals may lie in one buffer, which is held once.
    needed: dict[int, _Buffer] = {id(buffer): buffer for buffer in buffers.all if buffer.made < 0}
    again: dict[int, dict[int, _Buffer]] = {}
    inside: dict[int | None, Size] = {None: 0}
    for index in _with_gradients(graph, lifetimes):
        stretch = stretches.get(index)
        needs = needed if stretch is None else again.setdefault(stretch, {})
        needs |= {id(buffer): buffer for buffer in _needed(graph, buffers, index)}
        node = graph.nodes[index]
        inside[stretch] = inside.get(stretch, 0) + node.block.kept(*node.given) * node.times
    for index in filter(lifetimes.is_statement, range(len(graph.nodes))):
        if stretches.get(index) in again:  # what a stretch begins with
            read = [key for key in lifetimes.roots(index) if stretches.get(key[0]) != stretches[index]]
            needed |= {id(buffers.of[key]): buffers.of[key] for key in read}
    for signal in graph.outputs.values():
        buffer = buffers.of[lifetimes.root(signal)]
        needed[id(buffer)] = buffer
    held = sum((buffer.numbers for buffer in needed.values()), inside[None])
    made = {
        stretch: sum((buffer.numbers for key, buffer in own.items() if key not in needed), inside[stretch])
        for stretch, own in again.items()
    }
    return Kept(held, made)


def _needed(graph: Graph, buffers: _Buffers, index: int) -> list[_Buffer]:
    """The signals that the gradient of a statement needs."""
    node = graph.nodes[index]
    needs = node.block.gradient_needs()
    inputs = [buffers.of[key] for key in buffers.lifetimes.roots(index)] if "input" in needs else []
    outputs = [buffers.of[key] for key in _keys(node.outputs, index) if key in buffers.of]
    return [*inputs, *(outputs if "output" in needs else [])]


def _rough(size: Size) -> int:
    """A size as a number, to compare with; unknown ones are small."""
    return size if isinstance(size, int) else 1


# --- stretches


def makes_again(graph: Graph) -> bool:
    """Whether its backward pass computes parts of it again."""
    return graph.options.checkpoint or any(node.again is not None for node in graph.nodes)


def stretches_of(graph: Graph) -> dict[int, int]:
    """By statement the number of its stretch, which the backward pass computes again; those without stand in none.

    A use of a template with `checkpoint = True` is one; a network is cut where that takes least memory.
    """
    return _cut(graph) if graph.options.checkpoint else _of_uses(graph)


def _of_uses(graph: Graph) -> dict[int, int]:
    lifetimes = Lifetimes(graph)
    numbers: dict[int, int] = {}
    return {
        index: numbers.setdefault(node.again.number, len(numbers))
        for index, node in enumerate(graph.nodes)
        if node.again is not None and lifetimes.is_statement(index)
    }


def _cut(graph: Graph) -> dict[int, int]:
    """The whole network in stretches that keep about as much each; of several numbers of them the best."""
    lifetimes = Lifetimes(graph)
    statements = [index for index in range(len(graph.nodes)) if lifetimes.is_statement(index)]
    buffers = _buffers(graph, True, lifetimes)
    gradients = set(_with_gradients(graph, lifetimes))
    seen: set[int] = set()
    weights = []
    for index in statements:
        node, new = graph.nodes[index], 0
        if index in gradients:
            # What an earlier statement needs as well is held already, wherever the cut comes to lie.
            fresh = [one for one in _needed(graph, buffers, index) if id(one) not in seen]
            seen |= {id(one) for one in fresh}
            new = sum(_rough(one.numbers) for one in fresh) + _rough(
                node.block.kept(*node.given) * node.times
            )
        weights.append(new)
    width = _live(buffers, statements)
    best: dict[int, int] = {}
    least: int | None = None
    tried: set[tuple[int, ...]] = set()
    # More stretches make less again at once, and hand on more: which number is best only trying tells.
    for number in range(2, min(STRETCHES, len(statements)) + 1):
        ends = _ends(weights, width, -(-sum(weights) // number))
        if ends in tried:
            continue
        tried.add(ends)
        stretches = {
            index: stretch
            for stretch, (start, end) in enumerate(zip((0, *ends), ends, strict=False))
            for index in statements[start:end]
        }
        cost = _rough(kept_in_training(graph, stretches).at_most)
        if least is None or cost < least:
            best, least = stretches, cost
    return best


def _live(buffers: _Buffers, statements: list[int]) -> list[int]:
    """How many numbers live behind each statement that were made before."""
    changes = [0] * (len(buffers.graph.nodes) + 2)
    for buffer in buffers.all:
        changes[buffer.made + 1] += _rough(buffer.numbers)
        changes[min(buffer.last, len(buffers.graph.nodes)) + 1] -= _rough(buffer.numbers)
    held = list(accumulate(changes))
    return [held[index + 1] for index in statements]


def _ends(weights: list[int], width: list[int], most: int) -> tuple[int, ...]:
    """Where stretches end that keep `most` each, or a little less: where what is handed on is smallest."""
    ends: list[int] = []
    start = 0
    while start < len(weights):
        end, kept = start + 1, weights[start]
        while end < len(weights) and kept + weights[end] <= most:
            kept += weights[end]
            end += 1
        if end < len(weights):
            # What is handed on is held until the backward pass comes back to it, so that a stretch may pay that ends
            # sooner, before a narrow place; not sooner than half way, or there would be far more of them.
            first = start + (end - start + 1) // 2
            end = min(range(first, end + 1), key=lambda place: (width[place - 1], -place))
        ends.append(end)
        start = end
    return tuple(ends)


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
