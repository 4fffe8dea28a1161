"""Which nodes of a graph share a box, and in which frames the boxes stand.

An activation, a dropout or a batch normalisation that alone follows a block joins that block's box. A repeat is
shown once. A run of equal, unnamed boxes becomes one. A template's use deeper than `depth` is one box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcfg.blocks.base import Block
from netcfg.blocks.registry import find
from netcfg.draw.folders import with_folders
from netcfg.draw.marked import NO_MARKS, UNMARKED, Mark, Marked, Marks

if TYPE_CHECKING:
    from netcfg.graph import Graph, Node, Scope
    from netcfg.source import Span

PAGE_BOXES = 60
"""As many boxes can be read on a page; with more, templates are closed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of several equal parts in a row this is: number `index`, from 0, of `count`.

    `of` is the same for all of them, and `name` what they are called together.
    """

    of: str
    name: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Place:
    """A scope as shown: the same one for all turns of a collapsed repeat."""

    path: str
    title: str
    template: str
    count: int
    span: Span
    turn: Turn | None = None


@dataclass(slots=True, eq=False)
class Shown:
    """A box in the making: the nodes it stands for (`last` makes its signals) and the places it stands in.

    `closed` is the template's use that it stands for as a whole, `merged` what joined its first node.
    """

    nodes: list[Node]
    places: tuple[Place, ...]
    last: Node
    count: int = 1
    merged: list[Node] = field(default_factory=list)
    turn: Turn | None = None
    closed: Place | None = None
    marked: Marked = UNMARKED

    @property
    def first(self) -> Node:
        """The node that gives the box its type and place."""
        return self.nodes[0]


def shown_boxes(
    graph: Graph,
    expand: bool = False,
    depth: int | None = None,
    marks: Marks = NO_MARKS,
    closed: Sequence[str] = (),
) -> tuple[list[Shown], list[Shown]]:
    """The boxes in file order, and for each node the box that stands for it; a use of a `closed` template is one."""
    shown, shown_by = _Grouping(graph, expand, depth, marks, closed).boxes()
    runs = _runs(graph, shown, shown_by)
    if expand:
        _number_runs(runs)
        return shown, shown_by
    return _runs_as_one(runs, shown_by), shown_by


def levels(node: Node) -> int:
    """How many templates a node is inside of; the repeat of a plain block is none."""
    scopes = node.scopes
    return len(scopes) - bool(scopes and scopes[-1].template == node.type)


def fitting_depth(graphs: Sequence[Graph]) -> int | None:
    """The most levels of templates that can be open while all boxes fit on a page; None: all of them."""
    graphs = [with_folders(graph) for graph in graphs]
    deepest = max((levels(node) for graph in graphs for node in graph.nodes), default=0)
    for depth in range(deepest, 0, -1):
        if sum(len(shown_boxes(graph, depth=depth)[0]) for graph in graphs) <= PAGE_BOXES:
            return None if depth == deepest else depth
    return 0 if deepest else None


class _Grouping:
    """Goes through the nodes, and finds or makes the box of each. No box stands for nodes that are marked unalike."""

    def __init__(
        self, graph: Graph, expand: bool, depth: int | None, marks: Marks, shut: Sequence[str]
    ) -> None:
        self.graph = graph
        self.expand = expand
        self.depth = depth
        self.shut = shut
        self.marks = marks.blocks
        self.mixed = _mixed(graph, marks)
        self.uneven = _uneven(graph, marks)
        self.shown: list[Shown] = []
        self.shown_by: list[Shown] = []
        self.first_turns: dict[tuple[object, ...], Shown] = {}

    def boxes(self) -> tuple[list[Shown], list[Shown]]:
        for index, node in enumerate(self.graph.nodes):
            scopes = self.closed_at(node)
            self.shown_by.append(self.closed(index, scopes) if scopes else self.open(index, node))
        return self.shown, self.shown_by

    def closed_at(self, node: Node) -> tuple[Scope, ...]:
        """The scopes down to the template's use that stands closed for the node; none where it has a box itself."""
        if self.depth is None and not self.shut:
            return ()
        open_to = levels(node) if self.depth is None else self.depth
        depths = [
            place
            for place in range(levels(node))
            if place >= open_to or node.scopes[place].template in self.shut
        ]
        at = next((depth for depth in depths if _without_turn(node.scopes[depth]) not in self.mixed), None)
        return node.scopes[: at + 1] if at is not None else ()

    def opens(self, scope: Scope) -> bool:
        """Whether every turn of a repeat is shown."""
        return self.expand or (bool(self.uneven) and _without_turn(scope) in self.uneven)

    def closed(self, index: int, scopes: tuple[Scope, ...]) -> Shown:
        """The box of the template's use that the node is in."""
        node = self.graph.nodes[index]
        key = (scopes[-1].path,) if self.expand else self.steps(scopes)
        one = self.first_turns.get(key)
        if one is None:
            *places, closed = (_place(scope, self.opens(scope)) for scope in scopes)
            one = Shown([], tuple(places), node, closed.count, turn=closed.turn, closed=closed)
            one.marked = self.marks.get(index, UNMARKED)
            self.shown.append(one)
            self.first_turns[key] = one
        one.nodes.append(node)
        one.last = node
        return one

    def open(self, index: int, node: Node) -> Shown:
        """A box of its own, that of the block before, or that of the first turn."""
        is_turn = not self.expand and any(scope.count for scope in node.scopes)
        key = self.turn_key(node) if is_turn else ()
        marked = self.marks.get(index, UNMARKED)
        one = self.first_turns.get(key) if is_turn else None
        if one is not None:
            _add_turn(one, node)
            return one
        one = _producer_to_join(self.graph, index, self.shown_by)
        if one is not None and one.marked.alike == marked.alike:
            one.nodes.append(node)
            one.merged.append(node)
            one.last = node
        else:
            places = tuple(_place(scope, self.opens(scope)) for scope in node.scopes)
            one = Shown([node], places, node, marked=marked)
            self.shown.append(one)
        if is_turn:
            self.first_turns[key] = one
        return one

    def turn_key(self, node: Node) -> tuple[object, ...]:
        """Equal for nodes that do the same in each turn of a repeat: their place without the turns' numbers."""
        return (self.steps(node.scopes), _beyond(node.path, node.scopes), node.type)

    def steps(self, scopes: tuple[Scope, ...]) -> tuple[object, ...]:
        """Where something is, without the numbers of turns that are shown as one."""
        return tuple(
            (
                _beyond(scope.path if self.opens(scope) else _without_turn(scope), scopes[:place]),
                scope.template,
            )
            for place, scope in enumerate(scopes)
        )


