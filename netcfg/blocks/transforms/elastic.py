"""A picture as if drawn on rubber."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.moving import Warping

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class Elastic(Warping, name="elastic"):
    """Move every pixel of the picture a little, neighbours much the same way, with all fields of a sample.

    Shifts are noise from -1 to 1, blurred by a Gaussian of `sigma` pixels, times half of `alpha` pixels.
    Source: torchvision's ElasticTransform.
    Example::

        [elastic]
        alpha = 60
        sigma = 4
    """

    alpha: Annotated[float, Option(ge=0, le=10_000)] = Option(50.0, description="how far pixels move")
    sigma: Annotated[float, Option(gt=0, le=1_000)] = Option(
        5.0, description="over how many pixels shifts are alike"
    )

    def way(self) -> "Way":
        """By smoothed noise."""
        from netcfg.datasets.transforms.moves import ElasticWay

        return ElasticWay(self.probability, self.alpha, self.sigma)
