"""A picture turned, shifted, scaled and sheared."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.moving import Degrees, Warping, as_range, one_or_two, two_numbers

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way

Part = Annotated[float, Option(ge=0, le=1)]


class Affine(Warping, name="affine"):
    """Turn, shift, scale and shear the picture about its middle by drawn numbers, with all fields of a sample.

    Source: torchvision's RandomAffine.
    Example::

        [affine]
        degrees = 10
        translate = 0.1
        scale = 0.9, 1.1
        shear = 5
    """

    degrees: tuple[Degrees, ...] = Option(
        (0.0,), description="the farthest it is turned, clockwise; or from, to"
    )
    translate: tuple[Part, ...] = Option(
        (0.0,),
        description="the farthest it is shifted, as a part of the side; or of the height, of the width",
    )
    scale: tuple[Annotated[float, Option(gt=0, le=100)], ...] = Option(
        (1.0, 1.0), description="how many times as large it becomes, from, to"
    )
    shear: tuple[Annotated[float, Option(gt=-89, lt=89)], ...] = Option(
        (0.0,),
        description="the farthest it is sheared along its width, in degrees; or from, to; then along its height",
    )

    def conflict(self) -> str | None:
        """Ranges."""
        if len(self.translate) > 2:
            return f"has {len(self.translate)} numbers in `translate` for height and width"
        if len(self.shear) == 4:
            sheared = two_numbers("shear", self.shear[:2]) or two_numbers("shear", self.shear[2:])
        else:
            sheared = one_or_two("shear", self.shear)
        return one_or_two("degrees", self.degrees) or two_numbers("scale", self.scale) or sheared

    def way(self) -> "Way":
        """All of it."""
        from netcfg.datasets.transforms.moves import AffineWay

        return AffineWay(
            self.probability,
            as_range(self.degrees),
            (self.translate[0], self.translate[-1]),
            (self.scale[0], self.scale[1]),
            as_range(self.shear[:2]),
            as_range(self.shear[2:]) if len(self.shear) == 4 else (0.0, 0.0),
        )