def _beyond(path: str, scopes: Sequence[Scope]) -> str:
    """What a path has more than the innermost of the scopes that it begins with: what a folder holds may not."""
    start = next(
        (scope.path for scope in reversed(scopes) if scope.template or path.startswith(f"{scope.path}.")), ""
    )
    return path[len(start) :]


def _mixed(graph: Graph, marks: Marks) -> set[str]:
    """The uses of templates (all turns of a repeat together) in which not every node is marked like the others."""
    found: dict[str, set[tuple[Mark, str]]] = {}
    for index, node in enumerate(graph.nodes if marks.blocks else ()):
        for scope in node.scopes:
            found.setdefault(_without_turn(scope), set()).add(marks.blocks.get(index, UNMARKED).alike)
    return {path for path, marked in found.items() if len(marked) > 1}


def _uneven(graph: Graph, marks: Marks) -> set[str]:
    """The repeats in which not every turn has the blocks and the marks of the others: `if` may leave some out, and
    an option may count turns (`dilation = ${2 ** turn}`).
    """
    turns: dict[str, dict[str, list[tuple[str, str, str, tuple[Mark, str]]]]] = {}
    for index, node in enumerate(graph.nodes):
        for scope in node.scopes:
            if scope.count is not None:
                alike = marks.blocks.get(index, UNMARKED).alike
                marked = node.path[len(scope.path) :], node.type, node.drawn, alike
                turns.setdefault(_without_turn(scope), {}).setdefault(scope.path, []).append(marked)
    return {
        path
        for path, each in turns.items()
        if any(turn != next(iter(each.values())) for turn in each.values())
    }


def _without_turn(scope: Scope) -> str:
    return scope.path if scope.count is None else scope.path.rpartition(".")[0]


def _add_turn(one: Shown, node: Node) -> None:
    one.nodes.append(node)
    if node.type == one.last.type:
        one.last = node


def _place(scope: Scope, expand: bool) -> Place:
    if scope.count is None:
        return Place(scope.path, last_part(scope.path), scope.template, 1, scope.span)
    path = _without_turn(scope)
    if expand:
        turn = Turn(path, plain_name(path), scope.index or 0, scope.count)
        title = f"{last_part(path)} · {turn.index + 1} of {turn.count}"
        return Place(scope.path, title, scope.template, 1, scope.span, turn)
    return Place(path, last_part(path), scope.template, scope.count, scope.span)


def last_part(path: str) -> str:
    """What stands behind the last dot of a path."""
    return path.rpartition(".")[2]


def plain_name(path: str) -> str:
    """The name at the end of a path, nothing where it is only a position."""
    name = last_part(path)
    return "" if name.isdigit() else name


def _producer_to_join(graph: Graph, index: int, shown_by: list[Shown]) -> Shown | None:
    """The box of the block this node follows, where it is to be written into that box."""
    node = graph.nodes[index]
    if not node.block.joins_box or len(node.inputs) != 1:
        return None
    signal = node.inputs[0]
    producer = graph.nodes[signal.producer]
    alone = graph.consumers[signal.producer, signal.port] == (index,) and len(producer.outputs) == 1
    is_output = any(output.producer == signal.producer for output in graph.outputs.values())
    if not alone or is_output or producer.is_input or producer.scopes != node.scopes:
        return None
    return shown_by[signal.producer]


# --- runs of equal boxes --------------------------------------------------------------------------------------


