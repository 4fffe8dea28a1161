"""How learning rates change: factors of their start, as pure functions of where a run stands; a class each.

The rules are those of torch.optim.lr_scheduler. Nothing here is torch: a factor comes from the epochs finished, never
from the one before it, so that a resumed run, or one with more epochs added, takes the rates of a run that was never
stopped. Only `Plateau` remembers.
"""

from bisect import bisect_right
from functools import partial
from math import cos, inf, pi
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field as Option

from netcfg.blocks import registry
from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.values import Reader

Gamma = Annotated[float, Option(gt=0, le=1)]


class Schedule(Section):
    """How learning rates change by epoch: a class, called as `class Name(Schedule, schedule="name")`.

    Its options are written in the section of the optimizer that says `schedule = name`.
    """

    group: ClassVar[Group] = "optimizer"
    family: ClassVar[str] = "schedule"
    unavailable: ClassVar[frozenset[str]] = frozenset({"name"})

    def __init_subclass__(cls, schedule: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if schedule is not None:
            cls.type_name = schedule

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "schedule" in kwargs:
            registry.register(cls)

    def __str__(self) -> str:
        return self.type_name

    def factor(self, finished: int, max_epochs: int) -> float:
        """By what learning rates are multiplied after so many finished epochs; pure."""
        return 1.0

    def watcher(self) -> "Plateau | None":
        """What watches the monitored figure and has a factor of its own; None: nothing does."""
        return None


SCHEDULES = cast("dict[str, type[Schedule]]", registry.SCHEDULES)
"""All schedules by name, those of extensions among them."""


def owners(key: str) -> list[str]:
    """The schedules that have an option."""
    return [name for name, schedule in SCHEDULES.items() if key in schedule.readers()]


def schedule_readers() -> dict[str, Reader]:
    """How to read the options of all schedules, by key; `None` is as good as not written."""
    readers = {key: reader for schedule in SCHEDULES.values() for key, reader in schedule.readers().items()}
    return {key: partial(_none_or, reader) for key, reader in readers.items()}


def _none_or(reader: Reader, text: str) -> Any:
    return None if text == "None" else reader(text)


class Constant(Schedule, schedule="constant"):
    """Learning rates stay as they are."""


class Linear(Schedule, schedule="linear"):
    """Learning rates fall to zero along a line.

    With `decay_over_last_epochs = k`, every learning rate shrinks by 1/k of its start after each epoch n (from 1) with
    max_epochs - n < k, so that it would reach zero after the last. That is AUDetNet's rule: 12 epochs with k = 10 run
    at 1, 1, 1, 0.9, … 0.1. AUNets', minus 1/13 after each of 12 epochs, is k = 13.
    """

    decay_over_last_epochs: PositiveInt | None = Option(
        None, description="over how many epochs it falls to zero; None: all of them"
    )

    def factor(self, finished: int, max_epochs: int) -> float:
        """1 less 1/span for each of the last `span` epochs already finished."""
        span = self.decay_over_last_epochs or max_epochs
        return 1.0 - max(0, finished - max(0, max_epochs - span)) / span


class Step(Schedule, schedule="step"):
    """Learning rates are multiplied by `gamma` after every so many epochs."""

    step_epochs: PositiveInt = Option(description="after how many epochs, each time")
    gamma: Gamma = Option(0.1, description="the factor each time")

    def factor(self, finished: int, max_epochs: int) -> float:
        """Times gamma after each `step_epochs` epochs."""
        return float(self.gamma ** (finished // self.step_epochs))


class Multistep(Schedule, schedule="multistep"):
    """Learning rates are multiplied by `gamma` after certain epochs."""

    milestones: tuple[PositiveInt, ...] = Option(description="after which numbers of epochs")
    gamma: Gamma = Option(0.1, description="the factor each time")

    def factor(self, finished: int, max_epochs: int) -> float:
        """Times gamma after each of these numbers of epochs."""
        return float(self.gamma ** bisect_right(sorted(self.milestones), finished))


class Cosine(Schedule, schedule="cosine"):
    """Learning rates fall along half a cosine over all epochs.

    Source: Loshchilov and Hutter 2017 (SGDR), without restarts.
    """

    final_factor: Annotated[float, Option(ge=0, le=1)] = Option(
        0.0, description="the factor it would reach after the last epoch"
    )

    def factor(self, finished: int, max_epochs: int) -> float:
        """Half a cosine from 1, which would reach the final factor after the last epoch."""
        final = self.final_factor
        return final + (1.0 - final) * (1.0 + cos(pi * min(1.0, finished / max_epochs))) / 2.0


class Exponential(Schedule, schedule="exponential"):
    """Learning rates are multiplied by `gamma` after each epoch."""

    gamma: Gamma = Option(description="the factor after each epoch")

    def factor(self, finished: int, max_epochs: int) -> float:
        """Times gamma after each epoch."""
        return float(self.gamma**finished)


class OnPlateau(Schedule, schedule="plateau"):
    """Learning rates are multiplied by a factor when the monitored figure has not improved for a while."""

    plateau_patience: Annotated[int, Option(ge=0)] = Option(
        10, description="for how many epochs the monitored figure may fail to improve"
    )
    plateau_factor: Annotated[float, Option(gt=0, lt=1)] = Option(0.1, description="the factor each time")
    plateau_threshold: Annotated[float, Option(ge=0)] = Option(
        1e-4, description="by what part of the best figure a better one must beat it"
    )

    def watcher(self) -> "Plateau | None":
        """What counts the epochs without improvement."""
        return Plateau(self.plateau_patience, self.plateau_factor, self.plateau_threshold)


def warm_up(done: int, length: int) -> float:
    """A straight line that ends at 1: batch number `done` (from 0) of `length` runs at (done + 1) / length."""
    return min(1.0, (done + 1) / length)


class Plateau:
    """Times `factor` whenever a figure has not improved for more than `patience` epochs.

    A figure has improved where it beats the best so far by `threshold` of its size. NaN never does.
    """

    def __init__(self, patience: int, factor: float, threshold: float) -> None:
        self.patience = patience
        self.factor = factor
        self.threshold = threshold
        self.best: float | None = None
        self.bad_epochs = 0
        self.reductions = 0

    @property
    def rate_factor(self) -> float:
        """By what the learning rates are multiplied now."""
        return float(self.factor**self.reductions)

    def observe(self, figure: float, higher_is_better: bool) -> None:
        """Take the figure of one more epoch."""
        if self._improved(figure, higher_is_better):
            self.best, self.bad_epochs = figure, 0
            return
        self.bad_epochs += 1
        if self.bad_epochs > self.patience:
            self.reductions += 1
            self.bad_epochs = 0

    def forget(self) -> None:
        """Take the next figure for the first: it is of another kind than those before."""
        self.best, self.bad_epochs = None, 0

    def _improved(self, figure: float, higher_is_better: bool) -> bool:
        if self.best is None:
            return -inf < figure < inf
        gain = figure - self.best if higher_is_better else self.best - figure
        return gain > self.threshold * abs(self.best)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as plain numbers."""
        return {"best": self.best, "bad_epochs": self.bad_epochs, "reductions": self.reductions}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave; patience, factor and threshold stay the file's."""
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
        self.reductions = state["reductions"]
