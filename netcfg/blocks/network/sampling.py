"""Images looked at elsewhere: by a grid, or by a matrix."""

from typing import ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, ShapeError
from netcfg.shapes import Shape, Size, differ, show, volume


class _Sampler(Block):
    """What reads an image between its pixels."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "upsampling"
    input_count: ClassVar[int | None] = 2

    mode: Literal["bilinear", "nearest", "bicubic"] = Field(
        "bilinear", description="how to read between pixels"
    )
    outside: Literal["zeros", "border", "reflection"] = Field(
        "zeros", description="what lies outside the image"
    )
    align_corners: bool = Field(
        False, description="-1 and 1 are the middles of the outermost pixels, not their edges"
    )

    def _expect_image(self, shape: Shape) -> None:
        if len(shape) != 3:
            raise ShapeError(f"needs an image (C×H×W) first, and is given {show(shape)}")

    def _read(self, image: str, grid: str) -> str:
        return (
            f'F.grid_sample({image}, {grid}, mode="{self.mode}", padding_mode="{self.outside}", '
            f"align_corners={self.align_corners})"
        )

    def gradient_needs(self) -> frozenset[str]:
        """Image and grid."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True

    def reach(self, *inputs: Shape) -> None:
        """Anywhere."""
        return None

    def label(self) -> str:
        """How, where it is not the usual way."""
        return "" if self.mode == "bilinear" else self.mode


class GridSample(_Sampler, name="grid_sample"):
    """An image at the places of a grid: x, then y, from -1 (left, top) to 1.

    Shapes: C×H×W and h×w×2 -> C×h×w.
    Source: PyTorch's `grid_sample`.
    Example::

        [grid_sample]          # 3x8x8, 4x6x2 -> 3x4x6
        from = -1, -1
    """

    def shape(self, *inputs: Shape) -> Shape:
        """As many places as the grid has."""
        self._expect_image(inputs[0])
        if len(inputs[1]) != 3 or differ(inputs[1][2], 2):
            raise ShapeError(
                f"needs a grid (h×w×2) second, and is given {show(inputs[1])}",
                argument=1,
                help="[permute] with `order = height, width, channels` makes one of two channels",
            )
        return (inputs[0][0], *inputs[1][:2])

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return self._read(*names)


class SpatialTransformer(_Sampler, name="spatial_transformer"):
    """An image turned, moved and scaled by a matrix: which place of the input each place of the output shows.

    Shapes: C×H×W and 2×3, or 6 features (the matrix row by row) -> C×H×W.
    Source: Jaderberg et al., "Spatial Transformer Networks", 2015; PyTorch's `affine_grid`.
    Example::

        [spatial_transformer]  # 3x8x8, 2x3 -> 3x8x8
        from = -1, -1
    """

    def shape(self, *inputs: Shape) -> Shape:
        """The image's."""
        self._expect_image(inputs[0])
        if inputs[1] not in ((2, 3), (6,)):
            raise ShapeError(
                f"needs a matrix (2×3, or 6 features) second, and is given {show(inputs[1])}", argument=1
            )
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Torch's own."""
        image, matrix = names
        corners = f"align_corners={self.align_corners}"
        return self._read(image, f"F.affine_grid({matrix}.view(-1, 2, 3), {image}.shape, {corners})")

    def macs(self, *inputs: Shape) -> Size:
        """The matrix times each place."""
        return volume(inputs[0][1:]) * 6

    def kept(self, *inputs: Shape) -> Size:
        """The grid."""
        return volume(inputs[0][1:]) * 2

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return volume(inputs[0][1:]) * 2
