"""What picks the best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netcfg.blocks.general.training import AUTO
from netcfg.program import Program
from netcfg.results import Evaluation, Figure
from netcfg.source import Finding, ProgramError, did_you_mean
from netcfg.trainers.step.step import total_name


@dataclass(frozen=True)
class Monitor:
    """What picks the best epoch: a metric's main figure, or (`metric` None) a loss: less is better.

    `name` is None where nothing does, and the last weights are kept.
    """

    name: str | None
    metric: str | None
    higher_is_better: bool
    total: str
    """The sum that takes its place where nothing was evaluated."""
    in_evaluation: bool = True
    """Of a loss: whether a validation gives it a figure, unless nothing counts there."""

    def figure(self, evaluation: Evaluation, train_losses: Mapping[str, float]) -> tuple[Figure, bool]:
        """Its value, and whether more is better; from the training losses where there was no validation.

        None where a metric has no figure on the split, nothing counts in the loss, or nothing is monitored.
        """
        if self.name is None:
            return None, False
        if self.metric is not None and evaluation.tables:
            table = evaluation.tables.get(self.metric)  # a split may lack what it judges
            return None if table is None else table.main, self.higher_is_better
        name = self.total if self.metric is not None else self.name
        if self.in_evaluation and evaluation.losses:
            return evaluation.losses.get(name), False
        return evaluation.losses.get(name, train_losses.get(name)), False


def monitor_of(program: Program) -> Monitor:
    """The monitor `[training]` names: by default the first metric, without any the last phase's sum.

    Raises `ProgramError` (NC401) where nothing is called so.
    """
    total = total_name(program, [phase for phase in program.phases if phase.again is None][-1])
    asked = program.training.monitor
    if asked is None:
        _expect_no_plateau(program)
        return Monitor(None, None, False, total)
    is_auto = asked == AUTO and AUTO not in program.metrics
    name = next(iter(program.metrics), total) if is_auto else asked
    if name in program.metrics:
        return Monitor(name, name, program.metrics[name].higher_is_better, total, False)
    totals = [total_name(program, phase) for phase in program.phases]
    if name in totals or name in program.losses:
        made_of = [name] if name in program.losses else program.phases[totals.index(name)].losses
        return Monitor(name, None, False, total, all(one in program.judged_losses for one in made_of))
    help = did_you_mean(name, [*program.metrics, *program.losses, *totals])
    message = f"`monitor` names `{name}`, which is no metric or loss"
    raise ProgramError([Finding("NC401", message, help=help)])


def _expect_no_plateau(program: Program) -> None:
    """Refuse (NC401) a schedule that waits for a figure, where none is monitored."""
    watching = [phase.name for phase in program.phases if phase.optimizer.plateau() is not None]
    if watching:
        message = f"`{watching[0]}` has `schedule = plateau`, and with `monitor = None` nothing is watched"
        raise ProgramError([Finding("NC401", message, help="name a metric or a loss as `monitor`")])
