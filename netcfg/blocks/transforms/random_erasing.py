"""Pictures with a part missing."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.transforms.moving import two_numbers
from netcfg.blocks.transforms.toning import Toning

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class RandomErasing(Toning, name="random_erasing"):
    """Fill a drawn rectangle of some samples' pictures, the same in all of them; flow, masks and landmarks stay.

    Source: torchvision's RandomErasing, here on levels of 0 to 255, before [normalise].
    Example::

        [random_erasing]
        scale = 0.02, 0.2
    """

    scale: tuple[Annotated[float, Option(gt=0, le=1)], ...] = Option(
        (0.02, 0.33), description="parts of the picture's area, from, to"
    )
    ratio: tuple[Annotated[float, Option(gt=0, le=100)], ...] = Option(
        (0.3, 3.3), description="width by height of the rectangle, from, to"
    )
    value: Annotated[int, Option(ge=0, le=255)] | Literal["random"] = Option(
        0, description="the level it is filled with, or noise"
    )

    def conflict(self) -> str | None:
        """Ranges from the smaller to the larger."""
        return two_numbers("scale", self.scale) or two_numbers("ratio", self.ratio)

    def drawer(self) -> "Drawer":
        """A rectangle."""
        from netcfg.datasets.transforms.tones import Erasing

        value = None if self.value == "random" else int(self.value)
        return Erasing((self.scale[0], self.scale[1]), (self.ratio[0], self.ratio[1]), value)
