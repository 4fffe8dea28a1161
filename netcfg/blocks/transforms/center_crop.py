"""The window in a picture's middle."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.transforms.base import WHEN, When
from netcfg.blocks.transforms.cropping import Cropping

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class CenterCrop(Cropping, name="center_crop"):
    """Cut the window in the middle out of the picture, in all splits, with all fields of a sample.

    Shapes: (3, H, W) -> (3, size, size); clips frame by frame.
    Source: torchvision's CenterCrop, but for smaller pictures, which it fills up unasked.
    Example::

        [center_crop]
        size = 26
        pad_if_needed = True
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"each_field"})

    when: When = Option("always", description=WHEN)

    def way(self) -> "Way":
        """The window in the middle."""
        from netcfg.datasets.transforms.moves import CenterCropWay

        return CenterCropWay(self.side, self.pad_if_needed)
