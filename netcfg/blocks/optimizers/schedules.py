"""How learning rates change: factors of their start, as pure functions of where a run stands; a class each.

The rules are those of torch.optim.lr_scheduler. Nothing here is torch: a factor comes from the epochs or updates
finished, never from the one before it, so that a resumed run, or one with more epochs added, takes the rates of a run
that was never stopped. Only `Plateau` remembers.
"""

from bisect import bisect_right
from functools import partial
from math import cos, inf, pi, sqrt
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, cast

from pydantic import Field as Option

from netcfg.blocks import registry
from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.values import Reader

Gamma = Annotated[float, Option(gt=0, le=1)]
Factor = Annotated[float, Option(ge=0, le=1)]
By = Literal["epoch", "step"]


class Moment(NamedTuple):
    """Where a run stands: so many `epochs_done` of `epochs`, and `steps_done` of the `steps` of the epoch under way.

    Steps are updates for an optimizer, which may take several batches, and batches for what changes by itself.
    """

    epochs_done: int
    epochs: int
    steps_done: int = 0
    steps: int = 1

    @property
    def time(self) -> float:
        """In epochs, with the part of the one under way."""
        return self.epochs_done + self.steps_done / self.steps


class Schedule(Section):
    """How learning rates change: a class, called as `class Name(Schedule, schedule="name")`.

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

    def at(self, moment: Moment) -> float:
        """The same at any moment, for those that change within an epoch."""
        return self.factor(moment.epochs_done, moment.epochs)

    def never(self, epochs: int) -> dict[str, str]:
        """What does not come about in so many epochs: by option a sentence."""
        return {}

    def watcher(self) -> "Plateau | None":
        """What watches the monitored figure and has a factor of its own; None: nothing does."""
        return None


class Timed(Schedule):
    """A schedule whose time is counted in epochs, or in steps: the updates of its optimizer."""

    by: By = Option("epoch", description="whether rates change with each epoch, or with each update")

    def course(self, done: float, total: float, epoch: float) -> float:
        """The factor after `done` of `total` epochs or steps, of which `epoch` make an epoch; pure."""
        raise NotImplementedError

    def factor(self, finished: int, max_epochs: int) -> float:
        """By epoch."""
        return self.course(finished, max_epochs, 1)

    def at(self, moment: Moment) -> float:
        """In its own units."""
        if self.by == "epoch":
            return self.factor(moment.epochs_done, moment.epochs)
        steps = moment.steps
        return self.course(moment.epochs_done * steps + moment.steps_done, moment.epochs * steps, steps)


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


class Linear(Timed, schedule="linear"):
    """Learning rates fall to zero along a line.

    They would reach it after the last epoch.
    """

    decay_over_last_epochs: PositiveInt | None = Option(
        None, description="stay until that many epochs are left; None: fall from the first one on"
    )

    def course(self, done: float, total: float, epoch: float) -> float:
        """A line from 1 to what would be 0 after the last epoch; constant before its last epochs begin."""
        span = self.decay_over_last_epochs * epoch if self.decay_over_last_epochs else total
        return 1.0 - max(0, done - max(0, total - span)) / span


class Step(Schedule, schedule="step"):
    """Learning rates are multiplied by `gamma` after every so many epochs."""

    step_epochs: PositiveInt = Option(description="after how many epochs, each time")
    gamma: Gamma = Option(0.1, description="the factor each time")

    def factor(self, finished: int, max_epochs: int) -> float:
        """Times gamma after each `step_epochs` epochs."""
        return float(self.gamma ** (finished // self.step_epochs))

    def never(self, epochs: int) -> dict[str, str]:
        """A first step after the last epoch."""
        if self.step_epochs < epochs:
            return {}
        return {"step_epochs": f"the first step would come after {self.step_epochs} epochs"}


class Multistep(Schedule, schedule="multistep"):
    """Learning rates are multiplied by `gamma` after certain epochs."""

    milestones: tuple[PositiveInt, ...] = Option(description="after which numbers of epochs")
    gamma: Gamma = Option(0.1, description="the factor each time")

    def factor(self, finished: int, max_epochs: int) -> float:
        """Times gamma after each of these numbers of epochs."""
        return float(self.gamma ** bisect_right(sorted(self.milestones), finished))

    def never(self, epochs: int) -> dict[str, str]:
        """Milestones at or behind the end."""
        late = [str(number) for number in self.milestones if number >= epochs]
        if not late:
            return {}
        which = f"the milestone {late[0]} is" if len(late) == 1 else f"the milestones {', '.join(late)} are"
        return {"milestones": f"{which} never passed"}


class Cosine(Timed, schedule="cosine"):
    """Learning rates fall along half a cosine over all epochs.

    Source: Loshchilov and Hutter 2017 (SGDR), without restarts.
    """

    final_factor: Factor = Option(0.0, description="the factor it would reach after the last epoch")

    def course(self, done: float, total: float, epoch: float) -> float:
        """Half a cosine from 1, which would reach the final factor after the last epoch."""
        return _half_cosine(1.0, self.final_factor, min(1.0, done / total))


class CosineRestarts(Timed, schedule="cosine_restarts"):
    """Learning rates fall along half a cosine, again and again from the start, each time for longer.

    Source: Loshchilov and Hutter 2017 (SGDR).
    """

    first_epochs: PositiveInt = Option(description="how many epochs the first fall takes")
    longer: PositiveInt = Option(1, description="how many times as long each one takes as the one before")
    final_factor: Factor = Option(0.0, description="the factor at the end of each")

    def course(self, done: float, total: float, epoch: float) -> float:
        """Where in its cycle it stands."""
        begun, length = 0.0, self.first_epochs * epoch
        while done >= begun + length:
            begun, length = begun + length, length * self.longer
        return _half_cosine(1.0, self.final_factor, (done - begun) / length)

    def never(self, epochs: int) -> dict[str, str]:
        """A first restart after the last epoch."""
        if self.first_epochs < epochs:
            return {}
        return {"first_epochs": f"the first restart would come after {self.first_epochs} epochs"}


class OneCycle(Timed, schedule="one_cycle"):
    """Learning rates rise to their size along half a cosine, then fall along another one, to nearly nothing.

    `learning_rate` is the highest. Momentum stays as it is, unless it is a [schedule] of its own.
    Source: Smith and Topin 2017, in PyTorch's form.
    """

    by: By = Option("step", description="whether rates change with each epoch, or with each update")
    rise: Annotated[float, Option(gt=0, lt=1)] = Option(0.3, description="which part of the time they rise")
    first_factor: Factor = Option(0.04, description="the factor at the start")
    final_factor: Factor = Option(4e-6, description="the factor at the end")
    anneal: Literal["cosine", "linear"] = Option("cosine", description="along what they rise and fall")

    def course(self, done: float, total: float, epoch: float) -> float:
        """Up to 1 at the end of the rise, down at the last step."""
        peak, last = self.rise * total - 1, total - 1
        along = _half_cosine if self.anneal == "cosine" else _line
        if done <= peak:
            return along(self.first_factor, 1.0, done / peak if peak > 0 else 1.0)
        return along(1.0, self.final_factor, min(1.0, (done - peak) / (last - peak)))


class Polynomial(Timed, schedule="polynomial"):
    """Learning rates fall to zero along a power of what is left."""

    power: Annotated[float, Option(gt=0)] = Option(0.9, description="the power; 1 is a line")

    def course(self, done: float, total: float, epoch: float) -> float:
        """What is left, to a power."""
        return float(max(0.0, 1.0 - done / total) ** self.power)


class InverseSquareRoot(Timed, schedule="inverse_square_root"):
    """Learning rates fall as one over the root of the time, from a certain time on.

    With a warm-up that is as long, it is the rate of the first transformers.
    Source: Vaswani et al. 2017, section 5.3.
    """

    by: By = Option("step", description="whether rates change with each epoch, or with each update")
    flat_epochs: Annotated[float, Option(gt=0)] = Option(
        1.0, description="the time, in epochs, up to which they stay"
    )

    def course(self, done: float, total: float, epoch: float) -> float:
        """The root of that time over this one."""
        since = self.flat_epochs * epoch
        return sqrt(since / max(since, done))


class Exponential(Timed, schedule="exponential"):
    """Learning rates are multiplied by `gamma` after each epoch; by step, a little after each update."""

    gamma: Gamma = Option(description="the factor after each epoch")

    def course(self, done: float, total: float, epoch: float) -> float:
        """Times gamma after each epoch."""
        return float(self.gamma ** (done / epoch))


def _half_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1.0 + cos(pi * part)) / 2.0


def _line(start: float, end: float, part: float) -> float:
    return start + (end - start) * part


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
