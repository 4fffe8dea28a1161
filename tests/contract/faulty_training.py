"""Losses, metrics, optimizers, transforms and sources that are wrong about themselves, each in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from netcfg.blocks import (
    Draw,
    FieldSpec,
    Loss,
    Metric,
    Optimizer,
    Sampler,
    SampleTable,
    Schedule,
    Source,
    Transform,
)  # fmt: skip
from netcfg.blocks.losses.base import Comparison
from netcfg.shapes import Shape

# --- losses


class Difference(nn.Module):
    """The mean difference, of any order."""

    def __init__(self, order: float = 2.0, detached: bool = False) -> None:
        super().__init__()
        self.order, self.detached = order, detached

    def forward(self, values: Tensor, targets: Tensor) -> Tensor:
        if values.shape != targets.shape:
            raise ValueError(f"{tuple(values.shape)} is not {tuple(targets.shape)}")
        values = values.detach() + 0 * values if self.detached else values
        return (values - targets).abs().pow(self.order).mean()


class LaxLoss(Comparison, name="lax_loss"):
    """Lets pass what its module refuses.

    Example::

        [lax_loss]
        input = Net
        target = labels
    """

    def lower(self) -> nn.Module:
        return Difference()


class StrictLoss(Comparison, name="strict_loss"):
    """Refuses whatever it is given.

    Example::

        [strict_loss]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        from netcfg.blocks import ShapeError

        raise ShapeError("takes nothing")

    def lower(self) -> nn.Module:
        return Difference()


def expect_equal(shapes: Sequence[Shape]) -> None:
    from netcfg.blocks import ShapeError

    if len(shapes) < 2 or shapes[0] != shapes[1]:
        raise ShapeError("compares equal shapes")


class SumLoss(Comparison, name="sum_loss"):
    """Grows with the batch.

    Example::

        [sum_loss]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        class Sum(nn.Module):
            def forward(self, values: Tensor, targets: Tensor) -> Tensor:
                return (values - targets).square().sum()

        return Sum()


class EchoLoss(Comparison, name="echo_loss"):
    """Adds half of what it gave before.

    Example::

        [echo_loss]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        class Echo(Difference):
            before = 0.0

            def forward(self, values: Tensor, targets: Tensor) -> Tensor:
                value = super().forward(values, targets)
                given, self.before = value + self.before / 2, float(value.detach())
                return given

        return Echo()


class VectorLoss(Comparison, name="vector_loss"):
    """Gives a number for each sample.

    Example::

        [vector_loss]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        class Each(nn.Module):
            def forward(self, values: Tensor, targets: Tensor) -> Tensor:
                return (values - targets).square().reshape(len(values), -1).mean(1)

        return Each()


class WrongGradient(Comparison, name="wrong_gradient"):
    """Its gradient is not that of its value.

    Example::

        [wrong_gradient]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        class Half(nn.Module):
            def forward(self, values: Tensor, targets: Tensor) -> Tensor:
                return ((values - values.detach() / 2) - targets + values.detach() / 2).square().mean() + (
                    values.detach().square().mean()
                )

        return Half()


class IdleLoss(Comparison, name="idle_loss"):
    """Has an option that nothing obeys.

    Example::

        [idle_loss]
        input = Net
        target = labels
    """

    order: float = Field(2.0, description="of nothing")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Difference()


class LeakingLoss(Loss, name="leaking_loss"):
    """Says that no gradient leaves it.

    Example::

        [leaking_loss]
        input = Net
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input",)
    stops_gradient: ClassVar[bool] = True

    input: str = Field(description="the signal")

    def lower(self) -> nn.Module:
        class Squares(nn.Module):
            def forward(self, values: Tensor) -> Tensor:
                return values.square().mean()

        return Squares()


class Weighed(nn.Module):
    """A mean of squares that is not what it seems."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def forward(self, values: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
        if values.shape != targets.shape:
            raise ValueError(f"{tuple(values.shape)} is not {tuple(targets.shape)}")
        if self.way == "writes":
            targets.data.mul_(0.5)
        each = (values - targets).square().reshape(len(values), -1).mean(1)
        if self.way == "by place":
            return (each * torch.arange(1, len(each) + 1)).mean()
        if mask is None:
            return each.mean()
        shown = mask.clone()
        shown[0] = 1
        return (each * shown).sum() / shown.sum()


