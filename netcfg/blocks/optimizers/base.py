"""What an optimizer is: one phase of the training step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.optimizers import schedules

if TYPE_CHECKING:
    import torch

DEFAULT_LEARNING_RATE = 1e-3


class Optimizer(Section):
    """One phase of the training step: which networks step, on which sum of losses, when and how."""

    group: ClassVar[Group] = "optimizer"
    family: ClassVar[str] = "optimizer"

    networks: tuple[str, ...] = Option(description="the networks whose parameters it steps")
    minimise: str = Option(
        description="a sum of losses, each with a number before it where wanted: `a + 10 * b`"
    )
    every: PositiveInt = Option(1, description="run on every n-th batch of an epoch: on batch n, 2n, …")
    accumulate: PositiveInt = Option(
        1, description="for one update, take the mean gradient of so many batches it runs on"
    )
    clip_grad_norm: Annotated[float, Option(gt=0)] | None = Option(
        None, description="scale the phase's gradients down to this norm where theirs is larger"
    )
    learning_rate: Annotated[float, Option(gt=0)] | None = Option(
        None, description="the step size; None: the networks' own, or 1e-3"
    )
    weight_decay: Annotated[float, Option(ge=0)] = Option(
        0.0, description="added to the gradient, per unit of weight"
    )
    schedule: schedules.Schedule = Option("constant", description="how learning rates change by epoch")
    decay_over_last_epochs: PositiveInt | None = Option(
        None, description="`linear`: over how many epochs it falls to zero; None: all of them"
    )
    step_epochs: PositiveInt | None = Option(None, description="`step`: after how many epochs, each time")
    milestones: tuple[PositiveInt, ...] | None = Option(
        None, description="`multistep`: after which numbers of epochs"
    )
    gamma: Annotated[float, Option(gt=0, le=1)] | None = Option(
        None,
        description="`step`, `multistep`: the factor each time, None: 0.1; `exponential`: after each epoch",
    )
    final_factor: Annotated[float, Option(ge=0, le=1)] = Option(
        0.0, description="`cosine`: the factor it would reach after the last epoch"
    )
    plateau_patience: Annotated[int, Option(ge=0)] = Option(
        10, description="`plateau`: for how many epochs the monitored figure may fail to improve"
    )
    plateau_factor: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.1, description="`plateau`: the factor each time"
    )
    plateau_threshold: Annotated[float, Option(ge=0)] = Option(
        1e-4, description="`plateau`: by what part of the best figure a better one must beat it"
    )
    warm_up_epochs: PositiveInt | None = Option(
        None, description="rise from (nearly) zero, batch by batch, over so many epochs"
    )
    warm_up_batches: PositiveInt | None = Option(None, description="the same over so many batches")

    def conflict(self) -> str | None:
        """Options of a schedule belong to that schedule; a schedule needs its own."""
        given = [key for key in schedules.USED_BY if self._has(key)]
        for key in given:
            if self.schedule not in schedules.USED_BY[key]:
                owners = " or ".join(f"`schedule = {owner}`" for owner in schedules.USED_BY[key])
                return f"has `{key}`, which belongs to {owners}, and its schedule is `{self.schedule}`"
        needed = schedules.NEEDS.get(self.schedule)
        if needed is not None and needed not in given:
            return f"has `schedule = {self.schedule}`, which needs `{needed}`"
        if self.warm_up_epochs and self.warm_up_batches:
            return "takes one of `warm_up_epochs` and `warm_up_batches`, and has both"
        return None

    def _has(self, key: str) -> bool:
        """Whether an option is written, and not as `None`."""
        return key in self.model_fields_set and getattr(self, key) is not None

    def runs_on(self, batch: int) -> bool:
        """Whether the phase runs on this batch of an epoch, counted from 0."""
        return (batch + 1) % self.every == 0

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """The optimizer over parameter groups.

        A group has `params`, `network`, and of its network's `lr` and `betas` what [net] states; the other
        options of a group are those of torch.
        """
        raise NotImplementedError

    def state_size(self) -> int:
        """How many numbers it remembers for each parameter."""
        return 0

    def group_options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """What a group needs besides its parameters: an option written here wins over the network's."""
        return {"lr": self.learning_rate or group.get("lr", DEFAULT_LEARNING_RATE)}

    def parameter_groups(self, groups: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The groups as torch takes them; what belongs to another kind of optimizer is left out."""
        return [
            {"params": list(group["params"])}
            | ({"network": group["network"]} if "network" in group else {})
            | self.group_options(group)
            for group in groups
        ]

    def rate_factor(
        self, finished: int, max_epochs: int, batch: int = 0, batches_per_epoch: int = 1
    ) -> float:
        """By what the learning rates are multiplied on a batch (from 0) of the epoch after `finished` ones.

        Pure: what depends on how training goes (`plateau`) is a factor of its own, kept by `plateau()`.
        """
        return self._schedule_factor(finished, max_epochs) * self._warm_up_factor(
            finished * batches_per_epoch + batch, batches_per_epoch
        )

    def _schedule_factor(self, finished: int, max_epochs: int) -> float:
        gamma = 0.1 if self.gamma is None else self.gamma
        match self.schedule:
            case "linear":
                return schedules.linear(finished, max_epochs, self.decay_over_last_epochs or max_epochs)
            case "step":
                return schedules.step(finished, self.step_epochs or 1, gamma)
            case "multistep":
                return schedules.multistep(finished, self.milestones or (), gamma)
            case "exponential":
                return schedules.exponential(finished, gamma)
            case "cosine":
                return schedules.cosine(finished, max_epochs, self.final_factor)
            case _:
                return 1.0

    def _warm_up_factor(self, done: int, batches_per_epoch: int) -> float:
        length = self.warm_up_batches or (self.warm_up_epochs or 0) * batches_per_epoch
        return schedules.warm_up(done, length) if length else 1.0

    def plateau(self) -> schedules.Plateau | None:
        """What watches the monitored figure, under `schedule = plateau`."""
        if self.schedule != "plateau":
            return None
        return schedules.Plateau(self.plateau_patience, self.plateau_factor, self.plateau_threshold)


Momentum = Annotated[float, Option(ge=0, lt=1)]
Groups = Iterable[Mapping[str, Any]]
