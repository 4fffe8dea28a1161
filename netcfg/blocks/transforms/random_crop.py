"""A window of a fixed size, anywhere in the picture."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.transforms.cropping import Cropping

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way


class RandomCrop(Cropping, name="random_crop"):
    """Cut a window of a fixed size out of the picture, at a drawn place, the same for all fields of a sample.

    Shapes: (3, H, W) -> (3, size, size); clips frame by frame.
    Source: torchvision's RandomCrop.
    Example::

        [random_crop]
        size = 26
        pad_if_needed = True
    """

    padding: Annotated[int, Option(ge=0, le=4_096)] = Option(
        0, description="pixels that are added on each side before"
    )
    padding_mode: Literal["constant", "edge", "reflect", "symmetric"] = Option(
        "constant",
        description="what is added: `fill`, the pixels at the edge, or the picture mirrored, without or with its "
        "last pixels",
    )

    def border(self) -> str:
        """As written."""
        return self.padding_mode

    def is_larger(self, height: int, width: int) -> bool:
        """Whether the window does not fit into a picture with its padding."""
        return self.side[0] > height + 2 * self.padding or self.side[1] > width + 2 * self.padding

    def way(self) -> "Way":
        """A window anywhere."""
        from netcfg.datasets.transforms.moves import RandomCropWay

        return RandomCropWay(self.side, self.padding, self.pad_if_needed)
