"""What a summary has of each block, and of each use of a template together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from netcfg.graph import Graph, Node, Scope
from netcfg.summary.memory import output_bytes
from netcfg.summary.receptive import Seen, receptive_fields


@dataclass(frozen=True, slots=True)
class Row:
    """A block, or (`template` is set) all blocks of a use of a template, at `depth` levels of templates.

    `position` is what a reader counts, `reads` what it is fed. `memory` is that of its signals, in bytes; None where
    a size is unknown, as are `macs`. A use that stands open is a heading (`is_open`): what is in it follows.
    """

    name: str
    position: int | None
    nodes: tuple[Node, ...]
    reads: tuple[str, ...]
    parameters: int
    trainable: int
    macs: int | None
    memory: int | None
    seen: Seen | None
    template: str = ""
    turns: int = 1
    depth: int = 0
    is_open: bool = False

    @property
    def last(self) -> Node:
        """The block that gives its signals."""
        return self.nodes[-1]


SORTS: Final[dict[str, Callable[[Row], int]]] = {
    "parameters": lambda row: row.parameters,
    "trainable": lambda row: row.trainable,
    "macs": lambda row: row.macs or 0,
    "memory": lambda row: row.memory or 0,
    "receptive_field": lambda row: row.seen.size if row.seen else 0,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a summary is asked for: how deep templates are open (None: every block), for what batch, in which order."""

    depth: int | None = None
    batch_size: int = 1
    precision: str = "f32"
    sort: str | None = None


def rows_of(graph: Graph, wish: Wish) -> list[Row]:
    """The blocks, or the tree of templates down to the wished depth; sorted, only what is not a heading."""
    rows = _Rows(graph, wish).all()
    if wish.sort is None:
        return rows
    return sorted((row for row in rows if not row.is_open), key=SORTS[wish.sort], reverse=True)


class _Rows:
    def __init__(self, graph: Graph, wish: Wish) -> None:
        self.graph = graph
        self.wish = wish
        self.seen = receptive_fields(graph)
        self.indices = [index for index, node in enumerate(graph.nodes) if not node.is_input]

    def all(self) -> list[Row]:
        if self.wish.depth is None:
            return [self.block(index, 0) for index in self.indices]
        return self.level(self.indices, 0)

    def level(self, indices: Sequence[int], depth: int) -> list[Row]:
        """What stands at a level: blocks, and uses of templates that are folded or open."""
        rows: list[Row] = []
        for scope, group in _uses(self.graph, indices, depth):
            if scope is None:
                rows += [self.block(index, depth) for index in group]
            elif depth >= (self.wish.depth or 0):
                rows.append(self.use(scope, group, depth, is_open=False))
            else:
                rows.append(self.use(scope, group, depth, is_open=True))
                rows += self.level(group, depth + 1)
        return rows

    def block(self, index: int, depth: int) -> Row:
        node = self.graph.nodes[index]
        return self.row(node.path, (index,), depth)

    def use(self, scope: Scope, indices: Sequence[int], depth: int, is_open: bool) -> Row:
        turns = 1 if scope.count is None else scope.count
        return self.row(_use_path(scope), indices, depth, scope.template, turns, is_open)

    def row(
        self,
        name: str,
        indices: Sequence[int],
        depth: int,
        template: str = "",
        turns: int = 1,
        is_open: bool = False,
    ) -> Row:
        """One of any kind, with the sums over its blocks."""
        nodes = tuple(self.graph.nodes[index] for index in indices)
        own = set(indices)
        reads = dict.fromkeys(
            self.graph.reference(signal)
            for node in nodes
            for signal in node.inputs
            if signal.producer not in own
        )
        shapes = [signal.shape for node in nodes for signal in node.outputs.values()]
        return Row(
            name,
            nodes[0].position,
            nodes,
            tuple(reads),
            sum(node.parameters for node in nodes),
            sum(node.trainable for node in nodes),
            _total(node.macs for node in nodes),
            output_bytes(shapes, self.wish.batch_size, self.wish.precision),
            self.seen[indices[-1]],
            template,
            turns,
            depth,
            is_open,
        )


def _total(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def _use_path(scope: Scope) -> str:
    """The path of a use, all turns of a repeat together."""
    return scope.path if scope.count is None else scope.path.rpartition(".")[0]


def _uses(graph: Graph, indices: Sequence[int], depth: int) -> list[tuple[Scope | None, list[int]]]:
    """The blocks of a level by the use of a template they are in, all turns of a repeat together."""
    groups: list[tuple[Scope | None, list[int]]] = []
    last: str | None = None
    for index in indices:
        scopes = graph.nodes[index].scopes
        scope = scopes[depth] if depth < len(scopes) else None
        path = _use_path(scope) if scope else None
        if groups and path is not None and path == last:
            groups[-1][1].append(index)
        else:
            groups.append((scope, [index]))
        last = path
    return groups
