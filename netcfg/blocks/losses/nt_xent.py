"""Finding a sample's other view."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Comparison, compare, squeezed
from netcfg.blocks.losses.comparing import Positive
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class NtXent(Comparison, name="nt_xent"):
    """Two views of each sample should lie nearer to each other than to any other of the batch, by their cosines.

    Others are those of the same process and batch: `accumulate` adds none.
    Shapes: two vectors alike, F.
    Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020, equation 1.
    Example::

        [nt_xent]
        input = one
        target = other
    """

    target: str = Option(description="the signal of the other view")
    temperature: Positive = Option(
        0.5, description="what cosines are divided by: lower looks at near ones more"
    )

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Two vectors alike."""
        compare("numbers", *shapes)
        if any(len(squeezed(shape)) != 1 or not shape for shape in shapes):
            raise ShapeError(
                f"compares vectors, and `{self.input}` gives {show(shapes[0]) or 'one number'}", code="NC402"
            )

    def lower(self) -> "nn.Module":
        """The module `(vectors, vectors) -> scalar`."""
        from netcfg.builder.modules.losses.embeddings import NtXent as Module

        return Module(self.temperature)