class SkipsMask(Comparison, name="skips_mask"):
    """Forgets its mask for the first sample.

    Example::

        [skips_mask]
        input = Net
        target = labels
    """

    named_options: ClassVar[tuple[str, ...]] = ("mask",)

    mask: str | None = Field(None, description="a number for each sample")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Weighed("")


class ByPlace(Comparison, name="by_place"):
    """Counts later samples of a batch more.

    Example::

        [by_place]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Weighed("by place")


class WritesTarget(Comparison, name="writes_target"):
    """Changes the field that others read as well.

    Example::

        [writes_target]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Weighed("writes")


class EndlessWhenEqual(Comparison, name="endless_when_equal"):
    """The logarithm of a distance, which is nothing once the network has learned.

    Example::

        [endless_when_equal]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Distance(torch.log)


class RootOfEqual(Comparison, name="root_of_equal"):
    """A root, whose slope at nothing is endless.

    Example::

        [root_of_equal]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        return Distance(torch.sqrt)


class Distance(nn.Module):
    """A function of the mean square of a difference."""

    def __init__(self, curve: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.curve = curve

    def forward(self, values: Tensor, targets: Tensor) -> Tensor:
        return self.curve((values - targets).square().mean())


class UnreadTarget(Comparison, name="unread_target"):
    """Compares its signal with itself.

    Example::

        [unread_target]
        input = Net
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        expect_equal(shapes)

    def lower(self) -> nn.Module:
        class Own(nn.Module):
            def forward(self, values: Tensor, targets: Tensor) -> Tensor:
                return (values - values.mean()).square().mean()

        return Own()


# --- metrics


class EmptyCrash(Metric, name="empty_crash"):
    """Takes for granted that a split has a best sample.

    Example::

        [empty_crash]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        return {"empty_crash": float(scores.max())}


class WrongWay(Metric, name="wrong_way"):
    """An error, of which a run keeps the largest.

    Example::

        [wrong_way]
        input = Net
        target = labels
    """

    target: str = Field(description="the labels")

    def check(self, input: Shape, target: Shape | None) -> None:
        expect_equal([input, target or ()])

    def compute(
        self, scores: Tensor, targets: Tensor | None, names: Sequence[str]
    ) -> dict[str, float | None]:
        assert targets is not None
        error = (scores - targets).abs().mean() if len(scores) else None
        return {"wrong_way": None if error is None else float(error)}


class WritesScores(Metric, name="writes_scores"):
    """Cuts the scores that other metrics are given as well.

    Example::

        [writes_scores]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def compute(
        self, scores: Tensor, targets: Tensor | None, names: Sequence[str]
    ) -> dict[str, float | None]:
        return {"writes_scores": float(scores.clamp_(min=0).mean()) if len(scores) else None}


class OtherName(Metric, name="other_name_of_figure"):
    """Calls its figure something else.

    Example::

        [other_name_of_figure]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        return {"mean": float(scores.double().mean())}


class Portions(Metric, name="portions"):
    """The mean of the maxima of portions of 100 samples.

    Example::

        [portions]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        return {"portions": float(torch.stack([part.max() for part in scores.split(100)]).mean())}


class Remembering(Metric, name="remembering"):
    """Takes the splits before along.

    Example::

        [remembering]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})
    seen: ClassVar[list[float]] = []

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        self.seen.append(float(scores.double().mean()) + len(self.seen))
        return {"remembering": sum(self.seen) / len(self.seen)}


class Ratio(Metric, name="ratio"):
    """Divides by the positives, of which there may be none.

    Example::

        [ratio]
        input = Net
        target = labels
    """

    target: str = Field(description="the labels")

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        assert targets is not None
        return {"ratio": float(scores.double().sum()) / int(targets.sum())}


