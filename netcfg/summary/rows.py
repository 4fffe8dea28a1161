"""What a summary has of each block, and of each use of a template, or folder of names, together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from netcfg.graph import Graph, Node, Scope
from netcfg.summary.memory import output_bytes
from netcfg.summary.receptive import Seen, receptive_fields


@dataclass(frozen=True, slots=True)
class Row:
    """A block, or all of a use of a template (`template` is set) or of a folder of names, at `depth` levels of both.

    `position` is what a reader counts, `reads` what it is fed. `memory` is that of its signals, in bytes; None where
    a size is unknown, as are `macs`. A use or folder that stands open is a heading (`is_open`): what is in it follows.
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
    is_folder: bool = False

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
    """What a summary is asked for: how deep uses and folders are open (None: every block), the batch, the order."""

    depth: int | None = None
    batch_size: int = 1
    precision: str = "f32"
    sort: str | None = None


def rows_of(graph: Graph, wish: Wish) -> list[Row]:
    """The blocks, or the tree of templates and folders down to the wished depth; sorted, only what is no heading."""
    rows = _Rows(graph, wish).all()
    if wish.sort is None:
        return rows
    return sorted((row for row in rows if not row.is_open), key=SORTS[wish.sort], reverse=True)


@dataclass(frozen=True, slots=True)
class _Level:
    """A use of a template, or (without a `scope`) a folder: what several names have before their last dot."""

    path: str
    scope: Scope | None = None


def _levels(node: Node) -> Iterator[_Level]:
    """What a block is in, the outermost first: each use of a template, and the folders in the names of both."""
    outer = ""
    for scope in node.scopes:
        path = _use_path(scope)
        yield from _folders(path, outer)
        yield _Level(path, scope)
        outer = scope.path
    yield from _folders(node.path, outer)


def _folders(path: str, outer: str) -> Iterator[_Level]:
    """The folders on the way from `outer` down to what has that path."""
    start = len(outer) + 1 if outer else 0
    parts = path[start:].split(".")
    for count in range(1, len(parts)):
        yield _Level(path[:start] + ".".join(parts[:count]))


class _Rows:
    def __init__(self, graph: Graph, wish: Wish) -> None:
        self.graph = graph
        self.wish = wish
        self.seen = receptive_fields(graph)
        self.levels = [tuple(_levels(node)) for node in graph.nodes]
        self.indices = [index for index, node in enumerate(graph.nodes) if not node.is_input]

    def all(self) -> list[Row]:
        if self.wish.depth is None:
            return [self.block(index, 0) for index in self.indices]
        return self.level(self.indices, 0)

    def level(self, indices: Sequence[int], depth: int) -> list[Row]:
        """What stands at a level: blocks, and uses of templates and folders that are folded or open."""
        rows: list[Row] = []
        for level, group in self.groups(indices, depth):
            if level is None:
                rows += [self.block(index, depth) for index in group]
            elif depth >= (self.wish.depth or 0):
                rows.append(self.together(level, group, depth, is_open=False))
            else:
                rows.append(self.together(level, group, depth, is_open=True))
                rows += self.level(group, depth + 1)
        return rows

    def groups(self, indices: Sequence[int], depth: int) -> list[tuple[_Level | None, list[int]]]:
        """The blocks of a level by the use or folder they are in, all turns of a repeat together."""
        groups: list[tuple[_Level | None, list[int]]] = []
        last: str | None = None
        for index in indices:
            levels = self.levels[index]
            level = levels[depth] if depth < len(levels) else None
            path = level.path if level else None
            if groups and path is not None and path == last:
                groups[-1][1].append(index)
            else:
                groups.append((level, [index]))
            last = path
        return groups

    def block(self, index: int, depth: int) -> Row:
        node = self.graph.nodes[index]
        return self.row(node.path, (index,), depth)

    def together(self, level: _Level, indices: Sequence[int], depth: int, is_open: bool) -> Row:
        if level.scope is None:
            return self.row(level.path, indices, depth, is_open=is_open, is_folder=True)
        turns = 1 if level.scope.count is None else level.scope.count
        return self.row(level.path, indices, depth, level.scope.template, turns, is_open)

    def row(
        self,
        name: str,
        indices: Sequence[int],
        depth: int,
        template: str = "",
        turns: int = 1,
        is_open: bool = False,
        is_folder: bool = False,
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
            is_folder,
        )


def _total(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def _use_path(scope: Scope) -> str:
    """The path of a use, all turns of a repeat together."""
    return scope.path if scope.count is None else scope.path.rpartition(".")[0]
