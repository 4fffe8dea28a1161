"""What picks the best epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netcfg.program import Program
from netcfg.source import Finding, ProgramError, did_you_mean
from netcfg.trainers.step.step import total_name


@dataclass(frozen=True)
class Monitor:
    """What picks the best epoch: a metric's main figure, or (`metric` None) a loss: less is better."""

    name: str
    metric: str | None
    higher_is_better: bool
    total: str
    """The sum that takes its place where nothing was evaluated."""

    def figure(self, evaluation: dict[str, Any], train_losses: dict[str, float]) -> tuple[float, bool]:
        """Its value, and whether more is better; from the training losses where there was no validation."""
        if self.metric is not None and evaluation:
            return next(iter(evaluation["metrics"][self.metric].values())), self.higher_is_better
        losses = evaluation.get("losses", {})
        name = self.total if self.metric is not None else self.name
        return losses[name] if name in losses else train_losses[name], False


def monitor_of(program: Program) -> Monitor:
    """The monitor `[training]` names: by default the first metric, without any the last phase's sum."""
    total = total_name(program, program.phases[-1])
    name = program.training.monitor or next(iter(program.metrics), total)
    if name in program.metrics:
        return Monitor(name, name, program.metrics[name].higher_is_better, total)
    totals = [total_name(program, phase) for phase in program.phases]
    if name in totals or name in program.losses:
        return Monitor(name, None, False, total)
    help = did_you_mean(name, [*program.metrics, *program.losses, *totals])
    message = f"`monitor` names `{name}`, which is no metric or loss"
    raise ProgramError([Finding("NC401", message, help=help)])
