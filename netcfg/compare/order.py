"""Two versions of a network as one list of blocks: what is gone stands where it was."""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.graph import Graph, Node

Both = tuple[int | None, int | None]
"""A block's index in the first graph and in the second."""


def joined_order(before: Graph, after: Graph, pairs: Mapping[int, int]) -> list[Both]:
    """The blocks of the second graph in their order, and among them the removed ones of the first.

    A removed block follows the one it followed, unless the next one is closer: of the same use of a template.
    """
    back = {there: here for here, there in pairs.items()}
    ahead: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    anchor = -1
    run: list[int] = []
    for index in range(len(before.nodes) + 1):
        if index < len(before.nodes) and index not in pairs:
            run.append(index)
            continue
        split = _split(before, run, anchor, index)
        behind.setdefault(pairs.get(anchor, -1), []).extend(run[:split])
        ahead.setdefault(pairs.get(index, len(after.nodes)), []).extend(run[split:])
        anchor, run = index, []
    order: list[Both] = [(index, None) for index in behind.get(-1, ())]
    for there in range(len(after.nodes)):
        order += [(index, None) for index in ahead.get(there, ())]
        order.append((back.get(there), there))
        order += [(index, None) for index in behind.get(there, ())]
    return order + [(index, None) for index in ahead.get(len(after.nodes), ())]


def _split(graph: Graph, run: list[int], anchor: int, following: int) -> int:
    """How many removed blocks of a run stay with the block before it; the others go with the one after."""
    if following >= len(graph.nodes):
        return len(run)
    previous = graph.nodes[anchor] if anchor >= 0 else None
    for place, index in enumerate(run):
        node = graph.nodes[index]
        if _shared(node, graph.nodes[following]) > (_shared(node, previous) if previous else -1):
            return place
    return len(run)


def _shared(node: Node, other: Node) -> int:
    """How many uses of templates two blocks stand in together."""
    depth = 0
    for one, another in zip(node.scopes, other.scopes, strict=False):
        if one.path != another.path:
            break
        depth += 1
    return depth
