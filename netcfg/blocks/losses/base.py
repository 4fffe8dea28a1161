"""What a loss is, and how it compares shapes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section, ShapeError
from netcfg.shapes import Shape, class_axis, differ, show

if TYPE_CHECKING:
    from torch import nn

Given = TypeVar("Given")


class Loss(Section):
    """A number to make small, from signals, and for some from networks that it evaluates itself.

    A subclass names the options that hold its signals and networks; the arguments of its module come in that
    order, networks first; `named_options` hold further signals, which it is given by name where they are written.
    """

    group: ClassVar[Group] = "loss"
    family: ClassVar[str] = "loss"
    signal_options: ClassVar[tuple[str, ...]] = ("input", "target")
    named_options: ClassVar[tuple[str, ...]] = ()
    network_options: ClassVar[tuple[str, ...]] = ()
    stops_gradient: ClassVar[bool] = False
    """Whether gradients reach only the networks it evaluates itself, not those that made its signals."""
    in_evaluation: ClassVar[bool] = True
    """Whether it can be computed without gradients, on data that train nothing."""
    size_options: ClassVar[frozenset[str]] = frozenset()
    """Options that say a size which its signals tell, too, and must not say another."""
    learns: ClassVar[bool] = False
    """Whether it has parameters of its own, which the phase that minimises it trains."""

    source: str | None = Option(None, description="of joined sources the one whose samples count")

    @property
    def reads(self) -> dict[str, str]:
        """The signals it reads, by option."""
        values = {key: getattr(self, key) for key in (*self.signal_options, *self.named_options)}
        return {key: str(value) for key, value in values.items() if value is not None}

    def arguments(self, signals: Sequence[Given]) -> tuple[list[Given], dict[str, Given]]:
        """Of what stands for the signals it reads, what its module takes by place, and what by name."""
        given = dict(zip(self.reads, signals, strict=True))
        named = {key: given[key] for key in self.named_options if key in given}
        return [value for key, value in given.items() if key not in named], named

    def counts_by(self) -> tuple[object, ...]:
        """What it hangs on how much a batch counts, beside the number of samples; () where nothing else."""
        return ()

    @property
    def evaluates(self) -> tuple[str, ...]:
        """The networks it evaluates itself."""
        return tuple(str(getattr(self, key)) for key in self.network_options)

    @property
    def losses(self) -> tuple[str, ...]:
        """The losses that it reads."""
        return ()

    def parameters(self, shapes: Mapping[str, Shape], classes: int | None) -> int:
        """How many numbers it learns, for signals of these shapes, by option, and so many classes of its target."""
        return 0

    def build(self, shapes: Mapping[str, Shape], classes: int | None) -> "nn.Module":
        """The module as `lower` says; one that learns makes its parameters here, by the sizes."""
        return self.lower()

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Raise `ShapeError` where its signals do not fit; `classes`: how many the field it is compared with has."""

    def doubts_about(self, classes: Sequence[str]) -> dict[str, tuple[str, str, str]]:
        """What is hardly meant, now that the classes of its target are known: as `doubts`."""
        return {}

    def lower(self) -> "nn.Module":
        """A module `(*networks, *signals) -> scalar`, the mean over the batch, or -> `Counted`, a sum and its count."""
        raise NotImplementedError


class Comparison(Loss):
    """A loss of one signal against another, mostly a data field."""

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str | None = Option(None, description="the signal or data field it is compared with")


def squeezed(shape: Shape) -> Shape:
    """A shape without trailing ones: (12, 1, 1) is (12) to a loss."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


MOST_AXES = 4
"""Of a signal whose classes are looked for: see `netcfg.shapes.class_axis`."""


def compare(what: str, input: Shape, target: Shape | None = None) -> None:
    """Refuse shapes that differ, but for trailing ones. `what` names the input's numbers in the message."""
    if target is None:
        raise ShapeError(
            "needs a target to compare with", argument=1, code="NC402", help="write `target = labels`"
        )
    ours, theirs = squeezed(input), squeezed(target)
    if len(ours) != len(theirs) or any(differ(one, other) for one, other in zip(ours, theirs, strict=True)):
        message = f"compares {show(input)} {what} with a target of {show(target) or '1'}"
        raise ShapeError(message, code="NC402", help=_remedy(ours, theirs))


def _remedy(input: Shape, target: Shape) -> str | None:
    if len(target) == 1:
        return _of_places(target) if len(input) == 3 else f"let the last block give {show(target)} features"
    if len(target) == 2 and input[1:] == target:
        return "for classes [cross_entropy], with a channel for each; for numbers a [squeeze] before"
    if len(input) == len(target) == 3 and not differ(input[0], target[0]):
        return TO_SIZE
    return None


def _of_places(target: Shape) -> str:
    """The way out where a map is compared with numbers of the whole sample."""
    return f"put a [flatten] before the last block, and let it give {show(target)} features"


TO_SIZE = "bring the map to the target's size: [upsample] with `size_of`, or [resize] in {Data}"


def places_of_classes(names: tuple[str, str], input: Shape, target: Shape) -> Shape:
    """The axes of the classes taken off the input's: none for a vector, H×W of a map, L of a row.

    `names` are those of both. Raises `ShapeError` where the target has no class for each of these places.
    """
    if not target or target == (1,) and len(squeezed(input)) == 1:
        if len(squeezed(input)) != 1 or not input:
            given = show(input) or "one number"
            raise ShapeError(f"needs one logit per class, and `{names[0]}` gives {given}", code="NC402")
        return ()
    if len(target) == len(input) and target[0] == 1:  # a map of one channel
        target = target[1:]
    if 1 <= len(input) <= MOST_AXES:
        axis = class_axis(len(input))
        rest = input[:axis] + input[axis + 1 :]
    else:
        rest = ()
    if len(rest) != len(target) or any(map(differ, rest, target)):
        raise ShapeError(
            f"needs a class for each place of `{names[0]}`, which gives {show(input)}, and `{names[1]}` "
            f"is {show(target)}",
            argument=1,
            code="NC402",
            help=_remedy_of_classes(input, target),
        )
    return rest


def _remedy_of_classes(input: Shape, target: Shape) -> str:
    if len(input) == 3 and len(target) == 2:
        return TO_SIZE
    if len(squeezed(input)) == len(squeezed(target)) == 1:
        return "for labels that may hold together: [bce_with_logits]"
    if len(squeezed(input)) == 3 and len(target) == 1:
        return _of_places(target)
    return "a target of one class for each sample, or for each place of a map (H×W) or row (L)"


def expect_logits(names: tuple[str, str], logits: int, classes: int, places: Shape) -> None:
    """Refuse another number of logits than there are classes. `names` are those of input and target."""
    if logits != classes:
        raise ShapeError(
            f"`{names[0]}` gives {logits} logit{'s' if logits != 1 else ''}, but `{names[1]}` has {classes} classes",
            code="NC402",
            help=f"let the last block give {classes} {'features' if len(places) < 2 else 'channels'}",
        )
