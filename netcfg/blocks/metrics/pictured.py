"""Metrics of pictures against pictures: a figure of each, and their mean."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed, WeighedMetric
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor


class Pictured(WeighedMetric):
    """The mean over pictures of a figure that each has."""

    unavailable: ClassVar[frozenset[str]] = frozenset({"grouping"})

    span: Annotated[float, Option(gt=0)] = Option(
        1.0,
        alias="range",
        description="how far values can lie apart: 1 of pictures from 0 to 1, 2 of those from -1 to 1",
    )

    def check(self, input: Shape, target: Shape | None) -> None:
        """Two pictures of one shape."""
        compare("pictures", input, target)
        for name, shape in ((self.input, input), (self.target, target)):
            if shape is None or len(shape) != 3:
                given = show(shape) if shape else "one number"
                raise ShapeError(f"compares pictures C×H×W, and `{name}` gives {given}", code="NC402")

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The mean over pictures that have a figure."""
        import torch

        figures = rows["figure"].double()
        known = ~figures.isnan()
        total = weights @ known.double()
        return Weighed((weights @ figures.nan_to_num()) / torch.where(total > 0, total, torch.nan))
