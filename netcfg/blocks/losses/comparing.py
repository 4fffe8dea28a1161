"""What comparing losses have in common: what counts, and by how much."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import (
    MOST_AXES,
    Comparison,
    compare,
    expect_logits,
    places_of_classes,
    squeezed,
)
from netcfg.shapes import Shape, Size, class_axis, show, spread

Positive = Annotated[float, Option(gt=0)]
Probability = Annotated[float, Option(ge=0, le=1)]
Share = Annotated[float, Option(ge=0, lt=1)]
ClassWeights = tuple[Annotated[float, Option(ge=0)], ...]
CLASS_WEIGHTS = "a factor for each class, by which a place also counts: the mean is over their sum"


class Comparing(Comparison):
    """A comparison place by place: where its mask is 0, or its target is `ignore`, a place neither counts nor divides.

    The mean is over all that counts: in a batch, in all batches of an accumulation, in all processes.
    Its module is a `netcfg.builder.modules.losses.comparing.Comparing`, made with `shared`.
    """

    named_options: ClassVar[tuple[str, ...]] = ("mask", "weight")
    takes_number: ClassVar[bool] = True
    """Whether its target may be a number: `target = 1`."""
    what: ClassVar[str] = "values"
    """What its input holds, in messages."""
    of_numbers: ClassVar[bool] = True
    """Whether its input is the number itself, and no logit whose sigmoid or softmax is one."""

    target: str | None = Option(
        None, description="the signal or data field it is compared with, or a number: `target = 1`"
    )
    mask: str | None = Option(
        None, description="a field or signal: where it is 0, nothing counts; broadcast over the places"
    )
    weight: str | None = Option(
        None, description="a field or signal: how much a sample or place counts; broadcast over the places"
    )
    ignore: float | None = Option(None, description="where the target is this number, nothing counts")
    channels: Literal["all", "target"] = Option(
        "all", description="`target` compares the first channels, as many as the target has"
    )

    @property
    def number(self) -> float | None:
        """The number that it compares with; None where that is a signal."""
        if self.target is None or not self.takes_number:
            return None
        try:
            return float(self.target)
        except ValueError:
            return None

    @property
    def reads(self) -> dict[str, str]:
        """The signals it reads, by option; a number is none."""
        reads = super().reads
        return (
            reads if self.number is None else {key: value for key, value in reads.items() if key != "target"}
        )

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Nothing can be ignored, or counted off, of a number."""
        if self.number is None:
            return {}
        said = f"compares with the number {self.target}, and has"
        help = "take it out, or name a field as `target`"
        written = {"ignore": self.ignore is not None, "channels": self.channels != "all"}
        return {
            key: ("NC105", f"`[{self.type_name}]` {said} `{key}`", help)
            for key, is_ in written.items()
            if is_
        }

    def counts_by(self) -> tuple[object, ...]:
        """Its mask, its weights, and what it ignores of its target."""
        target = self.target if self.ignore is not None else None
        counting = (self.mask, self.weight, self.ignore, target)
        return counting if any(value is not None for value in counting) else ()

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """The places fit, and mask and weights lie over them."""
        given = dict(zip(self.reads, shapes, strict=True))
        number = self.number is not None
        places = self.places(given["input"], given["input"] if number else given.get("target"), classes)
        for argument, key in enumerate(given):
            if key in self.named_options:
                self.check_named(key, argument, given, places)

    def check_named(self, key: str, argument: int, given: dict[str, Shape], places: Shape) -> None:
        """That a further signal fits: a mask or weights lie over the places."""
        if spread(given[key], places) is None:
            over = show(places) or "one place"
            raise ShapeError(
                f"has a {key} of {show(given[key])}, which does not lie over {over} for each sample",
                argument=argument,
                code="NC402",
                option=key,
                help=f"a {key} of {over}, of its first or last axes, or of one number for each sample",
            )

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """The shape of what is compared, without samples. Raises `ShapeError` where the two do not fit."""
        if self.channels == "target" and target and input and not differ_less(input[0], target[0]):
            input = (target[0], *input[1:])
        compare(self.what, input, target)
        assert target is not None
        return squeezed(target)

    def shared(self) -> dict[str, Any]:
        """The options of its module that all comparing losses have."""
        return {"target": self.number, "ignore": self.ignore, "channels": self.channels}


def differ_less(size: Size, least: Size) -> bool:
    """Whether a size is surely less than another."""
    rest = size - least
    return isinstance(rest, int) and rest < 0


class OverClasses(Comparing):
    """Compares a number for each class with the right one, at each place: of a sample, a map (K×H×W) or a row (L×K)."""

    takes_number: ClassVar[bool] = False
    of_numbers: ClassVar[bool] = False
    unavailable: ClassVar[frozenset[str]] = frozenset({"channels"})

    target: str = Option(description="the data field of the right class")
    ignore: int | None = Option(None, description="the class number where nothing counts, such as 255")

    def doubts_about(self, classes: Sequence[str]) -> dict[str, tuple[str, str, str]]:
        """An `ignore` that is a real class: that class would never be learned."""
        if self.ignore is None or not 0 <= self.ignore < len(classes):
            return {}
        what = f"`ignore = {self.ignore}` is the class `{classes[self.ignore]}` of `{self.target}`"
        help = "a number that no class has, such as 255, unless that is meant"
        return {"ignore": ("NC402", f"{what}, which is then not learned", help)}

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """The axes of the classes taken off: none for a vector, H×W of a map, L of a row."""
        if target is None:
            raise ShapeError("needs a class to compare with, and is given nothing", argument=1, code="NC402")
        names = self.input, self.target
        places = places_of_classes(names, input, target)
        number = input[0] if not places else input[class_axis(len(input))]
        if classes is not None and isinstance(number, int):
            expect_logits(names, number, classes, places)
        self.check_by_class(number)
        return places

    def check_by_class(self, number: Size) -> None:
        """Refuse `class_weights` of another number than there are classes."""
        weights: Sequence[float] = getattr(self, "class_weights", ())
        if weights and isinstance(number, int) and len(weights) != number:
            raise ShapeError(
                f"has {len(weights)} `class_weights`, and `{self.input}` tells {number} classes apart",
                code="NC402",
                option="class_weights",
                help="a number for each class, in their order",
            )


class OfProbabilities(OverClasses):
    """Compares the numbers of each class, or of each feature, with as many of the target, at each place."""

    unavailable: ClassVar[frozenset[str]] = frozenset({"channels", "ignore"})

    target: str = Option(description="the signal or data field it is compared with")

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """The axis that the sum or the cosine is over taken off."""
        compare(self.what, input, target)
        assert target is not None
        if not 1 <= len(target) <= MOST_AXES:
            raise ShapeError(
                f"compares vectors, rows or maps of them, and `{self.target}` is {show(target) or 'one number'}",
                argument=1,
                code="NC402",
            )
        return without(target, class_axis(len(target)))


def without(shape: Shape, axis: int) -> Shape:
    """A shape without one of its axes."""
    return shape[:axis] + shape[axis + 1 :]
