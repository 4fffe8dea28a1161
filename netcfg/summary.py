"""A program's networks as a table or as data: layers, shapes, parameters, costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from netcfg.graph import Graph, Node
from netcfg.program import Program
from netcfg.shapes import show, to_json


def summary_data(program: Program) -> dict[str, Any]:
    """The summary as data. Shapes have no batch axis; a symbolic size is its text; `macs` may be null."""
    return {"networks": [_network(graph) for graph in program.networks.values()]}


def _network(graph: Graph) -> dict[str, Any]:
    return {
        "name": graph.name,
        "inputs": {name: to_json(signal.shape) for name, signal in graph.inputs.items()},
        "layers": [_layer(graph, node) for node in graph.blocks],
        "parameters": graph.parameters,
        "trainable": graph.trainable,
        "macs": graph.macs,
    }


def _layer(graph: Graph, node: Node) -> dict[str, Any]:
    shapes: Any = {port: to_json(signal.shape) for port, signal in node.outputs.items()}
    return {
        "index": node.position,
        "name": node.path,
        "type": node.type,
        "from": [graph.reference(signal) for signal in node.inputs],
        "shape": shapes[""] if list(shapes) == [""] else shapes,
        "parameters": node.parameters,
        "trainable": node.trainable,
        "macs": node.macs,
        "line": node.span.line,
    }


def summary_text(program: Program) -> str:
    """The summary as tables, one per network."""
    return "\n\n".join(_table(graph) for graph in program.networks.values())


def _table(graph: Graph) -> str:
    inputs = ", ".join(f"{name} {show(signal.shape)}" for name, signal in graph.inputs.items())
    head = ("", "name", "type", "from", "shape", "parameters", "MACs")
    rows = [head, *_rows(graph)]
    macs = "unknown (sizes are symbolic)" if graph.macs is None else human(graph.macs)
    frozen = graph.parameters - graph.trainable
    counts = f"{graph.parameters:,} parameters ({graph.trainable:,} trainable, {frozen:,} frozen)"
    return "\n".join(
        [f"{graph.name}: {inputs}", *aligned(rows, right=(0, 5, 6)), f"{counts}, {macs} MACs per sample"]
    )


def _rows(graph: Graph) -> Iterable[tuple[str, ...]]:
    last = None
    for index, node in enumerate(graph.nodes):
        if node.is_input:
            continue
        sources = [graph.reference(signal) for signal in node.inputs]
        before = graph.nodes[index - 1].path if index else ""
        yield (
            str(node.position) if node.position != last else "",
            node.path,
            f"{node.type} {node.block.label()}".strip()
            + (f", shared with {node.shared}" if node.shared else ""),
            "" if sources == [before] else ", ".join(sources),
            " ".join(show(signal.shape) for signal in node.outputs.values()),
            f"{node.parameters:,}" if node.parameters else "",
            "" if node.macs == 0 else "?" if node.macs is None else human(node.macs),
        )
        last = node.position


def aligned(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines with columns two spaces apart, a rule under the first; `right` columns end together."""
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    lines.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    return [*lines, lines[1]]


def human(number: int) -> str:
    """A count in three digits: `15.5 G`."""
    value = float(number)
    for unit in ("", " k", " M", " G", " T"):
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} P"
