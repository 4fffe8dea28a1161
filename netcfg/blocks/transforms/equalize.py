"""Pictures whose levels are evenly used."""

from typing import TYPE_CHECKING

from netcfg.blocks.transforms.toning import Toning

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class Equalize(Toning, name="equalize"):
    """Spread the levels of some samples' pictures so that each is used about as often, channel by channel; flow stays.

    Source: torchvision's RandomEqualize.
    Example::

        [equalize]
        probability = 0.3
    """

    def drawer(self) -> "Drawer":
        """Evened."""
        from netcfg.datasets.transforms.tones import Always, Torchvision

        return Always(Torchvision("equalize"))
