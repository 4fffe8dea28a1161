"""Which changes of blocks are one change of what somebody wrote: of a template, of a line that stands for several."""

from __future__ import annotations

from collections.abc import Hashable

from netcfg.compare.networks import BlockChange, NetworkChange
from netcfg.graph import Graph, Node


def written_together(change: NetworkChange) -> list[list[BlockChange]]:
    """The blocks that are written differently; together those of a template, or a line, that changed alike.

    So are those that are new or gone in a template; all others of these are by themselves. In the order of each
    group's first.
    """
    groups: dict[Hashable, list[BlockChange]] = {}
    units = Units(change)
    for place, block in enumerate(change.blocks):
        if block.status != "follows":
            groups.setdefault(_key(change, block, units) or place, []).append(block)
    return list(groups.values())


def _key(change: NetworkChange, block: BlockChange, units: Units) -> Hashable:
    """Equal for blocks of one type in one template, or of one line, that changed alike; None for one by itself."""
    node = change.node(block)
    if block.status == "changed":
        return (template_of(node) or node.span, node.type, block.changes)
    is_in_template = template_of(node) and not units.of(block)[1]
    return (block.status, node.span, node.type) if is_in_template else None


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


class Units:
    """The uses of templates (and repeats) all blocks of which are new, or all gone."""

    def __init__(self, change: NetworkChange) -> None:
        self.change = change
        alone = {"removed": set(range(self._size(change.before))) - set(change.pairs)}
        alone["added"] = set(range(self._size(change.after))) - set(change.pairs.values())
        self.mixed = {
            status: {
                scope.path
                for index, node in enumerate(graph.nodes if graph else ())
                if index not in alone[status]
                for scope in node.scopes
            }
            for status, graph in (("removed", change.before), ("added", change.after))
        }

    @staticmethod
    def _size(graph: Graph | None) -> int:
        return len(graph.nodes) if graph else 0

    def of(self, block: BlockChange) -> tuple[str, str]:
        """A block's status, and the path of the outermost such use around it."""
        if block.status not in self.mixed:
            return block.status, ""
        scopes = self.change.node(block).scopes
        paths = (scope.path for scope in scopes if scope.path not in self.mixed[block.status])
        return block.status, next(paths, "")
