"""Which blocks of a model share a card in a training diagram, and in which column each card stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcfg.graph import Graph
from netcfg.passes.plan import network_of
from netcfg.plan_text import use_of

if TYPE_CHECKING:
    from netcfg.draw.training.model import Card, Flow


def grouped(model: Graph, nodes: Sequence[int]) -> list[list[int]]:
    """The blocks by card: uses of one network together, and the blocks of one use of a template, as far as none of them
    needs what another card makes of them.
    """
    groups: list[list[int]] = []
    group_of: dict[int, int] = {}
    for index in nodes:
        if model.nodes[index].is_input:
            continue
        network, use = network_of(model, index), use_of(model, index)
        for place, group in enumerate(groups):
            same = network is not None and network_of(model, group[0]) == network
            if use is not None and use_of(model, group[0]) == use:
                if not _needs(model, [*group, index], groups, group_of, reads_itself=True):
                    group.append(index)
                    group_of[index] = place
                    break
                continue
            if same and not _needs(model, [*group, index], groups, group_of, reads_itself=False):
                group.append(index)
                group_of[index] = place
                break
        else:
            group_of[index] = len(groups)
            groups.append([index])
    return groups


def _needs(
    model: Graph, group: list[int], groups: list[list[int]], group_of: dict[int, int], reads_itself: bool
) -> bool:
    """Whether a card with these uses would need something that it makes itself.

    `reads_itself`: blocks of the card may read each other, and only what another card lies between counts.
    """
    waiting = [signal.producer for index in group for signal in model.nodes[index].inputs]
    if reads_itself:
        waiting = [index for index in waiting if index not in group]
    seen: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index in group:
            return True
        if index not in seen:
            seen.add(index)
            together = groups[group_of[index]] if index in group_of else [index]
            waiting += [signal.producer for member in together for signal in model.nodes[member].inputs]
    return False


def set_columns(cards: Sequence[Card], flows: Sequence[Flow]) -> None:
    """Data in the first column, losses and phases in the last two, losses that read losses between; blocks as far
    right as their readers allow.
    """
    before_losses = {index: 0 for index, card in enumerate(cards) if card.kind in ("network", "block")}
    changed = True
    while changed:
        changed = False
        for flow in flows:
            if flow.source in before_losses and flow.target in before_losses:
                needed = before_losses[flow.target] + 1
                if before_losses[flow.source] < needed:
                    before_losses[flow.source] = needed
                    changed = True
    deepest = max(before_losses.values(), default=-1) + 1
    losses = {index for index, card in enumerate(cards) if card.kind == "loss"}
    outer = {flow.target for flow in flows if flow.source in losses and flow.target in losses}
    for index, card in enumerate(cards):
        match card.kind:
            case "data":
                card.column = 0
            case "loss":
                card.column = deepest + 1 + (index in outer)
            case "phase":
                card.column = deepest + 2 + bool(outer)
            case _:
                card.column = deepest - before_losses[index]