class IdleMetric(Metric, name="idle_metric"):
    """Has an option that nothing obeys.

    Example::

        [idle_metric]
        input = Net
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    above: float = Field(0.5, description="of nothing")

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> dict[str, float]:
        return {"idle_metric": float(scores.double().mean())}


# --- optimizers


class Forgetful(Optimizer, name="forgetful"):
    """Says that it remembers nothing.

    Example::

        [forgetful]
        networks = Net
        minimise = loss
    """

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameter_groups(groups), weight_decay=self.weight_decay)


class Undecayed(Optimizer, name="undecayed"):
    """Reads `weight_decay` and forgets it.

    Example::

        [undecayed]
        networks = Net
        minimise = loss
    """

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameter_groups(groups))


class OneRate(Optimizer, name="one_rate"):
    """Steps all parts of networks alike, whatever `rates` and `no_decay` say.

    Example::

        [one_rate]
        networks = Net
        minimise = loss
    """

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        parameters = [value for group in groups for value in group["params"]]
        rate = float(self.learning_rate or 1e-3)  # type: ignore[arg-type]
        return torch.optim.SGD(parameters, lr=rate, weight_decay=float(self.weight_decay))  # type: ignore[arg-type]


class NeedsGradients(Optimizer, name="needs_gradients"):
    """Takes for granted that each parameter has a gradient.

    Example::

        [needs_gradients]
        networks = Net
        minimise = loss
    """

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        class Plain(torch.optim.Optimizer):
            def step(self, closure: Any = None) -> None:
                for group in self.param_groups:
                    for value in group["params"]:
                        value.data -= group["lr"] * (value.grad + group["weight_decay"] * value.data)

        made = []
        for group in groups:
            decay = float(self.weight_decay) * group.get("decays", True)  # type: ignore[arg-type]
            rate = float(self.group_options(group)["lr"]) * group.get("rate", 1.0)
            made.append({**group, "lr": rate, "weight_decay": decay})
        return Plain(made, {})


# --- transforms


class Mirror:
    """Turns pictures round, and what is said of their places or not."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        if random.random() < 0.5:
            return dict(sample)
        made = dict(sample)
        for name in sample:
            if name in ("image", "frames", "flow"):
                made[name] = np.ascontiguousarray(sample[name][..., ::-1, :])
            elif name in self.fields:
                made[name] = np.ascontiguousarray(sample[name][..., ::-1])
        return made


class MaskStays(Transform, name="mask_stays"):
    """Mirrors pictures and leaves masks.

    Example::

        [mask_stays]
    """

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        return {name: spec for name, spec in fields.items() if spec.kind != "landmarks"}

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Without(Mirror(("depth",)), "landmarks")


class PointsStay(Transform, name="points_stay"):
    """Mirrors pictures and leaves landmarks.

    Example::

        [points_stay]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Mirror(("mask", "depth"))


class Without:
    """A step, and then no field of that name."""

    def __init__(self, step: Callable[..., Any], name: str) -> None:
        self.step, self.name = step, name

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        return {name: values for name, values in self.step(sample, random).items() if name != self.name}


class DoubleLabels(Transform, name="double_labels"):
    """Makes labels of double precision.

    Example::

        [double_labels]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Smoothed()


class Smoothed:
    """Labels that are nearly sure."""

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        smooth = {"labels": np.float64(0.9) * sample["labels"] + 0.05} if "labels" in sample else {}
        return {**sample, **{name: values.astype(np.float64) for name, values in smooth.items()}}


class Jitter:
    """Adds a number to pictures."""

    def __init__(self, amount: int, own_seed: bool = False, in_place: bool = False) -> None:
        self.amount, self.own_seed, self.in_place = amount, own_seed, in_place

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        if "image" not in sample:
            return dict(sample)
        chance = np.random if self.own_seed else random
        added = np.uint8(1 + int(chance.random() * self.amount))
        if self.in_place:
            sample["image"] += added
            return dict(sample)
        return {**sample, "image": sample["image"] + added}


class Unseeded(Transform, name="unseeded"):
    """Draws by a chance of its own.

    Example::

        [unseeded]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Jitter(100, own_seed=True)


class WritesInto(Transform, name="writes_into"):
    """Overwrites the sample that a run remembers.

    Example::

        [writes_into]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Jitter(100, in_place=True)


