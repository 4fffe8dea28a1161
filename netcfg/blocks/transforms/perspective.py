"""A picture seen from elsewhere."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.fields import Probability
from netcfg.blocks.transforms.moving import Warping

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class Perspective(Warping, name="perspective"):
    """Pull each corner of the picture inwards as if seen from elsewhere, by drawn lengths, with all fields of a sample.

    Source: torchvision's RandomPerspective.
    Example::

        [perspective]
        distortion = 0.3
    """

    probability: Probability = Option(0.5, description="how likely a sample is changed")
    distortion: Annotated[float, Option(ge=0, le=1)] = Option(
        0.5, description="the farthest a corner is pulled, as a part of half a side"
    )

    def way(self) -> "Way":
        """By its corners."""
        from netcfg.datasets.transforms.moves import PerspectiveWay

        return PerspectiveWay(self.probability, self.distortion)
