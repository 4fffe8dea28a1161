"""A window of any size and shape, scaled to one size."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.transforms.base import Least
from netcfg.blocks.transforms.moving import SIZE, Between, Moving, Side, two_numbers

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class RandomResizedCrop(Moving, name="random_resized_crop"):
    """Cut a window of a drawn size, shape and place out of the picture and scale it to one size, with all its fields.

    Right below a source of pictures in files, a JPEG is decoded at a half, a quarter or an eighth of its size where the
    window then still has twice the pixels that are shown along each side: about a level of 255 from the whole picture.
    Shapes: (3, H, W) -> (3, size, size); clips frame by frame.
    Source: torchvision's RandomResizedCrop, with which networks for ImageNet are trained.
    Example::

        [random_resized_crop]
        size = 16
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"fill", "mask_fill"})

    size: tuple[Side, ...] = Option(description=SIZE)
    scale: tuple[Annotated[float, Option(gt=0, le=1)], ...] = Option(
        (0.08, 1.0), description="parts of the picture's area, from, to"
    )
    ratio: tuple[Annotated[float, Option(gt=0, le=100)], ...] = Option(
        (3 / 4, 4 / 3), description="width by height of the window, from, to"
    )
    interpolation: Between = Option(
        "auto", description="between pixels; auto: by area where it shrinks, linear where it grows"
    )

    def conflict(self) -> str | None:
        """One side, or two; ranges from the smaller to the larger."""
        if len(self.size) not in (1, 2):
            return f"has {len(self.size)} numbers in `size` for height and width"
        return two_numbers("scale", self.scale) or two_numbers("ratio", self.ratio)

    def new_size(self) -> tuple[int, int]:
        """As written."""
        return self.size[0], self.size[-1]

    def between(self) -> str:
        """As written."""
        return self.interpolation

    def least(self) -> "Least":
        """The picture at which the drawn window has the new size."""
        from netcfg.datasets.transforms.moves import LeastForWindow

        return LeastForWindow(self.way())

    def way(self) -> "Way":
        """A window anywhere."""
        from netcfg.datasets.transforms.moves import ResizedCropWay

        return ResizedCropWay(
            (self.size[0], self.size[-1]), (self.scale[0], self.scale[1]), (self.ratio[0], self.ratio[1])
        )
