"""Pictures whose light parts are inverted."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.toning import Toning

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class Solarize(Toning, name="solarize"):
    """Invert what is light in some samples' pictures: levels from `threshold` on become 255 less them; flow stays.

    Source: torchvision's RandomSolarize.
    Example::

        [solarize]
        threshold = 128
    """

    threshold: Annotated[int, Option(ge=0, le=255)] = Option(128, description="the first level, of 0 to 255")

    def drawer(self) -> "Drawer":
        """Inverted."""
        from netcfg.datasets.transforms.tones import Always, Torchvision

        return Always(Torchvision("solarize", (self.threshold,)))
