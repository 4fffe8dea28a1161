"""What a run that goes on may change: all that leaves its networks, and what their optimizers remember, meaningful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netcfg.blocks.general.training import AUTO
from netcfg.graph import Graph
from netcfg.program import Program
from netcfg.source import Finding, ProgramError
from netcfg.trainers.runs.extension_copies import names_of_copies
from netcfg.trainers.runs.run_folder import RunFolder, shortened

_OF_TRAINING = {"learning_rate", "beta1", "beta2", "mode"}
"""What a [net] says of its training alone."""


@dataclass(frozen=True)
class Change:
    """What was changed while a run trained: from which epoch and batch on, from 1, the first that it concerns.

    `lines` say of settings of the file what they have become, `also` what other options changed, and what followed.
    """

    epoch: int
    batch: int
    lines: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In a sentence, with the first few lines."""
        file = [shortened(self.lines)] if self.lines else []
        return f"changed from {self._place} on: {'; '.join([*file, *self.also])}"

    @property
    def told(self) -> str:
        """A line for each setting, below one that says from where on."""
        return "\n  ".join([f"changed from {self._place} on:", *self.lines, *self.also])

    @property
    def _place(self) -> str:
        return f"epoch {self.epoch}" + (f", batch {self.batch}," if self.batch > 1 else "")

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "lines": list(self.lines), "also": list(self.also)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Change:
        """Of what `to_json` gave, or an earlier version. Raises errors of look-ups and types where it is neither."""
        lines, also = (tuple(str(line) for line in value.get(key, ())) for key in ("lines", "also"))
        return cls(int(value["epoch"]), int(value.get("batch", 1)), lines, also)


def changes_of(run: RunFolder) -> list[Change]:
    """What was changed while a run trained, as its `run.json` says. Raises `ProgramError` for a damaged one."""
    try:
        return [Change.from_json(one) for one in run.read_json("run.json").get("changes", [])]
    except (LookupError, TypeError, ValueError, AttributeError):
        message = f"{run}/run.json is damaged: its `changes` are none"
        help = f"`netcfg eval {run}/resolved.cfg --weights {run}/checkpoints/best.safetensors` judges its weights"
        raise run.damaged(message, help) from None


def record(run: RunFolder, program: Program, change: Change) -> None:
    """Make a change the run's own."""
    earlier = [one for one in changes_of(run) if one != change]  # a run that was killed in here says it again
    started = run.read_json("run.json")
    run.write_json("run.json", {**started, "changes": [one.to_json() for one in [*earlier, change]]})
    run.write("resolved.cfg", program.resolved_with(names_of_copies(run.path)))


# --- what may change


def changed_lines(run: RunFolder, own: Program, asked: Program) -> list[str]:
    """What of a run's program would be other, a line for each setting.

    Raises `ProgramError` (NC406) with them where it would be other networks, be trained by other optimizers, or where
    what is behind it would belong to a seed or a precision that it no longer names.
    """
    lines = run.differences(asked)
    if not lines:
        return lines
    if _trained(own) != _trained(asked):
        message = f"{run} cannot go on with other networks, losses or optimizers: {shortened(lines)}"
        help = f"start a new run from its weights: `weights = {run}/checkpoints/best.safetensors` in [net]"
        raise ProgramError([Finding("NC406", message, help=help)])
    for key, reason in FIXED.items():
        if getattr(own.training, key) != getattr(asked.training, key):
            message = f"{run} cannot go on with another `{key}`, as {reason}: {shortened(lines)}"
            raise ProgramError([Finding("NC406", message, help="leave it as it was, or start a new run")])
    return lines


FIXED = {
    "seed": "the weights it began with and the order of the epochs behind it came from this one",
    "precision": "its figures, and with fp16 the scale of losses that its optimizers keep, are of this one",
}
"""The options of a training that no run changes, and why."""


def _trained(program: Program) -> Sequence[Any]:
    """What must stay: networks, their wiring, what each optimizer trains, and by which losses."""
    nodes = () if program.model is None else program.model.nodes
    wiring = [  # by names: data that nobody reads are no part of it
        (node.path, node.type, [(nodes[one.producer].path, one.port) for one in node.inputs])
        for node in nodes
        if not node.is_input
    ]
    phases = [
        (one.name, one.optimizer.type_name, one.optimizer.networks, list(one.weights))
        for one in program.phases
    ]
    followed = [(one.name, one.place, one.section.pairs) for one in program.averages]
    losses = [(name, loss.type_name, loss.reads, loss.evaluates) for name, loss in program.losses.items()]
    return [
        {name: list(_blocks(graph)) for name, graph in program.networks.items()},
        wiring,
        phases,
        followed,
        losses,
    ]


def _blocks(graph: Graph) -> Iterator[Any]:
    yield graph.options.model_dump(exclude=_OF_TRAINING)
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


# --- what a change does to what is behind a run


def begins_epoch_anew(own: Program, asked: Program) -> bool:
    """Whether the batches of an epoch are others than before, so that one under way starts from its beginning."""
    return _batches(own) != _batches(asked)


def _batches(program: Program) -> Sequence[Any]:
    training = program.training
    return [
        training.batch_size,
        training.batches_per_epoch,
        training.drop_last,
        training.shuffle,
        _data(program),
    ]


def _data(program: Program) -> Any:
    return program.data and (program.data.source, program.data.transforms)


def judges_anew(own: Program, asked: Program) -> bool:
    """Whether figures from now on cannot be compared with those before, so that the best epoch is chosen anew."""
    return _judged_by(own) != _judged_by(asked)


def _judged_by(program: Program) -> Sequence[Any]:
    """The data, and what is monitored: a metric, or losses."""
    training = program.training
    monitor = training.monitor
    named = next(iter(program.metrics), None) if monitor == AUTO else monitor
    by = program.metrics.get(named or "") or (
        program.losses,
        [(phase.name, phase.weights) for phase in program.phases],
        program.schedules,
    )
    return [_data(program), named, by, training.max_validation_batches]
