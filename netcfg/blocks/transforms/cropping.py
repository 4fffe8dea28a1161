"""What transforms have in common that cut a window of a fixed size out of pictures."""

from collections.abc import Mapping

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import targets
from netcfg.blocks.transforms.moving import SIZE, Moving, Side


class Cropping(Moving):
    """A transform that cuts a window of a fixed size out of pictures."""

    size: tuple[Side, ...] = Option(description=SIZE)
    pad_if_needed: bool = Option(False, description="let a smaller picture be filled up; else it is refused")

    def conflict(self) -> str | None:
        """One side, or two."""
        return (
            None
            if len(self.size) in (1, 2)
            else f"has {len(self.size)} numbers in `size` for height and width"
        )

    @property
    def side(self) -> tuple[int, int]:
        """Height and width."""
        return self.size[0], self.size[-1]

    def new_size(self) -> tuple[int, int]:
        """As written."""
        return self.side

    def is_larger(self, height: int, width: int) -> bool:
        """Whether the window does not fit into a picture."""
        return self.side[0] > height or self.side[1] > width

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """At the new size. Raises `ShapeError` for windows that do not fit."""
        for name in targets(self, fields, ("image", "flow", "mask", "map")):
            height, width = fields[name].shape[-2:]
            known = isinstance(height, int) and isinstance(width, int)
            if known and not self.pad_if_needed and self.is_larger(int(str(height)), int(str(width))):
                raise ShapeError(
                    f"takes {self.side[0]}×{self.side[1]} pixels out of `{name}`, whose pictures are {height}×{width}",
                    option="size",
                    help="a smaller `size`, `pad_if_needed = True`, or [resize] first",
                )
        return super().fields(fields)
