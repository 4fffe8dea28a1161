"""Losses of several tasks, weighed by what is learned of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.learned import OfLosses
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class Uncertainty(OfLosses, name="uncertainty"):
    """The losses of several tasks, each weighed by how uncertain it is, which is learned: Σ exp(-s) · loss + s.

    Where a loss cannot be made smaller, its s grows until exp(-s) is one over the loss; so losses of any size meet,
    and none has to be weighed by hand. A loss of which nothing counts in a batch leaves its s as it is. `minimise`
    names this loss alone; those that it reads must not fall below 0. exp(-s) stands in the run's log and curves.
    Shapes: none; it reads losses.
    Source: Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", 2018, with s = log σ².
    Example::

        [uncertainty]
        of = expression, landmarks
    """

    learns: ClassVar[bool] = True

    start: float = Option(0.0, description="what each s is at first: losses weigh exp(-start)")

    def parameters(self, shapes: Mapping[str, Shape], classes: int | None) -> int:
        """A number for each loss."""
        return len(self.of)

    def lower(self) -> "nn.Module":
        """The module `(values, counts) -> scalar`."""
        from netcfg.builder.modules.losses.learned import Uncertainty as Module

        return Module(self.of, self.start)
