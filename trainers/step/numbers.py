"""The numbers that change while a program trains: what each is now, for those who read it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from netcfg.blocks.changing import weight_now
from netcfg.blocks.optimizers.schedules import Moment
from netcfg.builder.changing import ScheduledNumber
from netcfg.program import Phase, Program


class Numbers:
    """The schedules of a program. Until training sets a moment, they are at their ends, as after it.

    What they are is a function of the moment alone, so that nothing of it is kept for a resume.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.schedules = program.schedules
        self.now = self.at(Moment(program.training.max_epochs, program.training.max_epochs))
        self.of_phase = {phase.name: self.weights(phase, self.now) for phase in program.phases}
        """The factors of each phase's losses: of its own moment, which is that of an update."""
        self.of_phase_at_end = dict(self.of_phase)
        """Those of the end, by which sums on data that train nothing are made: else no epoch compares with another."""
        self._given: list[ScheduledNumber] = []

    def at(self, moment: Moment) -> dict[str, float]:
        """Each by its name at a moment."""
        return {name: schedule.at(moment) for name, schedule in self.schedules.items()}

    def set_batch(self, finished: int, batch: int, batches: int) -> None:
        """Let all who read them see those of a batch (from 0) of the epoch after `finished` ones."""
        if not self.schedules:
            return
        epochs = self.program.training.max_epochs
        self.now = self.at(Moment(finished, epochs, batch, batches))
        for phase in self.program.phases:
            moment = phase.optimizer.moment(finished, epochs, batch, batches)
            self.of_phase[phase.name] = self.weights(phase, self.at(moment))
        self._fill()

    def give(self, module: nn.Module) -> None:
        """Let a module's numbers follow from now on."""
        if self.schedules:
            self._given += [part for part in module.modules() if isinstance(part, ScheduledNumber)]
            self._fill()

    def weights(self, phase: Phase, numbers: Mapping[str, float]) -> dict[str, float]:
        """The factors of a phase's losses where schedules are at these numbers."""
        return {name: weight_now(weight, numbers) for name, weight in phase.weights.items()}

    def _fill(self) -> None:
        for one in self._given:
            one.value.fill_(self.now[one.name])


__all__ = ["Numbers"]
