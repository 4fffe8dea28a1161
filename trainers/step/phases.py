"""The phases of a program at work: one optimizer each, one plan for all."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import torch
from torch import nn

from netcfg.builder.chance import Chance
from netcfg.passes.coming import never_runs
from netcfg.passes.plan import plan
from netcfg.program import Average, Phase, Program
from netcfg.results import Figure
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.machine.distributed import ALONE, Team, wrap_networks
from netcfg.trainers.step.following import Following
from netcfg.trainers.step.groups import parameter_groups
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.step import Losses, Precision, Step
from netcfg.trainers.step.stepper import Stepper


class Phases:
    """Steps all phases of a program, in every process of a team alike."""

    def __init__(
        self,
        program: Program,
        networks: nn.ModuleDict,
        device: torch.device,
        *,
        team: Team = ALONE,
    ) -> None:
        self.program = program
        precision = Precision(program.training.precision, device)
        self.chance = Chance(program.training.seed, team.rank)
        self.model = Model(program, networks, self.chance)
        self.numbers = self.model.numbers
        self.losses = Losses(program, networks, precision, self.numbers)
        self.steppers = {
            phase.name: Stepper(
                phase.optimizer,
                parameter_groups(program, phase, networks, self.losses.learned),
                device,
                program.training.precision,
                self.numbers.at,
            )
            for phase in program.phases
            if phase.again is None
        }
        # A phase that runs again is the same optimizer: one momentum, and one learning rate, for both.
        repeated = {one.name: self.steppers[one.again] for one in program.phases if one.again is not None}
        self.following = Following(program, networks, self.numbers)
        planned = plan(program)
        self.step = Step(
            planned,
            self.model,
            self.losses,
            self.steppers | repeated,
            precision,
            training_calls=wrap_networks(program, networks, planned, team),
            following=self.following,
            team=team,
        )

    def set_rates(self, epochs_finished: int, batch: int, batches_per_epoch: int) -> None:
        """Give every network its learning rate on a batch of an epoch, and set all else that changes."""
        self.numbers.set_batch(epochs_finished, batch, batches_per_epoch)
        self.step.place = epochs_finished + 1, epochs_finished * batches_per_epoch + batch
        for stepper in self.steppers.values():
            stepper.set_rates(epochs_finished, batch, batches_per_epoch, self.program.training.max_epochs)

    def rates(self) -> dict[str, float]:
        """The learning rate of each network."""
        return {name: rate for one in self.steppers.values() for name, rate in one.rates().items()}

    def rates_at(
        self, epochs_finished: int, batch: int, batches_per_epoch: int, max_epochs: int
    ) -> dict[str, float]:
        """The learning rate that each network would have on a batch, were there so many epochs in all."""
        place = epochs_finished, batch, batches_per_epoch, max_epochs
        steppers = self.steppers.values()
        return {name: rate for one in steppers for name, rate in one.rates_at(*place).items()}

    def forget_best(self) -> None:
        """Let schedules that watch the monitored figure begin anew; what they have reduced stays so."""
        for stepper in self.steppers.values():
            if stepper.plateau is not None:
                stepper.plateau.forget()

    def flush(self) -> None:
        """Apply what an accumulation has left at the end of an epoch, and let those follow that stand below."""
        # In file order, as in a batch: an average takes in the weights of the phases above it.
        for step in self.program.steps:
            if isinstance(step, Average):
                self.following.catch_up(step.name)
            elif step.again is None and self.steppers[step.name].flush():
                self.following.updated(step.name)

    def end_epoch(self, figure: Figure, higher_is_better: bool) -> None:
        """Let schedules that watch the monitored figure see it; an undefined one is no better."""
        for stepper in self.steppers.values():
            stepper.end_epoch(nan if figure is None else figure, higher_is_better)

    def kept_numbers(self) -> int:
        """How many numbers the optimizers remember, and the averages, where there are some."""
        averaged = int(self.program.training.ema is not None)
        return sum(
            self._trained(phase) * (phase.optimizer.state_size() + averaged)
            for phase in self.program.phases
            if phase.again is None
        )

    def _trained(self, phase: Phase) -> int:
        networks = sum(self.program.networks[name].trainable for name in phase.optimizer.networks)
        return networks + sum(self.program.learned_by(phase).values())

    def state_dict(self) -> dict[str, Any]:
        """What the next updates depend on besides the weights."""
        steppers = {name: stepper.state_dict() for name, stepper in self.steppers.items()}
        return steppers | self.following.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        for name, stepper in self.steppers.items():
            if name not in state:
                message = f"the checkpoint knows no optimizer `{name}`"
                raise ProgramError([Finding("NC406", message, help="resume with the run's own file")])
            stepper.load_state_dict(state[name])
        self.following.load_state_dict(state)

    def check_length(self, batches: int) -> None:
        """Refuse (NC411) a run so short that a phase would never come about: its epochs, or how many there are."""
        for step in self.program.steps:
            finding = never_runs(step, self.program.training, batches)
            if finding is not None:
                raise ProgramError([finding])


def check_trainable(program: Program) -> None:
    """Refuse (NC403) a program that lacks a part of training."""
    if program.data is None:
        raise _lacks(program, "data", "add a group {Data} with a source")
    if not program.phases:
        raise _lacks(program, "optimizer", "add a group {Optimizer} with an [adam]")
    if program.model is None:
        raise _lacks(program, "wiring of its networks", "add a group {Model}")


def _lacks(program: Program, what: str, help: str) -> NetcfgError:
    return ProgramError([Finding("NC403", f"{program.name} has no {what}", help=help)])


def set_training(program: Program, networks: nn.ModuleDict, training: bool) -> None:
    """Switch the networks to training or evaluation; those of `mode = eval` are always in evaluation."""
    networks.train(training)
    for name, network in networks.items():
        if program.networks[name].options.mode == "eval":
            network.eval()
