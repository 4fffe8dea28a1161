"""All that differs between two programs."""

from __future__ import annotations

from dataclasses import dataclass

from netcfg.blocks.network.model import NetworkUse
from netcfg.compare.change import Change
from netcfg.compare.networks import BlockChange, NetworkChange, compare_networks, match_networks
from netcfg.compare.training import SectionChange, compare_training, compare_values
from netcfg.graph import Graph
from netcfg.program import Program


@dataclass(frozen=True)
class Difference:
    """What changed from one program to another; false where nothing did.

    `networks` holds all, those that stayed the same too; `model` is how they are connected.
    """

    before: Program
    after: Program
    networks: tuple[NetworkChange, ...]
    model: NetworkChange | None
    training: tuple[SectionChange, ...]
    variables: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(any(self.networks) or self.model or self.training or self.variables)


def compare(before: Program, after: Program) -> Difference:
    """Compare two checked programs. Knows nothing of files: comments, order of groups and templates do not count."""
    matched = match_networks(before.networks, after.networks)
    names = {one.name: other.name for one, other in matched if one and other}
    return Difference(
        before,
        after,
        tuple(compare_networks(*both) for both in matched),
        _compare_models(before, after, names),
        compare_training(before, after),
        compare_values(before.variables, after.variables),
    )


def _compare_models(before: Program, after: Program, names: dict[str, str]) -> NetworkChange | None:
    """How the wiring of networks and data differs; what only follows from them is left out."""
    if before.model is None or after.model is None:
        return None
    change = compare_networks(before.model, after.model, names)
    blocks = [
        block
        for block in change.blocks
        if block.status != "follows"
        and not change.node(block).is_input
        and not _is_fed_the_same(block, before.model, after.model)
    ]
    return NetworkChange(before.model, after.model, change.pairs, (), tuple(blocks))


def _is_fed_the_same(block: BlockChange, before: Graph, after: Graph) -> bool:
    """Whether a network merely has an input more or less than it had, and all else is as it was."""
    if block.before is None or block.after is None or [change.what for change in block.changes] != ["from"]:
        return False
    here, there = _fed(before, block.before), _fed(after, block.after)
    return here.keys() != there.keys() and all(
        here[name] == there[name] for name in here.keys() & there.keys()
    )


def _fed(model: Graph, index: int) -> dict[str, str]:
    """What feeds each input of a network where it is used."""
    node = model.nodes[index]
    if not isinstance(node.block, NetworkUse):
        return {}
    return dict(zip(node.block.network.inputs, map(model.reference, node.inputs), strict=True))
