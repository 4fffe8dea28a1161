"""Which computes of a phase become one: a network used on several batches of which no sample depends on another.

A critic that judges real and made samples is one pass over both: the same numbers, larger products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph

if TYPE_CHECKING:
    from netcfg.passes.plan import Compute


def together(computes: Sequence[Compute], model: Graph) -> tuple[tuple[Compute, ...], ...]:
    """The computes in order, those of one pass together; a group stands where its last member stood.

    Together are uses of one network with history for the same phase, on inputs of equal shapes, where nothing
    reads one before the other can be computed.
    """
    groups: dict[int, list[Compute]] = {}
    group_of: dict[tuple[object, ...], int] = {}
    for position, compute in enumerate(computes):
        key = _key(compute, model)
        first = group_of.get(key, position) if key is not None else position
        # A member that reads (through others) what the group gives cannot be computed together with it: start a new
        # group.
        if _is_read(groups.get(first, []), computes[first : position + 1]):
            first = position
        if key is not None:
            group_of[key] = first
        groups.setdefault(first, []).append(compute)
    last = {first: group[-1].node for first, group in groups.items()}
    return tuple(tuple(groups[first]) for first in sorted(groups, key=last.__getitem__))


def _key(compute: Compute, model: Graph) -> tuple[object, ...] | None:
    """What is equal of computes in one pass; None for one that has to stay by itself."""
    node = model.nodes[compute.node]
    if not isinstance(node.block, NetworkUse) or not _is_by_sample(node.block.network):
        return None
    # Uses with another history cannot share a pass: one of them would keep, or lack, what the other needs.
    return (node.block.network.name, compute.history, *(signal.shape for signal in node.inputs))


def _is_by_sample(network: Graph) -> bool:
    return not any(node.block.depends_on_batch() for node in network.nodes)


def _is_read(group: Sequence[Compute], computes: Sequence[Compute]) -> bool:
    members = {compute.node for compute in group}
    return any(read.signal.producer in members for compute in computes for read in compute.reads)