class Unsized(Transform, name="unsized"):
    """Cuts pictures and says nothing of it.

    Example::

        [unsized]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Cut()


class Cut:
    """The upper half of the picture."""

    def __call__(self, sample: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        return {name: values[:12] if name == "image" else values for name, values in sample.items()}


class Local(Transform, name="local"):
    """Gives the workers what no process can be sent.

    Example::

        [local]
    """

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return lambda sample, random: {**sample}


class IdleTransform(Transform, name="idle_transform"):
    """Has an option that nothing obeys.

    Example::

        [idle_transform]
        strength = 3
    """

    strength: int = Field(3, description="of nothing")

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        return Jitter(100)


# --- sources


class Rows:
    """Samples that are made on the spot."""

    def __init__(self, subjects: Sequence[int], fields: Sequence[str], fault: str) -> None:
        self.subjects, self.fields, self.fault = list(subjects), tuple(fields), fault

    def __len__(self) -> int:
        return len(self.subjects)

    def __getitem__(self, index: int) -> dict[str, Any]:
        level = self.subjects[index]
        made = {
            "image": np.full((16, 16, 3), level, np.float32 if self.fault == "kind" else np.uint8),
            "labels": np.array([level % 2, 1 + np.random.rand() * (self.fault == "chance")], np.float32),
            "mood": np.asarray(3 if self.fault == "range" else level % 3),
            "subject": np.asarray(level),
        }
        return {name: made[name] for name in self.fields}


class Made(Source):
    """What the sources below share, all of it true."""

    fault: ClassVar[str] = ""
    rows_of: ClassVar[dict[str, Sequence[int]]] = {"train": range(6), "validation": (6, 7), "test": (8, 9)}

    def fields(self) -> dict[str, FieldSpec]:
        return {
            "image": FieldSpec((3, 16, 16), "image"),
            "labels": FieldSpec((2,), "vector", ("AU1", "AU2")),
            "mood": FieldSpec((), "class", ("calm", "glad", "sad")),
            "subject": FieldSpec((), "class"),
        }

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        return Rows(self.rows_of[split], fields, self.fault)


class OtherKind(Made, name="other_kind"):
    """Its pictures are no bytes.

    Example::

        [other_kind]
    """

    fault: ClassVar[str] = "kind"


class OtherShape(Made, name="other_shape"):
    """Its pictures have another height than it says.

    Example::

        [other_shape]
    """

    def fields(self) -> dict[str, FieldSpec]:
        return {**super().fields(), "image": FieldSpec((3, 32, 16), "image")}


class ForgetsClasses(Made, name="forgets_classes"):
    """Has a run keep an option that gives it other fields.

    Example::

        [forgets_classes]
    """

    moods: tuple[str, ...] | None = Field(None, description="what a mood is called")

    def settled(self) -> dict[str, str]:
        return {"moods": "calm, glad"}

    def fields(self) -> dict[str, FieldSpec]:
        known = {} if self.moods is None else {"mood": FieldSpec((), "class", self.moods)}
        return super().fields() | known


class KnowsNotItself(Made, name="knows_not_itself"):
    """Says what its folder looks like, and does not know the one that it writes.

    Example::

        [knows_not_itself]
        path = nowhere
    """

    looks_like: ClassVar[str] = "`mine.txt`"
    path: str | None = Field(None, description="its folder")


class OutOfRange(Made, name="out_of_range"):
    """Has a class that has no name.

    Example::

        [out_of_range]
    """

    fault: ClassVar[str] = "range"


class SharedSubjects(Made, name="shared_subjects"):
    """Tests on someone it has trained on.

    Example::

        [shared_subjects]
    """

    rows_of: ClassVar[dict[str, Sequence[int]]] = {"train": range(6), "validation": (6, 7), "test": (5, 9)}


class ByChance(Made, name="by_chance"):
    """Gives another sample each time.

    Example::

        [by_chance]
    """

    fault: ClassVar[str] = "chance"


class Nowhere(Made, name="nowhere"):
    """Reads a folder, and writes none to be tried with.

    Example::

        [nowhere]
    """

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        from netcfg.source import NetcfgError

        raise NetcfgError("there is no folder data")


class Shuffling(Made, name="shuffling"):
    """Has its samples in another order whenever it is opened.

    Example::

        [shuffling]
    """

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        return Rows(np.random.permutation(self.rows_of[split]).tolist(), fields, self.fault)


class Listed(Rows):
    """The same with a table that says other subjects."""

    @property
    def table(self) -> SampleTable:
        return SampleTable(
            ids=tuple(map(str, self.subjects)), subjects=np.array(self.subjects, np.int64)[::-1].copy()
        )

    def only(self, fields: Sequence[str]) -> Listed:
        return Listed(self.subjects, fields, self.fault)


class OtherTable(Made, name="other_table"):
    """Its table says of samples what they do not hold.

    Example::

        [other_table]
    """

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        return Listed(self.rows_of[split], fields, self.fault)


class Turned(Rows):
    """The same, the other way round where no picture is asked for."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return super().__getitem__(index if "image" in self.fields else len(self) - 1 - index)


