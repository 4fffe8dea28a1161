"""How two networks differ, block by block.

Blocks are matched by where their weights come from, by name, else by what they are and in order
(`netcfg.compare.align`). What a block reads is compared by which blocks that is, so that a block put between two
others is one block more, and no new wiring of the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile

from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.compare.align import Item, align
from netcfg.compare.change import Change, Status, option_changes, written_options
from netcfg.compare.order import joined_order
from netcfg.folding import over_in_words
from netcfg.graph import Graph, Node, Scope, Signal, WeightRequest
from netcfg.shapes import show
from netcfg.source import Span

LIKENESS = 0.5
"""Networks of different names are one renamed where at least this part of their blocks is the same."""

NOT_COMPARED = frozenset({"repeat", "network", "field", "shared_with"})
"""Options whose meaning is compared elsewhere."""
INPUT_OPTIONS = frozenset({"channels", "height", "width", "frames", "tokens", "features", "shape"})
"""What an input's shape says already."""


@dataclass(frozen=True, slots=True)
class BlockChange:
    """A block that is new, gone or not as it was; `before` and `after` are its indices in the graphs.

    `changes` are what somebody wrote, `effects` what comes of it or of changes elsewhere: shape, parameters, cost.
    """

    status: Status
    before: int | None
    after: int | None
    changes: tuple[Change, ...] = ()
    effects: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class UseChange:
    """The use of a template that states other parameters; `path` is that of the first turn.

    `blocks` are the numbers, in the graph after, of those of all turns whose text is the same: what is new about them
    follows from the parameters.
    """

    path: str
    template: str
    span: Span
    changes: tuple[Change, ...]
    blocks: frozenset[int]


@dataclass(frozen=True)
class NetworkChange:
    """Two versions of a network; one of them is None where it is new or gone.

    `pairs` gives for each matched block of the first its index in the second; `options` are those of [net], and
    the name; `outputs` is by name.
    """

    before: Graph | None
    after: Graph | None
    pairs: Mapping[int, int]
    options: tuple[Change, ...] = ()
    blocks: tuple[BlockChange, ...] = ()
    outputs: tuple[Change, ...] = ()
    uses: tuple[UseChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.before is None or self.after is None or self.options or self.blocks or self.outputs)

    @property
    def name(self) -> str:
        """What it is called now, or was."""
        graph = self.after or self.before
        assert graph is not None
        return graph.name

    def count(self, status: Status) -> int:
        """How many blocks are so; an input is none."""
        return sum(change.status == status and not self.node(change).is_input for change in self.blocks)

    def node(self, change: BlockChange) -> Node:
        """A block as it is, or as it was."""
        if change.after is not None and self.after is not None:
            return self.after.nodes[change.after]
        assert self.before is not None
        assert change.before is not None
        return self.before.nodes[change.before]

    @cached_property
    def renamed_parameters(self) -> tuple[tuple[str, str], ...]:
        """The paths before and after of blocks with parameters whose names in a file of weights are others."""
        if self.before is None or self.after is None:
            return ()
        both = ((self.before.nodes[here], self.after.nodes[there]) for here, there in self.pairs.items())
        return tuple(
            (one.path, other.path) for one, other in both if one.path != other.path and one.parameters
        )


def match_networks(
    first: Mapping[str, Graph], second: Mapping[str, Graph]
) -> list[tuple[Graph | None, Graph | None]]:
    """The networks by name, else by likeness, in the order of the second; then those that are gone."""
    partner = {name: first[name] for name in second if name in first}
    gone = [graph for name, graph in first.items() if name not in second]
    new = [graph for name, graph in second.items() if name not in first]
    counts = {id(graph): _counted(graph) for graph in [*gone, *new]}
    likes = [
        (-_likeness(counts[id(one)], counts[id(other)]), sorted((one.name, other.name)), one, other)
        for one in gone
        for other in new
    ]
    for likeness, _, one, other in sorted(likes, key=lambda like: like[:2]):
        if -likeness >= LIKENESS and other.name not in partner and one not in partner.values():
            partner[other.name] = one
    matched = [(partner.get(name), graph) for name, graph in second.items()]
    return [*matched, *((graph, None) for graph in gone if graph not in partner.values())]


