"""Which changes of blocks are one change of what somebody wrote: of a template, of a line that stands for several."""

from __future__ import annotations

from collections.abc import Hashable

from netcfg.compare.networks import BlockChange, NetworkChange
from netcfg.graph import Node


def written_together(change: NetworkChange) -> list[list[BlockChange]]:
    """The blocks that are written differently; together those of a template, or a line, that changed alike.

    New and removed blocks are each by themselves. In the order of each group's first.
    """
    groups: dict[Hashable, list[BlockChange]] = {}
    for place, block in enumerate(change.blocks):
        if block.status != "follows":
            groups.setdefault(_key(change, block) if block.status == "changed" else place, []).append(block)
    return list(groups.values())


def _key(change: NetworkChange, block: BlockChange) -> Hashable:
    """Equal for blocks of one type in one template, or of one line, that changed alike."""
    node = change.node(block)
    return (template_of(node) or node.span, node.type, block.changes)


def template_of(node: Node) -> str:
    """The innermost template that a block is written in; the repeat of a plain block is none."""
    templates = [scope.template for scope in node.scopes if scope.template != node.type]
    return templates[-1] if templates else ""


def place_of(node: Node) -> str:
    """A block's path without the numbers of turns: the same in each of them."""
    steps, outer = [], ""
    for scope in node.scopes:
        path = scope.path if scope.count is None else scope.path.rpartition(".")[0]
        steps.append(path[len(outer) :])
        outer = scope.path
    return "".join(steps) + node.path[len(outer) :]
