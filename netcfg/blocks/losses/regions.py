"""What losses of regions have in common."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.comparing import Comparing, OverClasses
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class Regions(OverClasses):
    """How far a map of probabilities overlaps with what is there, by class.

    What is masked or ignored is no part of either. A sample of which nothing is left does not count.
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"channels", "weight"})
    named_options: ClassVar[tuple[str, ...]] = ("mask",)

    of: Literal["classes", "labels"] = Option(
        "classes", description="one class for each place, or labels that may hold together"
    )
    over: Literal["sample", "batch"] = Option(
        "sample", description="whether regions are those of each sample, or of the whole batch together"
    )
    smooth: Annotated[float, Option(gt=0)] = Option(
        1.0, description="added above and below: where a class is neither there nor claimed, the loss is 0"
    )
    background: bool = Option(True, description="whether class 0 counts as one of them")

    def conflict(self) -> str | None:
        """Labels have no background."""
        if self.of == "labels" and not self.background:
            return "has `background = False`, which is class 0, and is `of = labels`"
        return None

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """Those of classes, or of labels."""
        if self.of == "labels":
            places = Comparing.places(self, input, target, classes)
            if not places:
                raise ShapeError(f"needs labels, and `{self.target}` is one number", argument=1, code="NC402")
            return places
        places = super().places(input, target, classes)
        if not self.background and (not input or input[0 if len(input) != 2 else 1] == 1):
            raise ShapeError(
                f"leaves out class 0, and `{self.input}` gives no other: {show(input)}",
                code="NC402",
                option="background",
            )
        return places

    def module(self, alpha: float, beta: float, smooth: float) -> "nn.Module":
        """The module `(logits, classes or labels) -> scalar`."""
        from netcfg.builder.modules.losses.regions import Tversky as Module

        return Module(alpha, beta, smooth, self.of, self.over, self.background, **self.shared())
