"""What an optimizer is: one phase of the training step."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn, Self

from pydantic import Field as Option
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from netcfg.blocks.base import Group, Section
from netcfg.blocks.changing import Scheduled, plain, scheduled_in
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.optimizers import schedules
from netcfg.blocks.values import Reader, read_float, reader_of

if TYPE_CHECKING:
    import torch

KINDS_WITHOUT_DECAY = ("norms", "biases", "tokens")
"""What `no_decay` may name beside parts of networks."""


EVERY = "run on every n-th batch of an epoch: on batch n, 2n, …"
EVERY_OF = "whether batches are counted anew in each epoch, or on through the run"
FROM_EPOCH = "the first epoch on which it runs"
UNTIL_EPOCH = "the last one; None: to the end"


def window_mistakes(first: int, last: int | None) -> dict[str, tuple[str, str, str]]:
    """What is wrong with epochs from the first to the last one (see `Section.mistakes`)."""
    if last is None or last >= first:
        return {}
    message = f"it runs from epoch {first} until epoch {last}, which is never"
    return {"until_epoch": ("NC411", message, f"`until_epoch = {first}` or more, or none")}


class StepSection(Section):
    """What stands in `{Optimizer}`: a part of the training step, in file order."""

    group: ClassVar[Group] = "optimizer"
    family: ClassVar[str] = "optimizer"
    default_rate: ClassVar[float] = 1e-3
    """The learning rate where neither the section nor a network says one: PyTorch's."""
    state_differs: ClassVar[bool] = False
    """Whether it remembers more of some parameters than of others: `state_size` then is the most."""


