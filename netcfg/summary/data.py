"""A program's networks as data: layers, shapes, parameters, costs, memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from netcfg.graph import Graph, Node, Signal
from netcfg.passes.unread import left_out, unread_outputs
from netcfg.program import Program
from netcfg.shapes import to_json
from netcfg.summary.memory import memory_of
from netcfg.summary.receptive import Seen
from netcfg.summary.rows import Row, Wish, rows_of

CSV_COLUMNS = (
    "network", "index", "name", "type", "from", "shape", "parameters", "trainable", "macs", "memory",
    "receptive_field", "receptive_stride", "line",
)  # fmt: skip


def summary_data(program: Program, wish: Wish | None = None) -> dict[str, Any]:
    """The summary as data. Shapes have no batch axis; a symbolic size is its text; `macs` may be null, and `axes` are
    where nobody said what the sizes count.

    Bytes (`memory`, and the network's) are for `batch_size` samples in `precision`. With a depth there is also a
    `tree` of rows: blocks, and uses of templates and folders of names with the sums of all that is in them.
    """
    wish = wish or Wish()
    return {"networks": [_network(program, graph, wish) for graph in program.networks.values()]}


def _network(program: Program, graph: Graph, wish: Wish) -> dict[str, Any]:
    blocks = rows_of(graph, Wish(None, wish.batch_size, wish.precision, wish.sort))
    outputs = unread_outputs(program).get(graph.name, ())
    data = {
        "name": graph.name,
        "inputs": {name: to_json(signal.shape) for name, signal in graph.inputs.items()},
        "layers": [_layer(row) for row in blocks],
        "parameters": graph.parameters,
        "trainable": graph.trainable,
        "macs": graph.macs,
        "unread": list(outputs),
        "left_out": [node.path for node in left_out(graph, outputs)],
        "memory": {
            "batch_size": wish.batch_size,
            "precision": wish.precision,
            **asdict(memory_of(program, graph, wish.batch_size, wish.precision)),
        },
    }
    if wish.depth is not None:
        data["tree"] = [_branch(row) for row in rows_of(graph, wish)]
    return data


def _layer(row: Row) -> dict[str, Any]:
    node = row.last
    return {
        "index": node.position,
        "name": node.path,
        "type": node.type,
        "from": list(row.reads),
        "shape": _by_port(node, lambda signal: to_json(signal.shape)),
        "axes": _by_port(node, lambda signal: signal.axis_names),
        "kind": _by_port(node, lambda signal: signal.kind),
        "parameters": node.parameters,
        "trainable": node.trainable,
        "macs": node.macs,
        "line": node.span.line,
        "memory": row.memory,
        "receptive_field": _seen(row.seen),
    }


def _by_port(node: Node, of: Callable[[Signal], Any]) -> Any:
    """Something of what a block gives; by port, where it has several."""
    values = {port: of(signal) for port, signal in node.outputs.items()}
    return values[""] if list(values) == [""] else values


def _seen(seen: Seen | None) -> dict[str, int | float] | None:
    return seen and {
        "size": seen.size,
        "stride": number_of(seen.stride),
        "start": number_of(seen.start),
    }


def number_of(fraction: Fraction) -> int | float:
    """A whole number where it is one."""
    return fraction.numerator if fraction.denominator == 1 else float(fraction)


def _branch(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "template": row.template or None,
        "folder": row.is_folder,
        "turns": row.turns,
        "depth": row.depth,
        "open": row.is_open,
        "blocks": len(row.nodes),
        "parameters": row.parameters,
        "trainable": row.trainable,
        "macs": row.macs,
        "memory": row.memory,
        "receptive_field": _seen(row.seen),
    }


def summary_rows(program: Program, wish: Wish | None = None) -> list[tuple[str, ...]]:
    """The blocks of all networks as rows of texts, after a row of `CSV_COLUMNS`."""
    rows: list[tuple[str, ...]] = [CSV_COLUMNS]
    for network in summary_data(program, wish)["networks"]:
        rows += [_csv_row(network["name"], layer) for layer in network["layers"]]
    return rows


def _csv_row(network: str, layer: dict[str, Any]) -> tuple[str, ...]:
    shape = layer["shape"]
    shapes = [f"{port}={_sizes(sizes)}" for port, sizes in shape.items()] if isinstance(shape, dict) else []
    seen = layer["receptive_field"] or {"size": None, "stride": None}
    cells = [
        network,
        layer["index"],
        layer["name"],
        layer["type"],
        " ".join(layer["from"]),
        " ".join(shapes) or _sizes(shape),
        *(layer[key] for key in ("parameters", "trainable", "macs", "memory")),
        seen["size"],
        seen["stride"],
        layer["line"],
    ]
    return tuple("" if cell is None else str(cell) for cell in cells)


def _sizes(shape: list[int | str]) -> str:
    return "x".join(map(str, shape))