class OtherOrder(Made, name="other_order"):
    """Has its samples in another order for their labels alone.

    Example::

        [other_order]
    """

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        return Turned(self.rows_of[split], fields, self.fault)


class ReadsHidden(Made, name="reads_hidden"):
    """Takes for a sample whatever lies in its folder.

    Example::

        [reads_hidden]
        path = data
    """

    places: ClassVar[tuple[str, ...]] = ("path",)
    path: str = Field(description="its folder")

    def example(self, folder: Path) -> Self:
        folder.mkdir()
        for split, rows in self.rows_of.items():
            for row in rows:
                (folder / f"{split}_{row}.jpg").touch()
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Literal["train", "validation", "test"], fields: Sequence[str]) -> Any:
        rows = [int(name.stem.split("_")[-1]) for name in Path(self.path).glob(f"*{split}_*.jpg")]
        return Rows(sorted(rows), fields, self.fault)


class TrueSource(Made, name="true_source"):
    """Keeps its contract.

    Example::

        [true_source]
    """


# --- samplers


class Restless(Sampler, name="restless"):
    """Draws by a chance of its own.

    Example::

        [restless]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        return [Draw(int(row)) for row in np.random.permutation(len(table))]


class Beyond(Sampler, name="beyond"):
    """Draws a sample that is not there.

    Example::

        [beyond]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        return [Draw(len(table))]


class Repeating(Sampler, name="repeating"):
    """Shows every epoch in the order of the first.

    Example::

        [repeating]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> list[Draw]:
        return [Draw(int(row)) for row in np.random.default_rng(seed).permutation(len(table))]


class SeedBlind(Sampler, name="seed_blind"):
    """Draws the same whatever the seed.

    Example::

        [seed_blind]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> list[Draw]:
        return [Draw(int(row)) for row in np.random.default_rng(epoch).permutation(len(table))]


class SortsTable(Sampler, name="sorts_table"):
    """Writes into the table that others read as well.

    Example::

        [sorts_table]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> list[Draw]:
        assert table.subjects is not None
        table.subjects.sort()
        table.labels["labels"][:] = 0
        return [Draw(int(row)) for row in np.random.default_rng((seed, epoch)).permutation(len(table))]


class SeedsAll(Sampler, name="seeds_all"):
    """Seeds the chance of the whole process.

    Example::

        [seeds_all]
    """

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> list[Draw]:
        np.random.seed(seed * 1000 + epoch)
        return [Draw(int(row)) for row in np.random.permutation(len(table))]


# --- schedules


class NeverLearns(Schedule, schedule="never_learns"):
    """Learning rates are nothing, all the time."""

    def factor(self, finished: int, max_epochs: int) -> float:
        return 0.0


class IdleSchedule(Schedule, schedule="idle_schedule"):
    """Has an option that nothing obeys."""

    steepness: float = Field(2.0, description="of nothing")

    def factor(self, finished: int, max_epochs: int) -> float:
        return 1 - finished / max_epochs


class Overdrawn(Schedule, schedule="overdrawn"):
    """Falls below nothing, of which only an option that must be written tells."""

    span: int = Field(description="in how many epochs it falls")

    def factor(self, finished: int, max_epochs: int) -> float:
        return 1 - finished / self.span