def _counted(graph: Graph) -> Counter[object]:
    """How often each kind of block is in a network, whatever it is called."""
    return Counter(
        item.alike for item, node in zip(items_of(graph), graph.nodes, strict=True) if not node.is_input
    )


def _likeness(one: Counter[object], other: Counter[object]) -> float:
    return 2 * (one & other).total() / max(one.total() + other.total(), 1)


def compare_networks(
    before: Graph | None, after: Graph | None, names: Mapping[str, str] | None = None
) -> NetworkChange:
    """How a network differs. `names` are those of networks before and after, where it uses some (`{Model}`)."""
    if before is None or after is None:
        blocks = tuple(_alone("removed" if before else "added", before or after))
        return NetworkChange(before, after, {}, (), blocks)
    return _Comparison(before, after, names or {}).run()


def _alone(status: Status, graph: Graph | None) -> Iterator[BlockChange]:
    """All blocks of a network that has no counterpart."""
    for index in range(len(graph.nodes) if graph else 0):
        yield BlockChange(status, *((index, None) if status == "removed" else (None, index)))


class _Comparison:
    def __init__(self, before: Graph, after: Graph, names: Mapping[str, str]) -> None:
        self.before = before
        self.after = after
        self.pairs = dict(align(*_by_path(before, after, items_of(before, names), items_of(after))))
        self.back = {there: here for here, there in self.pairs.items()}
        self.reached_before = _reached(before, self.pairs)
        self.reached_after = _reached(after, self.back)
        self.starts = _starts(before), _starts(after)
        self.places = tuple(
            {node.path: index for index, node in enumerate(graph.nodes)} for graph in (before, after)
        )

    def run(self) -> NetworkChange:
        net = option_changes(self.before.options, self.after.options, {"channels", "height", "width"})
        if self.before.name != self.after.name:
            net.insert(0, Change("name", self.before.name, self.after.name))
        blocks = [self._block(*both) for both in joined_order(self.before, self.after, self.pairs)]
        return NetworkChange(
            self.before,
            self.after,
            self.pairs,
            tuple(net),
            tuple(filter(None, blocks)),
            tuple(self._outputs()),
            tuple(self._uses()),
        )

    def _uses(self) -> Iterator[UseChange]:
        """The uses of templates that state other parameters than they did: each line once, whatever it repeats."""
        found: dict[tuple[str, int], list[tuple[int, Scope, tuple[Change, ...]]]] = {}
        for here, there in self.pairs.items():
            one, other = self.before.nodes[here], self.after.nodes[there]
            if [scope.template for scope in one.scopes] != [scope.template for scope in other.scopes]:
                continue
            for old, new in zip(one.scopes, other.scopes, strict=True):
                if old.given != new.given:  # those inside follow from it
                    changes = tuple(_parameters(dict(old.given), dict(new.given)))
                    alike = _text_of(one) == _text_of(other)
                    found.setdefault((new.span.file.name, new.span.line), []).append(
                        (there if alike else -1, new, changes)
                    )
                    break
        for blocks in found.values():
            if len({changes for _, _, changes in blocks}) == 1:
                _, scope, changes = blocks[0]
                numbers = frozenset(number for number, _, _ in blocks if number >= 0)
                yield UseChange(scope.path, scope.template, scope.span, changes, numbers)

    def _block(self, here: int | None, there: int | None) -> BlockChange | None:
        if here is None or there is None:
            return BlockChange("added" if here is None else "removed", here, there)
        changes = tuple(self._changes(here, there))
        effects = tuple(_effects(self.before.nodes[here], self.after.nodes[there]))
        if not changes and not effects:
            return None
        is_input = self.after.nodes[there].is_input  # nothing else can have given it another shape
        return BlockChange("changed" if changes or is_input else "follows", here, there, changes, effects)

    def _changes(self, here: int, there: int) -> Iterator[Change]:
        """What is written differently about a block."""
        one, other = self.before.nodes[here], self.after.nodes[there]
        if one.block.name != other.block.name:
            yield Change("name", one.block.name, other.block.name)
        if one.type != other.type:
            yield Change("type", one.type, other.type)
        yield from option_changes(one.block, other.block, _not_compared(one) | _not_compared(other))
        if not self._reads_the_same(one, other):
            yield Change("from", _references(self.before, one.inputs), _references(self.after, other.inputs))
        if over_in_words(one.over) != over_in_words(other.over):
            yield Change("over", over_in_words(one.over) or None, over_in_words(other.over) or None)
        if self._is_frozen_with_its_use(one, other):
            yield Change("freeze", str(one.freeze), str(other.freeze))
        if not self._uses_the_same(one, other):
            yield Change("shared_with", one.shared, other.shared)
        starts = _start(one, self.starts[0]), _start(other, self.starts[1])
        if starts[0] != starts[1]:
            yield Change("weights", *starts)

    def _is_frozen_with_its_use(self, one: Node, other: Node) -> bool:
        """Whether a use of a template around a block freezes its parameters, or no longer does; it needs some."""
        from_outside = one.block.freeze == other.block.freeze and self._same_net("freeze")
        return one.freeze != other.freeze and from_outside and bool(one.parameters or other.parameters)

    def _uses_the_same(self, one: Node, other: Node) -> bool:
        """Whether two blocks have their own parameters, or those of the same block."""
        if one.shared is None or other.shared is None:
            return one.shared == other.shared
        here, there = self.places[0].get(one.shared), self.places[1].get(other.shared)
        return here is not None and self.pairs.get(here) == there

    def _same_net(self, option: str) -> bool:
        return bool(getattr(self.before.options, option) == getattr(self.after.options, option))

    # --- wiring

    def _reads_the_same(self, one: Node, other: Node) -> bool:
        same_roles = one.block.written_roles() == other.block.written_roles()
        same_number = same_roles and len(one.inputs) == len(other.inputs)
        return same_number and all(map(self._is_same, one.inputs, other.inputs))

    def _is_same(self, signal: Signal, other: Signal) -> bool:
        """Whether two signals are the same, or differ by a block put in or taken out on the way only."""
        there = self.pairs.get(signal.producer)
        if there is not None and other.producer in self.back:
            return (there, signal.port) == (other.producer, other.port)
        before = {self.pairs[producer] for producer in self.reached_before[signal.producer]}
        return not before.isdisjoint(self.reached_after[other.producer])

    def _outputs(self) -> Iterator[Change]:
        here, there = self.before.outputs, self.after.outputs
        for name in dict.fromkeys([*here, *there]):
            one, other = here.get(name), there.get(name)
            if one is None or other is None or not self._is_same(one, other) or one.shape != other.shape:
                yield Change(name, _output(self.before, one), _output(self.after, other))