class Optimizer(StepSection):
    """One phase of the training step: which networks step, on which sum of losses, when and how."""

    networks: tuple[str, ...] = Option(description="the networks whose parameters it steps")
    minimise: str = Option(
        description="a sum of losses, each with a number before it where wanted: `a + 10 * b`"
    )
    every: PositiveInt = Option(1, description=EVERY)
    every_of: Literal["epoch", "run"] = Option("epoch", description=EVERY_OF)
    from_epoch: PositiveInt = Option(1, description=FROM_EPOCH)
    until_epoch: PositiveInt | None = Option(None, description=UNTIL_EPOCH)
    accumulate: PositiveInt = Option(
        1, description="for one update, take the mean gradient of so many batches it runs on"
    )
    clip_grad_norm: Annotated[float, Option(gt=0)] | None = Option(
        None, description="scale the phase's gradients down to this norm where theirs is larger"
    )
    learning_rate: Annotated[float, Option(gt=0)] | Scheduled | None = Option(
        None, description="the step size; None: the networks' own, or 1e-3 (PyTorch's, where that is another)"
    )
    rates: tuple[str, ...] = Option(
        (),
        description="by what the rates of parts of its networks are multiplied, each a block's path or a folder of "
        "paths: `Encoder.features: 0.1, Encoder.head: 2`; the innermost counts",
    )
    layer_decay: Annotated[float, Option(gt=0, le=1)] = Option(
        1.0, description="by what each layer's rate is multiplied for that of the layer before it"
    )
    weight_decay: Annotated[float, Option(ge=0)] | Scheduled = Option(
        0.0, description="added to the gradient, per unit of weight"
    )
    no_decay: tuple[str, ...] = Option(
        (),
        description="what `weight_decay` leaves alone: `norms`, `biases`, `tokens`, parts of networks by path",
    )
    schedule: schedules.Schedule = Option(
        schedules.Constant(),
        description="how learning rates change; its own options stand here, too",
    )
    warm_up_epochs: PositiveInt | None = Option(
        None, description="rise from (nearly) zero, batch by batch, over so many epochs"
    )
    warm_up_batches: PositiveInt | None = Option(None, description="the same over so many batches")

    @model_validator(mode="before")
    @classmethod
    def _with_schedule(cls, values: Any) -> Any:
        """The options of its schedule, which are written in this section, become the schedule."""
        if not isinstance(values, dict) or isinstance(values.get("schedule"), schedules.Schedule):
            return values
        name = values.get("schedule", "constant")
        kind = schedules.SCHEDULES.get(name)
        if kind is None:
            _refuse(f"has no schedule `{name}`")
        written = {key: values[key] for key in schedules.schedule_readers() if values.get(key) is not None}
        _expect_own(written, kind)
        others = {key: value for key, value in values.items() if key not in schedules.schedule_readers()}
        return others | {"schedule": kind.model_validate(written)}

    @classmethod
    def readers(cls) -> dict[str, Reader]:  # type: ignore[override]  # not kept: a file may bring a schedule
        """Those of its options, and of those of all schedules, extensions' among them."""
        own = {
            key: reader_of(field.annotation) for key, field in cls.model_fields.items() if key != "schedule"
        }
        chosen: Any = Literal[tuple(schedules.SCHEDULES)]  # type: ignore[valid-type]  # known when they are read
        return {**own, "schedule": reader_of(chosen), **schedules.schedule_readers()}

    @classmethod
    def option_rows(cls) -> list[tuple[str, str, str, str]]:
        """With the names of the schedules, whose options have pages of their own."""
        names = " \\| ".join(f"`{name}`" for name in schedules.SCHEDULES)
        rows = super().option_rows()
        return [(row[0], names, *row[2:]) if row[0] == "schedule" else row for row in rows]

    def options(self) -> dict[str, Any]:
        """With those of its schedule."""
        made = {}
        for key, value in super().options().items():
            made[key] = value
            if key == "schedule":
                made |= self.schedule.options()
        return made

    def conflict(self) -> str | None:
        """A warm-up is counted in one way."""
        if self.warm_up_epochs and self.warm_up_batches:
            return "takes one of `warm_up_epochs` and `warm_up_batches`, and has both"
        return None

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Epochs that are none; `rates` must be readable, and `no_decay` must have something to leave alone."""
        found = window_mistakes(self.from_epoch, self.until_epoch)
        try:
            self.rate_factors()
        except ValueError as error:
            help = "a path, a colon, a number above 0, and a comma before the next: `Encoder.features: 0.1`"
            found["rates"] = ("NC105", f"`rates` {error}", help)
        if self.no_decay and not self.weight_decay:
            help = "write a `weight_decay`, or take `no_decay` out"
            found["no_decay"] = ("NC105", "`no_decay` leaves parameters out of a `weight_decay` of 0", help)
        return found

    def rate_factors(self) -> dict[str, float]:
        """By what the rate of each part in `rates` is multiplied. Raises `ValueError`, the rest of a sentence."""
        factors: dict[str, float] = {}
        for item in self.rates:
            path, colon, text = (part.strip() for part in item.partition(":"))
            if not path or not colon:
                raise ValueError(f"has `{item}`, which is no path with a factor")
            factor = read_float(text)
            if factor <= 0:
                raise ValueError(f"has a factor that is not above 0: `{item}`")
            if path in factors:
                raise ValueError(f"names `{path}` twice")
            factors[path] = factor
        return factors

    def runs_on(self, batch: int, epoch: int | None = None, step: int | None = None) -> bool:
        """Whether the phase runs on this batch of an epoch, counted from 0.

        `epoch` counts from 1; None is one in which it runs. `step` is how many batches the run has seen before.
        """
        counted = step if self.every_of == "run" and step is not None else batch
        return (counted + 1) % self.every == 0 and (epoch is None or self.runs_in(epoch))

    def runs_in(self, epoch: int) -> bool:
        """Whether it runs in an epoch, counted from 1."""
        return self.from_epoch <= epoch and (self.until_epoch is None or epoch <= self.until_epoch)

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> "torch.optim.Optimizer":
        """The optimizer over parameter groups.

        A group has `params`, `network`, and of its network's `lr` and `betas` what [net] states; `rate` is a factor of
        its learning rate, `decays` says whether it has weight decay, and `follows` names the schedules of its network's
        own options. The other options of a group are torch's.
        """
        raise NotImplementedError

    def state_size(self) -> int:
        """How many numbers it remembers for each parameter; the most, where `state_differs`."""
        return 0

    def group_options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """What a group needs besides its parameters: an option written here wins over the network's."""
        return {"lr": plain(self.learning_rate or group.get("lr", self.default_rate))}

    @property
    def changing(self) -> dict[str, str]:
        """The options that schedules set: key -> schedule."""
        return dict(scheduled_in(self))

    def changing_in(self, group: Mapping[str, Any]) -> dict[str, str]:
        """The options of a group that schedules set: its network's, where none is written here, and these."""
        own = {key: name for key, name in group.get("follows", {}).items() if self.options().get(key) is None}
        return own | self.changing

    def at(self, numbers: Mapping[str, float]) -> Self:
        """The same with numbers in the place of the schedules that it names."""
        return self.model_copy(update={key: numbers[name] for key, name in self.changing.items()})

    def follow(self, group: dict[str, Any], numbers: Mapping[str, float]) -> None:
        """Set in a group of torch's what its schedules say now; the learning rate as `initial_lr`."""
        for key, name in self.changing_in(group).items():
            number = numbers[name]
            if key == "learning_rate":
                group["initial_lr"] = number * group.get("scale", 1.0)
            elif key == "weight_decay":
                group["weight_decay"] = number if group.get("decays", True) else 0.0
            elif key in ("beta1", "beta2"):
                if "betas" in group:
                    first, second = group["betas"]
                    group["betas"] = (number, second) if key == "beta1" else (first, number)
            elif key in group:
                group[key] = number

    def parameter_groups(self, groups: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The groups as torch takes them; what belongs to another kind of optimizer is left out."""
        return [self._torch_group(group) for group in groups]

    def _torch_group(self, group: Mapping[str, Any]) -> dict[str, Any]:
        options = self.group_options(group)
        if "rate" in group:
            options |= {"lr": options["lr"] * group["rate"], "scale": group["rate"]}
        if not group.get("decays", True):
            options |= {"weight_decay": 0.0, "decays": False}
        called = {key: group[key] for key in ("network", "follows") if key in group}
        return {"params": list(group["params"])} | called | options

    def moment(
        self, finished: int, max_epochs: int, batch: int = 0, batches_per_epoch: int = 1
    ) -> schedules.Moment:
        """Where the phase stands on a batch (from 0) of the epoch after `finished` ones, in updates.

        All batches of one update are one moment, so that nothing that goes by it changes within.
        """
        updates = -(-(batches_per_epoch // self.every) // self.accumulate)
        done = batch // self.every // self.accumulate
        return schedules.Moment(finished, max_epochs, done, max(1, updates))

    def rate_factor(
        self, finished: int, max_epochs: int, batch: int = 0, batches_per_epoch: int = 1
    ) -> float:
        """By what the learning rates are multiplied on a batch (from 0) of the epoch after `finished` ones.

        Pure: what depends on how training goes (`plateau`) is a factor of its own, kept by `plateau()`.
        """
        moment = self.moment(finished, max_epochs, batch, batches_per_epoch)
        return self.schedule.at(moment) * self._warm_up_factor(
            finished * batches_per_epoch + batch, batches_per_epoch
        )

    def _warm_up_factor(self, done: int, batches_per_epoch: int) -> float:
        length = self.warm_up_batches or (self.warm_up_epochs or 0) * batches_per_epoch
        return schedules.warm_up(done, length) if length else 1.0

    def plateau(self) -> schedules.Plateau | None:
        """What watches the monitored figure, under a schedule that goes by it."""
        return self.schedule.watcher()


def _expect_own(written: Mapping[str, Any], kind: type[schedules.Schedule]) -> None:
    """Refuse options of another schedule, with which they would do nothing, and a schedule without what it needs."""
    for key in written:
        if key not in kind.readers():
            owners = " or ".join(f"`schedule = {owner}`" for owner in schedules.owners(key))
            _refuse(f"has `{key}`, which belongs to {owners}, and its schedule is `{kind.type_name}`")
    for key in kind.required_options():
        if key not in written:
            _refuse(f"has `schedule = {kind.type_name}`, which needs `{key}`")


def _refuse(conflict: str) -> NoReturn:
    raise PydanticCustomError("conflict", "{conflict}", {"conflict": conflict})


Momentum = Annotated[float, Option(ge=0, lt=1)]


def is_taken(momentum: float | Scheduled) -> bool:
    """Whether something of the last step is taken again, at some time."""
    return isinstance(momentum, Scheduled) or momentum > 0


Groups = Iterable[Mapping[str, Any]]
