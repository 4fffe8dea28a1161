"""Structural similarity as a loss."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare
from netcfg.blocks.losses.comparing import Comparing, Positive
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class Ssim(Comparing, name="ssim"):
    """One minus the structural similarity of two pictures: means, contrasts and courses, in windows.

    The mean over windows. Those that reach over the edge are left out, as in the authors' code; torchmetrics reflects
    the picture there. `data_range` is what lies between black and white.
    Shapes: equal ones, C×H×W; mask and weights by sample.
    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
    Example::

        [ssim]
        input = Decoder
        target = image
        window = 7
    """

    takes_number: ClassVar[bool] = False
    unavailable: ClassVar[frozenset[str]] = frozenset({"channels", "ignore"})

    window: Annotated[int, Option(ge=1, le=101)] = Option(11, description="the side of a window")
    sigma: Positive = Option(1.5, description="the spread of its Gaussian weights, in pixels")
    data_range: Positive = Option(1.0, description="white minus black")

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """One number for each sample."""
        if len(input) != 3:
            raise ShapeError(
                f"compares pictures (C×H×W), and `{self.input}` gives {show(input) or 'one number'}",
                code="NC402",
            )
        compare("values", input, target)
        assert target is not None
        if len(target) != 3:
            raise ShapeError(
                f"compares pictures, and `{self.target}` is {show(target)}", argument=1, code="NC402"
            )
        sizes = [size for size in input[1:] if isinstance(size, int)]
        if any(size < self.window for size in sizes):
            raise ShapeError(
                f"has windows of {self.window}, and `{self.input}` gives {show(input)}",
                code="NC402",
                option="window",
                help=f"`window = {min(sizes)}` or less",
            )
        return ()

    def lower(self) -> "nn.Module":
        """The module `(pictures, pictures) -> scalar`."""
        from netcfg.builder.modules.losses.pictures import Ssim as Module

        return Module(self.window, self.sigma, self.data_range, **self.shared())
