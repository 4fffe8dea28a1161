"""The other kinds of section: data sources and transforms, losses, optimizers, metrics.

Like blocks they are one class each: options, page, what they need to know before training (fields, shapes),
and a lowering whose imports stay inside the method. Unlike blocks they have no ports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch
    from torch import Tensor, nn

FieldKind = Literal["image", "flow", "vector", "class", "landmarks"]
Split = Literal["train", "validation", "test"]


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

    when: Literal["train", "always"] = Option("always", description="in training only, or always")
    only: tuple[str, ...] | None = Option(
        None, description="the fields it changes; all that it can by default"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """The fields after it. Raises `ShapeError` where it cannot take one."""
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A picklable callable.

        Per sample: `(sample: dict[str, np.ndarray], random: np.random.Generator) -> dict`. Per batch:
        `(batch: dict[str, Tensor]) -> dict`, images as N×C×H×W tensors on the training device.
        """
        raise NotImplementedError


class Loss(Section):
    """A number to make small, from a signal and (mostly) a target."""

    group: ClassVar[Group] = "loss"
    family: ClassVar[str] = "loss"

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str | None = Option(None, description="the signal or data field it is compared with")

    def check(self, input: Shape, target: Shape | None, classes: int | None = None) -> None:
        """Raise `ShapeError` where the two cannot be compared; `classes`: how many a class field has."""

    def lower(self) -> "nn.Module":
        """A module `(input, target) -> scalar`, the mean over the batch."""
        raise NotImplementedError


class Optimizer(Section):
    """One phase of the training step: which networks step, on which sum of losses, how."""

    group: ClassVar[Group] = "optimizer"
    family: ClassVar[str] = "optimizer"

    networks: tuple[str, ...] = Option(description="the networks whose parameters it steps")
    minimise: str = Option(
        description="a sum of losses, each with a number before it where wanted: `a + 10 * b`"
    )
    clip_grad_norm: Annotated[float, Option(gt=0)] | None = Option(
        None, description="scale the phase's gradients down to this norm where theirs is larger"
    )

    def lower(self, parameters: "Iterable[dict[str, Any]]") -> "torch.optim.Optimizer":
        """The optimizer over parameter groups (dicts with `params` and, per network, `lr` and `betas`)."""
        raise NotImplementedError

    def rate_factor(self, finished: int, max_epochs: int) -> float:
        """By what the learning rates are multiplied in the epoch after `finished` ones."""
        return 1.0


class Metric(Section):
    """A figure of merit over a whole split."""

    group: ClassVar[Group] = "metric"
    family: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str = Option(description="the data field it is compared with")

    def check(self, input: Shape, target: Shape) -> None:
        """Raise `ShapeError` where the two shapes cannot be compared."""

    def compute(self, scores: "Tensor", targets: "Tensor", names: Sequence[str]) -> dict[str, float]:
        """The figures over all samples: the one to monitor under the metric's own name, then the details."""
        raise NotImplementedError


class General(Section):
    """A section of `{General}`."""

    group: ClassVar[Group] = "general"
    family: ClassVar[str] = "general"


PositiveInt = Annotated[int, Option(gt=0)]
