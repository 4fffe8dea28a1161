"""What a run that goes on may change: all that leaves its networks, and what their optimizers remember, meaningful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from netcfg.graph import Graph
from netcfg.program import Program
from netcfg.source import Finding, ProgramError
from netcfg.trainers.runs.run_folder import RunFolder


def changes(run: RunFolder, own: Program, asked: Program) -> list[str]:
    """The lines in which a run's program would change.

    Raises `ProgramError` (NC406) with them where it would be other networks, or be trained by other optimizers.
    """
    lines = run.differences(asked)
    if lines and _trained(own) != _trained(asked):
        message = f"{run} cannot go on with other networks, losses or optimizers: {'; '.join(lines)}"
        help = f"start a new run from its weights: `weights = {run}/checkpoints/best.safetensors` in [net]"
        raise ProgramError([Finding("NC406", message, help=help)])
    return lines


def _trained(program: Program) -> Sequence[Any]:
    """What must stay: networks, their wiring, what each optimizer trains, and by which losses."""
    model = () if program.model is None else program.model.nodes
    wiring = [(node.path, node.type, node.inputs, node.outputs) for node in model]
    phases = [
        (one.name, one.optimizer.type_name, one.optimizer.networks, list(one.weights))
        for one in program.phases
    ]
    losses = [(name, loss.type_name, loss.reads, loss.evaluates) for name, loss in program.losses.items()]
    return [{name: list(_blocks(graph)) for name, graph in program.networks.items()}, wiring, phases, losses]


def _blocks(graph: Graph) -> Iterator[Any]:
    for node in graph.nodes:
        yield (
            node.path,
            node.type,
            node.block.model_dump(),
            node.inputs,
            node.outputs,
            node.freeze,
            node.shared,
        )


def begins_epoch_anew(own: Program, asked: Program) -> bool:
    """Whether the batches of an epoch are others than before, so that one under way starts from its beginning."""
    return (
        own.training.batch_size != asked.training.batch_size
        or own.training.drop_last != asked.training.drop_last
        or own.training.shuffle != asked.training.shuffle
        or (own.data and (own.data.source, own.data.transforms))
        != (asked.data and (asked.data.source, asked.data.transforms))
    )


def record(run: RunFolder, program: Program, epoch: int, lines: Sequence[str]) -> str:
    """Make a change the run's own, from an epoch on; a sentence on it."""
    started = run.read_json("run.json")
    earlier = started.get("changes", [])
    run.write_json("run.json", {**started, "changes": [*earlier, {"epoch": epoch, "lines": list(lines)}]})
    run.write("resolved.cfg", program.resolved)
    return said({"epoch": epoch, "lines": lines})


def said(change: Mapping[str, Any]) -> str:
    """A recorded change in a sentence."""
    return f"changed from epoch {change['epoch']} on: {'; '.join(change['lines'])}"
