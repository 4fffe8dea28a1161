"""A difference as data (`netcfg diff --format json`).

One object; keys may be added to what stands here, and `version` grows where one changes its meaning.

    format, version      "netcfg-diff", 1
    equal                whether nothing differs
    before, after        file, preset
    networks             all of them: before and after (their names, null where new or gone), status ("equal", "added",
                         "removed" or "changed"), options (changes of [net]), blocks, outputs (changes by output),
                         renamed_parameters ({before, after} prefixes of names of parameters), and parameters, trainable
                         and macs, each {before, after}
    model                blocks that {Model} connects otherwise, or null
    training             sections outside of networks: group, status, name, type, changes
    variables            changes of their values

A block has a status ("added", "removed", "changed" or, if only its shape or cost is another, "follows"); before and
after (name, type, file and line, shape, parameters, trainable, macs; or null), changes (options, `name`, `type`,
`from`, `freeze`, `weights`) and effects (`shape`, `parameters`, `trainable`, `macs`). A change is
{what, before, after}, with null for what is not there or not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netcfg.compare.change import Change
from netcfg.compare.networks import BlockChange, NetworkChange
from netcfg.compare.programs import Difference
from netcfg.compare.training import SectionChange
from netcfg.graph import Graph, Node
from netcfg.program import Program
from netcfg.shapes import to_json

FORMAT = "netcfg-diff"
VERSION = 1


def difference_data(difference: Difference) -> dict[str, Any]:
    """The whole value."""
    model = difference.model
    return {
        "format": FORMAT,
        "version": VERSION,
        "equal": not difference,
        "before": _side(difference.before),
        "after": _side(difference.after),
        "networks": [_network(change) for change in difference.networks],
        "model": [_block(model, block) for block in model.blocks] if model else None,
        "training": [_section(change) for change in difference.training],
        "variables": _changes(difference.variables),
    }


def _side(program: Program) -> dict[str, Any]:
    return {"file": program.name, "preset": program.preset}


def _network(change: NetworkChange) -> dict[str, Any]:
    before, after = change.before, change.after
    status = "added" if before is None else "removed" if after is None else "changed" if change else "equal"
    return {
        "before": before.name if before else None,
        "after": after.name if after else None,
        "status": status,
        "options": _changes(change.options),
        "blocks": [_block(change, block) for block in change.blocks],
        "outputs": _changes(change.outputs),
        "renamed_parameters": [{"before": one, "after": other} for one, other in change.renamed_parameters],
        **{total: _both(change, total) for total in ("parameters", "trainable", "macs")},
    }


def _both(change: NetworkChange, total: str) -> dict[str, int | None]:
    sides = {"before": change.before, "after": change.after}
    return {side: getattr(graph, total) if graph else None for side, graph in sides.items()}


def _changes(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [change._asdict() for change in changes]


def _block(network: NetworkChange, block: BlockChange) -> dict[str, Any]:
    return {
        "status": block.status,
        "before": _node(network.before, block.before),
        "after": _node(network.after, block.after),
        "changes": _changes(block.changes),
        "effects": _changes(block.effects),
    }


def _node(graph: Graph | None, index: int | None) -> dict[str, Any] | None:
    if graph is None or index is None:
        return None
    node: Node = graph.nodes[index]
    shapes: Any = {port: to_json(signal.shape) for port, signal in node.outputs.items()}
    return {
        "name": node.path,
        "type": node.type,
        "file": node.span.file.name,
        "line": node.span.line,
        "from": [graph.reference(signal) for signal in node.inputs],
        "shape": shapes[""] if list(shapes) == [""] else shapes,
        "parameters": node.parameters,
        "trainable": node.trainable,
        "macs": node.macs,
    }


def _section(change: SectionChange) -> dict[str, Any]:
    return {
        "group": change.group,
        "status": change.status,
        "name": change.name,
        "type": change.type,
        "changes": _changes(change.changes),
    }
