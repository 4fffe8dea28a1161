"""Pictures of few levels."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.transforms.toning import Toning

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class Posterize(Toning, name="posterize"):
    """Leave some samples' pictures only the first bits of each level: 3 of 8 make steps of 32; flow stays.

    Source: torchvision's RandomPosterize.
    Example::

        [posterize]
        bits = 4
    """

    bits: Annotated[int, Option(ge=0, le=8)] = Option(4, description="that stay, of 8")

    def drawer(self) -> "Drawer":
        """Fewer levels."""
        from netcfg.datasets.transforms.tones import Always, Torchvision

        return Always(Torchvision("posterize", (self.bits,)))
