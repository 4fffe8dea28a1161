"""Total variation."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Loss
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class TotalVariation(Loss, name="total_variation"):
    """How much neighbours differ in a picture or map: the mean absolute difference down, plus that across.

    A little of it keeps masks and pictures smooth.
    Shapes: C×H×W or H×W.
    Source: Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", 1992, anisotropic.
    Example::

        [total_variation]
        input = Decoder
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input",)

    input: str = Option(description="the signal")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Something with a height and a width."""
        if len(shapes[0]) not in (2, 3):
            raise ShapeError(
                f"needs a picture or a map, and `{self.input}` gives {show(shapes[0]) or 'one number'}",
                code="NC402",
            )

    def lower(self) -> "nn.Module":
        """The module `pictures -> scalar`."""
        from netcfg.builder.modules.losses.pictures import TotalVariation as Module

        return Module()
