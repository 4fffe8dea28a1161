"""Metrics of classes or labels that hang on how many answers were right, and how many wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare, expect_logits, places_of_classes, squeezed
from netcfg.blocks.metrics.figures import ACTIVE_ABOVE, DECISION, impossible_threshold, own_name
from netcfg.blocks.metrics.judgement import Case, Cut, Decision, Rows
from netcfg.blocks.metrics.weighed import POOL, Pool, Weighed, WeighedMetric
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.answers import Answers

Average = Literal["macro", "micro", "weighted"]
AVERAGE = (
    "the main figure: `macro` is the mean over classes or labels, `micro` that of their counts added up, `weighted` "
    "the mean by how often each is there"
)
IGNORE = "a number of the target that stands for what nobody knows: where it stands nothing counts"


class Answering(WeighedMetric):
    """A metric of answers: one of several classes, or labels that are there or not, of samples or of places in them."""

    ignore: int | None = Option(None, description=IGNORE)
    pool: Pool = Option("sum", description=f"with `group`: {POOL}")

    def conflict(self) -> str | None:
        """Without groups nothing is pooled."""
        if self.grouping is None and "pool" in self.model_fields_set:
            return "has `pool`, and no `group` whose answers it could make one of"
        return super().conflict()

    def check(self, input: Shape, target: Shape | None) -> None:
        """Logits per class against classes, or one logit for each label."""
        if target is not None and is_of_classes(input, target):
            return
        if target == () or (target is not None and input and len(squeezed(target)) < len(squeezed(input))):
            places_of_classes((self.input, self.target or ""), input, target)
        compare("logits", input, target)

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """Also that there are as many logits as classes, two at least, and that what is ignored is none of them."""
        super().check_signals(shapes, names)
        input, target = shapes["input"], shapes.get("target", ())
        if self.grouping is not None and len(squeezed(input)) > 1:
            raise ShapeError(
                f"judges groups as one, and `{self.input}` gives {show(input)}, not one answer a sample",
                code="NC402", help="leave out `group`, or reduce the map to one answer before",
            )  # fmt: skip
        if is_of_classes(input, target):
            self._check_classes(input, names)

    def _check_classes(self, input: Shape, names: Sequence[str]) -> None:
        places = squeezed(input)
        logits = places[_class_axis(len(places))]
        if names and isinstance(logits, int):
            expect_logits((self.input, self.target or ""), logits, len(names), places[1:])
        if logits == 1:
            raise ShapeError(
                f"needs two classes at least, and `{self.input}` gives one logit",
                code="NC402", help="a logit for each class, or labels, which are there or not, as the target",
            )  # fmt: skip
        if self.ignore is not None and names and 0 <= self.ignore < len(names):
            raise ShapeError(
                f"has `ignore = {self.ignore}`, which is the class `{names[self.ignore]}` of `{self.target}`",
                code="NC402", option="ignore",
                help="a number that is no class, such as -1 or 255; to leave samples out, write a `mask`",
            )  # fmt: skip

    def answers(self, case: Case) -> "Answers":
        """The case in one form."""
        from netcfg.trainers.judging import answers

        assert case.targets is not None
        judged = own_name(self), self.input, self.target
        return answers.answers(judged, case.scores, case.targets, case.mask, self.ignore)

    def rows(self, case: Case) -> Rows:
        """Of the answers."""
        return self.rows_of(self.answers(case))

    def rows_of(self, found: "Answers") -> Rows:
        """What it keeps of answers."""
        raise NotImplementedError

    def grouped(self, rows: Rows) -> "tuple[Rows, Tensor]":
        """Of one answer a group."""
        from netcfg.trainers.judging import answers

        case = Case(rows["scores"], rows["targets"], mask=rows.get("mask"))
        pooled, first = answers.pooled(self.answers(case), rows["group"], self.pool, own_name(self))
        return self.rows_of(pooled), first


class Counted(Answering):
    """A figure of each class or label, out of how many answers were right, given, due, and counted."""

    decision: Decision = Option("probability", description=f"for labels: {DECISION}")
    threshold: float = Option(0.5, description="for labels: a score above it counts as present")
    active_above: float = Option(0.5, description=f"for labels: {ACTIVE_ABOVE}")
    average: Average = Option("macro", description=AVERAGE)
    without: tuple[str, ...] = Option(
        (), description="names of classes or labels that are in no mean, such as `background`"
    )

    def conflict(self) -> str | None:
        """A probability is compared with one."""
        return impossible_threshold(self.decision, self.threshold) or super().conflict()

    def check(self, input: Shape, target: Shape | None) -> None:
        """Also that classes get no options of labels."""
        super().check(input, target)
        written = [option for option in self.of_labels if option in self.model_fields_set]
        if written and is_of_classes(input, target or ()):
            raise ShapeError(
                f"has `{written[0]}`, which is for labels, and `{self.target}` holds classes: the highest logit is the "
                "answer", code="NC402", option=written[0],
            )  # fmt: skip

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """Also that the classes that it leaves out are there."""
        super().check_signals(shapes, names)
        unknown = [name for name in self.without if name not in names]
        if unknown:
            known = ", ".join(names) or "none with names"
            raise ShapeError(
                f"is to leave out `{unknown[0]}`, which `{self.target}` does not have", code="NC402",
                option="without", item=unknown[0], help=f"it has {known}",
            )  # fmt: skip
        if names and len(set(self.without)) >= len(names):
            raise ShapeError("leaves out every class", code="NC402", option="without")

    of_labels: ClassVar[tuple[str, ...]] = ("decision", "threshold", "active_above")
    """Options that mean nothing for classes."""

    @property
    def cut(self) -> Cut | None:
        """By its threshold."""
        return Cut(self.threshold, self.decision)

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """The figure out of counts; they may be of one class, or of all added up."""
        raise NotImplementedError

    def lacks(self, actual: "Tensor", total: "Tensor") -> "Tensor":
        """Of which classes or labels there is no figure, whatever the answers."""
        return actual == 0

    lacking: ClassVar[str] = "no positive"

    def rows_of(self, found: "Answers") -> Rows:
        """Single classes as they are, all else as counts."""
        import torch

        from netcfg.trainers.judging.answers import class_counts, highest, label_counts
        from netcfg.trainers.judging.scores import decide

        if not found.is_class:
            present = decide(found.scores, self.decision, self.threshold)
            return {"labels": label_counts(found, present, found.truth > self.active_above)}
        predicted = highest(found.scores)
        if not found.is_single:
            return {"counts": class_counts(found, predicted)}
        actual = found.truth.masked_fill(~found.counts, -1)[:, 0]
        classes = torch.full_like(actual, found.scores.shape[1])
        return {"actual": actual, "predicted": predicted[:, 0], "classes": classes}

    def counts(self, rows: Rows, weights: "Tensor") -> "Tensor":
        """Right, predicted, actual and all of each class or label, (B, K, 4)."""
        from netcfg.trainers.judging.answers import counted_pairs, summed_counts

        if "actual" in rows:
            classes = int(rows["classes"].max())
            return counted_pairs(rows["actual"], rows["predicted"], classes, weights)
        return summed_counts(rows["labels"] if "labels" in rows else rows["counts"], weights)

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The figures of classes or labels, and their three means."""
        counts = self.counts(rows, weights)
        right, said, actual, total = counts.unbind(2)
        each = self.share(right, said, actual, total).masked_fill(self.lacks(actual, total), float("nan"))
        inside = self.inside(each.shape[1], names)
        means = self._means(each[:, inside], counts[:, inside])
        reasons = [self.lacking if lacks else "" for lacks in self.lacks(actual, total)[0].tolist()]
        several = each.shape[1] > 1
        return Weighed(means[self.average], each, means if several else {}, reasons)

    def inside(self, count: int, names: Sequence[str]) -> list[int]:
        """The classes or labels, by number, that means are taken over."""
        known = names if len(names) == count else [""] * count
        return [place for place, name in enumerate(known) if name not in self.without]

    def _means(self, each: "Tensor", counts: "Tensor") -> "dict[str, Tensor]":
        right, said, actual, total = counts.unbind(2)
        sums = [part.sum(1) for part in (right, said, actual, total)]
        lacks = self.lacks(sums[2], sums[3])
        micro = self.share(*sums).masked_fill(lacks, float("nan"))
        known = ~each.isnan()
        weighted = (each.nan_to_num() * actual).sum(1) / (actual * known).sum(1)
        return {"macro": each.nanmean(1), "micro": micro, "weighted": weighted}


def is_of_classes(input: Shape, target: Shape) -> bool:
    """Whether logits are of classes, that is, have an axis more than the target."""
    ours, theirs = squeezed(input), target if target == () else squeezed(target)
    if theirs == ():
        return len(ours) == 1
    if len(ours) == len(theirs) and theirs[0] == 1 != ours[0]:
        theirs = theirs[1:]
    if len(ours) != len(theirs) + 1:
        return False
    axis = _class_axis(len(ours))
    rest = (*ours[:axis], *ours[axis + 1 :])
    return not any(differ(one, other) for one, other in zip(rest, theirs, strict=True))


def _class_axis(axes: int) -> int:
    return {1: 0, 2: 1, 3: 0}.get(axes, axes - 3)
