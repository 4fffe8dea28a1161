"""Concordance as a loss."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.comparing import Comparing
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class Ccc(Comparing, name="ccc"):
    """One minus Lin's concordance of each number with its target, over the samples of a batch; the mean over numbers.

    It is 0 where all agree, 1 where nothing goes together, and asks for batches of many samples: under `accumulate`
    it is the mean over the batches, not that of all samples together.
    Shapes: equal ones: A, or T×A, whose frames count as samples.
    Source: Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.
    Example::

        [ccc]
        input = Regressor
        target = intensities
    """

    takes_number: ClassVar[bool] = False

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """Numbers, or rows of them."""
        places = super().places(input, target, classes)
        if len(places) > 2:
            raise ShapeError(
                f"compares numbers or rows of them, and `{self.target}` is {show(places)}",
                argument=1,
                code="NC402",
            )
        return places

    def lower(self) -> "nn.Module":
        """The module `(values, targets) -> scalar`."""
        from netcfg.builder.modules.losses.agreement import Ccc as Module

        return Module(**self.shared())
