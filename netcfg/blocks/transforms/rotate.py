"""A picture turned."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.transforms.moving import Degrees, Warping, as_range, one_or_two

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class Rotate(Warping, name="rotate"):
    """Turn the picture about its middle by a drawn angle, with all fields of a sample; its size stays.

    Source: torchvision's RandomRotation.
    Example::

        [rotate]
        degrees = 15          # from -15 to 15
    """

    degrees: tuple[Degrees, ...] = Option(
        description="the farthest it is turned, counter-clockwise; or from, to"
    )

    def conflict(self) -> str | None:
        """A range."""
        return one_or_two("degrees", self.degrees)

    def way(self) -> "Way":
        """Turned."""
        from netcfg.datasets.transforms.moves import AffineWay

        low, high = as_range(self.degrees)
        return AffineWay(self.probability, (-high, -low))
