"""The summary as tables, one per network."""

from __future__ import annotations

from collections.abc import Iterator

from netcfg.graph import Graph
from netcfg.passes.unread import left_out, parts_of, unread_outputs
from netcfg.program import Program
from netcfg.shapes import show
from netcfg.summary.data import number_of
from netcfg.summary.layout import aligned, human, human_bytes
from netcfg.summary.memory import memory_of
from netcfg.summary.receptive import Seen
from netcfg.summary.rows import Row, Wish, rows_of

HEAD = ("", "name", "type", "from", "shape", "parameters", "MACs", "memory", "sees")
_RIGHT = frozenset({"", "parameters", "MACs", "memory"})
_SPARED = ("sees", "memory", "from", "MACs", "parameters", "", "type")
"""What is left out of a narrow table, the first first."""


def summary_text(program: Program, wish: Wish | None = None, width: int | None = None) -> str:
    """All tables. `memory` is that of a block's signals, `sees` its receptive field and the step of it.

    Of a table wider than `width` columns are left out, and named below it.
    """
    return "\n\n".join(_table(program, graph, wish or Wish(), width) for graph in program.networks.values())


def _table(program: Program, graph: Graph, wish: Wish, width: int | None) -> str:
    inputs = ", ".join(f"{name} {show(signal.shape)}" for name, signal in graph.inputs.items())
    macs = "unknown (sizes are symbolic)" if graph.macs is None else human(graph.macs)
    frozen = graph.parameters - graph.trainable
    counts = f"{graph.parameters:,} parameters ({graph.trainable:,} trainable, {frozen:,} frozen)"
    return "\n".join(
        [
            f"{graph.name}: {inputs or 'no input'}",
            *_fitting([HEAD, *_rows(graph, wish)], width),
            f"{counts}, {macs} MACs per sample",
            *_left_out(program, graph),
            *_memory(program, graph, wish),
        ]
    )


def _fitting(rows: list[tuple[str, ...]], width: int | None) -> list[str]:
    """The lines of a table, with as many columns as there is room for."""
    lines = _lines(rows)
    spared: list[str] = []
    while width is not None and len(lines[1]) > width and len(spared) < len(_SPARED):
        place = rows[0].index(_SPARED[len(spared)])
        rows = [row[:place] + row[place + 1 :] for row in rows]
        lines = _lines(rows)
        spared.append(_SPARED[len(spared)] or "position")
    return [*lines, f"left out, for want of room: {', '.join(spared)}"] if spared else lines


def _lines(rows: list[tuple[str, ...]]) -> list[str]:
    return aligned(rows, right=[place for place, name in enumerate(rows[0]) if name in _RIGHT])


def _rows(graph: Graph, wish: Wish) -> Iterator[tuple[str, ...]]:
    last = None
    before = next(iter(graph.inputs), "")
    for row in rows_of(graph, wish):
        is_next = row.reads == (before,) and wish.sort is None
        yield (
            str(row.position) if row.position != last or wish.sort else "",
            "  " * row.depth + row.name,
            _kind(row),
            "" if is_next or row.is_open else ", ".join(row.reads),
            " ".join(show(signal.shape) for signal in row.last.outputs.values()),
            f"{row.parameters:,}" if row.parameters else "",
            "" if row.macs == 0 else "?" if row.macs is None else human(row.macs),
            human_bytes(row.memory),
            _seen(row.seen),
        )
        last = row.position
        before = row.last.path


def _kind(row: Row) -> str:
    if row.is_folder:
        return f"folder, {len(row.nodes)} block{'s' * (len(row.nodes) > 1)}"
    if not row.template:
        return f"{row.last.type} {row.last.label}".strip()
    turns = f" ×{row.turns}" if row.turns > 1 else ""
    return f"[{row.template}]{turns}, {len(row.nodes)} block{'s' * (len(row.nodes) > 1)}"


def _seen(seen: Seen | None) -> str:
    return f"{seen.size}×{seen.size} /{number_of(seen.stride):g}" if seen else ""


def _left_out(program: Program, graph: Graph) -> Iterator[str]:
    """What the program does not compute, since nothing reads it."""
    outputs = unread_outputs(program).get(graph.name, ())
    nodes = left_out(graph, outputs)
    macs = [node.macs for node in nodes]
    cost = "" if None in macs else f", {human(sum(filter(None, macs)))} MACs less"
    if outputs:
        read = f"nothing in the program reads {', '.join(f'`{name}`' for name in outputs)}"
        yield f"{read}: it does not compute {', '.join(parts_of(nodes, graph))}{cost}" if nodes else read
    elif nodes:
        yield f"not computed, as no output needs it: {', '.join(parts_of(nodes, graph))}{cost}"


def _memory(program: Program, graph: Graph, wish: Wish) -> Iterator[str]:
    """What a forward pass and a training step take."""
    memory = memory_of(program, graph, wish.batch_size, wish.precision)
    batch = f"a batch of {wish.batch_size} in {wish.precision}"
    again = f", which makes at most {human_bytes(memory.again)} again" if memory.again != 0 else ""
    yield (
        f"{human_bytes(memory.peak)} of signals at most in a forward pass, "
        f"{human_bytes(memory.kept)} kept for a backward pass{again} ({batch})"
    )
    fixed = [
        ("parameters", memory.parameters),
        ("gradients", memory.gradients),
        ("optimizer", memory.optimizer),
    ]
    yield ", ".join(f"{human_bytes(number)} of {what}" for what, number in fixed if number)
