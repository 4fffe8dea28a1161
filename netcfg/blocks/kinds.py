"""The other kinds of section: data sources and transforms, losses, optimizers, metrics.

Like blocks they are one class each: options, page, what they need to know before training (fields, shapes),
and a lowering whose imports stay inside the method. Unlike blocks they have no ports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks import schedules
from netcfg.blocks.base import Group, Section
from netcfg.blocks.judgement import Case, Verdict
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch
    from torch import Tensor, nn

FieldKind = Literal["image", "flow", "vector", "class", "landmarks"]
Split = Literal["train", "validation", "test"]
PositiveInt = Annotated[int, Option(gt=0)]

DEFAULT_LEARNING_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a data field holds, per sample: its shape as a network sees it (images are C×H×W), and its kind.

    `image` is pictures (C×H×W, or T×C×H×W for a clip), `flow` motion as a picture, `class` one number.
    `names` labels the entries of a vector (`AU12`) or the classes of a class field.
    """

    shape: Shape
    kind: FieldKind
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return show(self.shape) if self.shape else "one number"


class Source(Section):
    """Where samples come from: the first block of `{Data}`."""

    group: ClassVar[Group] = "data"
    family: ClassVar[str] = "source"
    has_clips: ClassVar[bool] = False
    """Whether samples are frames of clips: then what `open` returns has the methods of
    `netcfg.datasets.frame_pairs.ClipSamples`."""

    def fields(self) -> dict[str, FieldSpec]:
        """The fields it can give, with their shapes, before any transform."""
        raise NotImplementedError

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """A map-style data set of one split: `len`, and `[index]` giving a dict of arrays by field.

        Images are uint8 H×W×C arrays until the pipeline hands them to a network. Raises `NetcfgError` with a
        sentence and a remedy where the data cannot be made or found.
        """
        raise NotImplementedError


class Transform(Section):
    """A step of the data pipeline. `per_sample` ones run in the workers, the others on whole batches.

    `only` restricts it to some fields; by default it applies to every field of the kinds it can change.
    """

    group: ClassVar[Group] = "data"
    family: ClassVar[str] = "transform"
    per_sample: ClassVar[bool] = True
    extends_source: ClassVar[bool] = False
    """Whether it adds to the samples of a source what no single one tells (`extend`), flow or copies; comes first."""
    follows_source: ClassVar[bool] = False
    """Whether nothing may stand between it and the source, not even what adds copies."""

    when: Literal["train", "always"] = Option("always", description="in training only, or always")
    only: tuple[str, ...] | None = Option(
        None, description="the fields it changes; all that it can by default"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """The fields after it. Raises `ShapeError` where it cannot take one."""
        return dict(fields)

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The fields it must be given so that the `wanted` ones stand after it."""
        return tuple(wanted)

    def bypass(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any] | None":
        """What stands in its place in the splits that `when` leaves alone; None for nothing."""
        return None

    def in_split(self, split: Split) -> "Transform":
        """The transform as it is in one split."""
        return self

    def extend(self, samples: Any, wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> Any:
        """The data set with what it adds, of which `wanted` is needed; `fields` are those of the source."""
        raise NotImplementedError

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A picklable callable.

        Per sample: `(sample: dict[str, np.ndarray], random: np.random.Generator) -> dict`. Per batch:
        `(batch: dict[str, Tensor]) -> dict`, images as N×C×H×W tensors on the training device.
        """
        raise NotImplementedError


class Loss(Section):
    """A number to make small, from signals, and for some from networks that it evaluates itself.

    A subclass names the options that hold its signals and networks; the arguments of its module come in that
    order, networks first.
    """

    group: ClassVar[Group] = "loss"
    family: ClassVar[str] = "loss"
    signal_options: ClassVar[tuple[str, ...]] = ("input", "target")
    network_options: ClassVar[tuple[str, ...]] = ()
    stops_gradient: ClassVar[bool] = False
    """Whether gradients reach only the networks it evaluates itself, not those that made its signals."""
    in_evaluation: ClassVar[bool] = True
    """Whether it can be computed without gradients, on data that train nothing."""

    @property
    def reads(self) -> dict[str, str]:
        """The signals it reads, by option."""
        values = {key: getattr(self, key) for key in self.signal_options}
        return {key: str(value) for key, value in values.items() if value is not None}

    @property
    def evaluates(self) -> tuple[str, ...]:
        """The networks it evaluates itself."""
        return tuple(str(getattr(self, key)) for key in self.network_options)

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Raise `ShapeError` where its signals do not fit; `classes`: how many a class field among them has."""

    def lower(self) -> "nn.Module":
        """A module `(*networks, *signals) -> scalar`, the mean over the batch."""
        raise NotImplementedError


class Comparison(Loss):
    """A loss of one signal against another, mostly a data field."""

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str | None = Option(None, description="the signal or data field it is compared with")


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

    def lower(self, groups: "Iterable[Mapping[str, Any]]") -> "torch.optim.Optimizer":
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

    def parameter_groups(self, groups: "Iterable[Mapping[str, Any]]") -> list[dict[str, Any]]:
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


class Metric(Section):
    """A figure of merit over a whole split, of a signal and (mostly) a target.

    A metric that cannot do without a target declares it anew as a `str`; one of a single signal puts it into
    `unavailable`.
    """

    group: ClassVar[Group] = "metric"
    family: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str | None = Option(None, description="the signal or data field it is compared with")

    @property
    def reads(self) -> dict[str, str]:
        """The signals it reads, by option: input and target first."""
        return {"input": self.input} | ({} if self.target is None else {"target": self.target})

    @property
    def needs_validation(self) -> bool:
        """Whether it judges other splits by what it has found on the validation split."""
        return False

    @property
    def table_names(self) -> tuple[str, ...]:
        """What its tables of figures are called; the first as the metric."""
        return (self.name or self.type_name,)

    def check(self, input: Shape, target: Shape | None) -> None:
        """Raise `ShapeError` where the two shapes cannot be compared."""

    def judge(self, case: Case) -> Verdict:
        """All it has to say of a split: by default one table, that of `compute`."""
        return Verdict({self.table_names[0]: self.compute(case.scores, case.targets, case.names)})

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> dict[str, float]:
        """The figures over all samples: the one to monitor under the metric's own name, then the details.

        `scores` and `targets` are the two signals of the whole split, samples first, on the CPU; `names` are
        those of the target's entries. Raises `NetcfgError` where they hold numbers it cannot judge (NaN).
        """
        raise NotImplementedError


class General(Section):
    """A section of `{General}`."""

    group: ClassVar[Group] = "general"
    family: ClassVar[str] = "general"
