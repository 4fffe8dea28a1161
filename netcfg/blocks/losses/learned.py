"""Losses with parameters of their own, which the phase that minimises them trains; and losses that read losses."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.losses.base import Loss, squeezed
from netcfg.blocks.losses.comparing import OverClasses
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class OfClasses(OverClasses):
    """Learns a vector for each class, and compares vectors with that of their class."""

    learns: ClassVar[bool] = True
    size_options: ClassVar[frozenset[str]] = frozenset({"classes"})

    target: str = Option(description="the data field of the class, or of who it is")
    classes: PositiveInt | None = Option(
        None, description="how many there are; None: as many as the target's field knows"
    )

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """A vector of a known size, a known number of classes."""
        given = dict(zip(self.reads, shapes, strict=True))
        self.number_of_classes(classes)
        self.features(given["input"])
        super().check(*shapes, classes=None)

    def number_of_classes(self, known: int | None) -> int:
        """How many vectors it learns. Raises `ShapeError` where nobody says, or the two disagree."""
        if self.classes is None and known is None:
            raise ShapeError(
                f"learns a vector for each class, and `{self.target}` does not say how many there are",
                argument=1,
                code="NC402",
                help="write `classes = …`",
            )
        if self.classes is not None and known is not None and self.classes < known:
            raise ShapeError(
                f"learns {self.classes} vectors, and `{self.target}` has {known} classes",
                argument=1,
                code="NC402",
                option="classes",
                help=f"`classes = {known}`, or take it out",
            )
        return self.classes or known or 0

    def features(self, input: Shape) -> int:
        """The size of a vector. Raises `ShapeError` where it is none, or not known."""
        vector = squeezed(input)
        if len(vector) != 1 or not isinstance(vector[0], int):
            raise ShapeError(
                f"compares vectors of a known size, and `{self.input}` gives {show(input) or 'one number'}",
                code="NC402",
            )
        return vector[0]

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """A vector and a class."""
        if target is None or squeezed(target or (1,)) != (1,):
            raise ShapeError(
                f"needs a class for each sample, and `{self.target}` is {show(target or ())}",
                argument=1,
                code="NC402",
            )
        return ()

    def parameters(self, shapes: Mapping[str, Shape], classes: int | None) -> int:
        """A vector for each class."""
        return self.number_of_classes(classes) * self.features(shapes["input"])


class OfLosses(Loss):
    """Makes one number of other losses: `of` names them, and each is computed, and reported, as if it were minimised.

    Its module takes their values and how much counts in each, two vectors in the order of `of`, and gives a number that
    is a sum of the values, each times something, and something else: where batches are accumulated, each loss weighs by
    what counts in it.
    """

    signal_options: ClassVar[tuple[str, ...]] = ()

    of: tuple[str, ...] = Option(description="the losses that it reads")

    @property
    def losses(self) -> tuple[str, ...]:
        """Those that it reads."""
        return self.of

    def build(self, shapes: Mapping[str, Shape], classes: int | None) -> "nn.Module":
        """`lower`, which needs no sizes."""
        return self.lower()
