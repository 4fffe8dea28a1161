"""Folders of names: blocks called `encoder.norm` and `encoder.layers.0` stand in a frame `encoder`, as a use's do.

The language knows a folder only by names. For a picture it becomes one scope more around its blocks, without a
template. It is one where at least two things of its level are in it, one after the other, and not all of that level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from netcfg.draw.marked import GONE
from netcfg.graph import Graph, Node, Scope
from netcfg.source import Span

FOLDER = "folder"
"""What stands for the template of a use, where there is a folder."""


@dataclass(slots=True)
class _Folder:
    """A folder in the making: the path of the scope around it, how many scopes that is inside of, and its blocks."""

    outer: str
    depth: int
    inside: list[int]
    names: set[str]


def with_folders(graph: Graph) -> Graph:
    """The same network with a scope for each folder; itself where it has none."""
    around: list[list[tuple[int, Scope]]] = [[] for _ in graph.nodes]
    members = _members(graph.nodes)
    for path, folder in _candidates(graph.nodes).items():
        level = members[folder.outer]
        inside = _gathered(graph.nodes, path, folder, level)
        if len(folder.names) > 1 and inside and len(inside) < len(level):
            scope = Scope(path, "", _span(graph.nodes[inside[0]], folder.depth))
            for index in inside:
                around[index].append((folder.depth, scope))
    if not any(around):
        return graph
    nodes = (
        node._replace(scopes=_merged(node.scopes, own)) if own else node
        for node, own in zip(graph.nodes, around, strict=True)
    )
    return replace(graph, nodes=tuple(nodes))


def _members(nodes: Sequence[Node]) -> dict[str, list[int]]:
    """The blocks in each scope, by its path, and ("") in the network; inputs are in none."""
    members: dict[str, list[int]] = {}
    for index, node in enumerate(nodes):
        for path in () if node.is_input else ("", *(scope.path for scope in node.scopes)):
            members.setdefault(path, []).append(index)
    return members


def _candidates(nodes: Sequence[Node]) -> dict[str, _Folder]:
    """What several names have before a dot, by path, outer ones first. What is a use's, or a repeat's, is no folder."""
    found: dict[str, _Folder] = {}
    uses = {_use_path(scope) for node in nodes for scope in node.scopes} | {
        scope.path for node in nodes for scope in node.scopes
    }
    for index, node in enumerate(nodes):
        for depth, outer, path, name in () if node.is_input else _folders(node):
            if path not in uses and path.rpartition(".")[2] != GONE:
                folder = found.setdefault(path, _Folder(outer, depth, [], set()))
                if folder.outer == outer:
                    folder.inside.append(index)
                    folder.names.add(name)
    return dict(sorted(found.items(), key=lambda item: item[0].count(".")))


def _folders(node: Node) -> Iterator[tuple[int, str, str, str]]:
    """The folders on the way down to a block: inside of how many scopes, of which, the path, and who is in it."""
    outer = ""
    for depth, path in enumerate((*map(_use_path, node.scopes), node.path)):
        start = len(outer) + 1 if outer else 0
        parts = path[start:].split(".")
        for count in range(1, len(parts)):
            yield depth, outer, path[:start] + ".".join(parts[:count]), parts[count]
        outer = node.scopes[depth].path if depth < len(node.scopes) else ""


def _use_path(scope: Scope) -> str:
    """The path of a use of a template, of all its turns together."""
    return scope.path if scope.count is None else scope.path.rpartition(".")[0]


def _gathered(nodes: Sequence[Node], path: str, folder: _Folder, level: Sequence[int]) -> list[int]:
    """The folder's blocks, with those of its level that stand between them and have no name; none where others do."""
    own, start = set(folder.inside), len(folder.outer) + 1 if folder.outer else 0
    first, last = folder.inside[0], folder.inside[-1]
    between = [index for index in level if first <= index <= last]
    is_inner = "." in path[start:]
    for index in between:
        name = nodes[index].path[start:].partition(".")[0]
        if index not in own and (is_inner or not name.isdigit()):
            return []
    return between


def _span(node: Node, depth: int) -> Span:
    """Where a folder begins: at its first block, or the use of a template that is its first."""
    return node.scopes[depth].span if depth < len(node.scopes) else node.span


def _merged(scopes: tuple[Scope, ...], folders: Sequence[tuple[int, Scope]]) -> tuple[Scope, ...]:
    """A block's scopes, with those of its folders inside of as many of them as these say."""
    merged: list[Scope] = []
    for depth in range(len(scopes) + 1):
        merged += [folder for at, folder in folders if at == depth]
        merged += scopes[depth : depth + 1]
    return tuple(merged)