def _parameters(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield Change(name, old.get(name), new.get(name))


def _text_of(node: Node) -> list[str]:
    """The lines of a block as they are written, without the spaces around them."""
    lines = (line.strip() for line in node.span.file.text.split("\n")[node.span.line :])
    return [line for line in takewhile(lambda line: not line.startswith(("[", "{")), lines) if line]


def _by_path(
    before: Graph, after: Graph, first: list[Item], second: list[Item]
) -> tuple[list[Item], list[Item]]:
    """Items of which those in uses of templates go by their paths, where both networks are built alike.

    A template whose parameters have changed has the same blocks in the same places, whatever they look like.
    """
    if [(node.path, node.type) for node in before.nodes] != [(node.path, node.type) for node in after.nodes]:
        return first, second
    paths = [node.path if node.scopes else "" for node in before.nodes]
    return _named(first, paths), _named(second, paths)


def _named(items: list[Item], paths: list[str]) -> list[Item]:
    return [replace(item, name=path) if path else item for item, path in zip(items, paths, strict=True)]


def _reached(graph: Graph, matched: Mapping[int, int]) -> list[frozenset[int]]:
    """For each block the matched ones that are it or come before it, through unmatched ones only."""
    reached: list[frozenset[int]] = []
    for index, node in enumerate(graph.nodes):
        if index in matched:
            reached.append(frozenset((index,)))
        else:
            reached.append(frozenset().union(*(reached[signal.producer] for signal in node.inputs)))
    return reached


def _references(graph: Graph, signals: Iterable[Signal]) -> str:
    return ", ".join(map(graph.reference, signals))


def _output(graph: Graph, signal: Signal | None) -> str | None:
    return f"{graph.reference(signal)} ({show(signal.shape)})" if signal else None


def _effects(one: Node, other: Node) -> Iterator[Change]:
    """Shape, parameters and cost, where they differ."""
    if [*one.outputs] == [*other.outputs]:
        for port, signal in one.outputs.items():
            if signal.shape != other.outputs[port].shape:
                what = f"shape of {port}" if port else "shape"
                yield Change(what, show(signal.shape), show(other.outputs[port].shape))
    else:
        yield Change("ports", ", ".join(one.outputs), ", ".join(other.outputs))
    if one.parameters != other.parameters:
        yield Change("parameters", one.parameters, other.parameters)
    elif one.trainable != other.trainable:
        yield Change("trainable", one.trainable, other.trainable)
    if one.macs != other.macs:
        yield Change("macs", one.macs, other.macs)


# --- where weights come from, as the use of a template around a block says ------------------------------------


def _starts(graph: Graph) -> dict[str, WeightRequest]:
    return {request.path: request for request in graph.weights if request.path}


def _start(node: Node, requests: Mapping[str, WeightRequest]) -> str | None:
    """The file of weights that a use around a block names; its own option is compared as such."""
    path = node.path.rpartition(".")[0]
    while path and requests:
        if path in requests:
            asked = requests[path]
            rest = (asked.layout, asked.adapt if asked.adapt != "strict" else None)
            return ", ".join([asked.source, *filter(None, rest)])
        path = path.rpartition(".")[0]
    return None


# --- blocks as the alignment sees them ------------------------------------------------------------------------


def items_of(graph: Graph, names: Mapping[str, str] | None = None) -> list[Item]:
    """The blocks of a network; networks it uses go by `names`, where they are called something else now."""
    return [_item(graph, node, names or {}) for node in graph.nodes]


def _not_compared(node: Node) -> frozenset[str]:
    """Options of a block that are compared by what they lead to: signals, shapes, parameters."""
    block = node.block
    wiring = {"from", block.reference_option, *block.roles}
    return NOT_COMPARED | wiring | (INPUT_OPTIONS if node.is_input else frozenset())


def _item(graph: Graph, node: Node, names: Mapping[str, str]) -> Item:
    kind: tuple[str, ...] = (node.type,)
    traits: frozenset[object] = frozenset()
    if isinstance(node.block, NetworkUse):
        used = node.block.network.name
        kind = (node.type, names.get(used, used))
    elif not isinstance(node.block, DataField):
        traits = frozenset(written_options(node.block, _not_compared(node)).items())
    shapes = tuple(signal.shape for signal in (*node.inputs, *node.outputs.values()))
    around = tuple(scope.template for scope in node.scopes)
    surroundings = (around, node.block.name, shapes)
    origin = node.source_path or node.path
    return Item(_stable_name(node), kind, traits, surroundings, origin, node.source_path is not None)


def _stable_name(node: Node) -> str:
    """The path, if no part of it is the position of an unnamed block; a turn's number stays what it is."""
    known = ""
    for scope in node.scopes:
        steps = scope.path[len(known) :].lstrip(".").split(".")
        if steps[0].isdigit():
            return ""
        known = scope.path
    last = node.path[len(known) :].lstrip(".")
    return "" if last.isdigit() else node.path