def _runs(graph: Graph, shown: list[Shown], shown_by: list[Shown]) -> list[list[Shown]]:
    """The boxes by runs of equal, unnamed ones, in which each is read by the next one alone."""
    runs: list[list[Shown]] = []
    for one in shown:
        if runs and _continues(graph, runs[-1][-1], one, shown_by):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _number_runs(runs: list[list[Shown]]) -> None:
    for run in runs:
        for index, one in enumerate(run if len(run) > 1 else ()):
            one.turn = Turn(run[0].first.path, "", index, len(run))


def _runs_as_one(runs: list[list[Shown]], shown_by: list[Shown]) -> list[Shown]:
    """Make one box of each run."""
    replaced: dict[int, Shown] = {}
    for kept, *others in runs:
        for one in others:
            kept.nodes += one.nodes
            kept.last = one.last
            kept.count += one.count
            replaced[id(one)] = kept
    shown_by[:] = [replaced.get(id(one), one) for one in shown_by]
    return [run[0] for run in runs]


def _continues(graph: Graph, previous: Shown, one: Shown, shown_by: list[Shown]) -> bool:
    # The signal of what is before must go into this box and nowhere else.
    if previous.closed or one.closed:
        return _closed_continues(graph, previous, one, shown_by)
    source, node = previous.last, one.first
    if len(node.inputs) != 1 or node.is_input or len(source.outputs) != 1:
        return False
    signal = node.inputs[0]
    if graph.nodes[signal.producer] is not source or len(graph.consumers[signal.producer, signal.port]) != 1:
        return False
    if any(output.producer == signal.producer for output in graph.outputs.values()):
        return False
    return _looks(previous) == _looks(one) and not _named(previous.first) and not _named(node)


def _looks(one: Shown) -> tuple[object, ...]:
    first = one.first
    merged = [(node.type, node.drawn) for node in one.merged]
    return (
        first.type,
        first.drawn,
        merged,
        one.places,
        one.last.output.shape,
        is_frozen(first),
        lender(first),
        one.marked.alike,
    )


def _named(node: Node) -> bool:
    return node.block.name is not None


def lender(node: Node) -> str:
    """The block or the use of a template whose parameters a block uses, as `shared_with` names it; else nothing."""
    if node.shared is None:
        return ""
    own, others = node.path.split("."), node.shared.split(".")
    while len(own) > 1 and len(others) > 1 and own[-1] == others[-1]:  # its place in the use
        del own[-1], others[-1]
    return others[-1]


def is_frozen(node: Node) -> bool:
    """Whether all of its parameters stay as they are, and there are some."""
    return node.parameters > 0 and node.trainable == 0


def _closed_continues(graph: Graph, previous: Shown, one: Shown, shown_by: list[Shown]) -> bool:
    before, after = previous.closed, one.closed
    if before is None or after is None or plain_name(before.path) or plain_name(after.path):
        return False
    is_alike = before.template == after.template and previous.places == one.places
    is_alike = is_alike and previous.marked.alike == one.marked.alike
    if not is_alike or _form(previous) != _form(one):
        return False
    given = set(signals_given(graph, previous, shown_by))
    read = {
        (signal.producer, signal.port)
        for node in one.nodes
        for signal in node.inputs
        if shown_by[signal.producer] is not one
    }
    if len(given) != 1 or read != given:
        return False
    return not _is_read_by_others(graph, given.pop(), one, shown_by)


def _form(one: Shown) -> list[object]:
    """Equal for uses of a template that hold equal blocks."""
    return [(node.type, node.drawn, node.output.shape, is_frozen(node), lender(node)) for node in one.nodes]


def _is_read_by_others(graph: Graph, signal: tuple[int, str], one: Shown, shown_by: list[Shown]) -> bool:
    own = shown_by[signal[0]]
    readers = [shown_by[index] for index in graph.consumers.get(signal, ())]
    is_output = any((output.producer, output.port) == signal for output in graph.outputs.values())
    return is_output or any(reader is not one and reader is not own for reader in readers)


def signals_given(graph: Graph, one: Shown, shown_by: list[Shown]) -> Iterator[tuple[int, str]]:
    """The signals of a box's nodes (producer and port) that are read outside of it."""
    outputs = {(signal.producer, signal.port) for signal in graph.outputs.values()}
    for node in one.nodes:
        for port, signal in node.outputs.items():
            key = (signal.producer, port)
            if key in outputs or any(shown_by[reader] is not one for reader in graph.consumers.get(key, ())):
                yield key


def kinds_of_blocks(one: Shown) -> list[str]:
    """What is in a closed box: `13 convolutional`, the most frequent types first, three at most."""
    return kinds_of(node.type for node in one.nodes)


def _joins_box(name: str) -> bool:
    kind = find("network", name)
    return kind is not None and issubclass(kind, Block) and kind.joins_box


def kinds_of(types: Iterable[str]) -> list[str]:
    """The same of any block types."""
    found = Counter(name for name in types if not _joins_box(name))
    return [f"{count} {name.replace('_', ' ')}" for name, count in found.most_common(3)]
