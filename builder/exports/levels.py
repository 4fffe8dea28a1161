"""The levels of a network: what becomes a class of an exported file, and what only lies in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netcfg.folding import Over
from netcfg.graph import Graph, Signal
from netcfg.passes.lifetimes import Key, Lifetimes


@dataclass(eq=False)
class Level:
    """A network, or the use of a template: nodes by number and levels, in file order. `path` leads to it."""

    path: str
    template: str
    items: list[int | Level] = field(default_factory=list)
    is_extended: bool = False
    """Whether the level around it puts blocks of its own below the same path."""

    def nodes(self) -> Iterator[int]:
        """All of them, of levels below too."""
        for item in self.items:
            if isinstance(item, int):
                yield item
            else:
                yield from item.nodes()

    def levels(self) -> Iterator[Level]:
        """Those below, inner ones first."""
        for item in self.items:
            if isinstance(item, Level):
                yield from item.levels()
                yield item

    @property
    def height(self) -> int:
        """How many levels lie below each other in it."""
        return max((item.height + 1 for item in self.items if isinstance(item, Level)), default=0)

    def relative(self, path: str) -> str:
        """A path as seen from here."""
        return path[len(self.path) + 1 :] if self.path else path


class Edges:
    """What crosses the border of a level: `inputs` and `outputs`, and over which axes everything in it lies."""

    def __init__(self, graph: Graph, lifetimes: Lifetimes, level: Level) -> None:
        inside = list(level.nodes())
        members = set(inside)
        self.over = _common([graph.nodes[index].over for index in inside]) if level.path else ()
        self.inputs: list[Key] = []
        self.outputs: list[Key] = []
        read_outside = {lifetimes.root(signal) for signal in graph.outputs.values()}
        for index in range(len(graph.nodes)):
            if not lifetimes.is_statement(index):
                continue
            for key in lifetimes.roots(index):
                if index in members and key[0] not in members and key not in self.inputs:
                    self.inputs.append(key)
                if index not in members:
                    read_outside.add(key)
        for index in inside:
            for port in graph.nodes[index].outputs:
                if (index, port) in read_outside and lifetimes.is_statement(index):
                    self.outputs.append((index, port))


def _common(overs: list[tuple[Over, ...]]) -> tuple[Over, ...]:
    first = overs[0] if overs else ()
    for length in range(len(first), -1, -1):
        if all(over[:length] == first[:length] for over in overs):
            return first[:length]
    return ()


def levels_of(graph: Graph, dissolved: frozenset[str] = frozenset()) -> Level:
    """A network's levels; those at the paths `dissolved` are no class of their own."""
    root = Level("", "")
    open_levels = [root]
    closed: set[str] = set()
    again: set[str] = set()
    for index, node in enumerate(graph.nodes):
        if node.is_input:
            continue
        wanted = [
            (scope.path, scope.template)
            for scope in node.scopes
            if scope.path not in dissolved and node.path.startswith(f"{scope.path}.")
        ]
        # A flat use has its level's own path.
        wanted = [
            (path, name)
            for number, (path, name) in enumerate(wanted)
            if path not in {p for p, _ in wanted[:number]}
        ]
        depth = 0
        while (
            depth < len(wanted)
            and depth + 1 < len(open_levels)
            and open_levels[depth + 1].path == wanted[depth][0]
        ):
            depth += 1
        closed |= {level.path for level in open_levels[depth + 1 :]}
        del open_levels[depth + 1 :]
        for path, template in wanted[depth:]:
            if path in closed:
                again.add(path)
            level = Level(path, template)
            open_levels[-1].items.append(level)
            open_levels.append(level)
        open_levels[-1].items.append(index)
    # A level that comes in several pieces has no forward of its own, and one whose parameters another lends it
    # cannot reach them.
    borrowed = {
        level.path
        for level in root.levels()
        for index in level.nodes()
        if not graph.nodes[index].holder.startswith(f"{level.path}.")
    }
    if again | borrowed:
        return levels_of(graph, dissolved | again | borrowed)
    for level in root.levels():
        members = set(level.nodes())
        level.is_extended = any(
            node.path.startswith(f"{level.path}.")
            for index, node in enumerate(graph.nodes)
            if index not in members
        )
    return root


def made_signal(graph: Graph, key: Key) -> Signal:
    """The signal of a key."""
    return graph.nodes[key[0]].outputs[key[1]]
