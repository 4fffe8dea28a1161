"""Cross-entropy of classes."""

from typing import TYPE_CHECKING

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Comparison, squeezed
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class CrossEntropy(Comparison, name="cross_entropy"):
    """Cross-entropy of one logit per class against the right class's number, the mean over the batch.

    Shapes: logits (K) or (K, 1, 1), the class a single number 0..K-1.
    Source: PyTorch's `cross_entropy`.
    Example::

        [cross_entropy]
        input = Classifier
        target = emotion
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """A vector of logits, a single class."""
        logits = squeezed(shapes[0])
        if len(logits) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(shapes[0])}", code="NC402"
            )
        if len(shapes) == 1 or shapes[1]:
            given = "nothing" if len(shapes) == 1 else show(shapes[1])
            raise ShapeError(f"needs a class to compare with, and is given {given}", argument=1, code="NC402")
        if classes is not None and isinstance(logits[0], int) and logits[0] != classes:
            raise ShapeError(
                f"`{self.input}` gives {logits[0]} logits, but `{self.target}` has {classes} classes",
                code="NC402",
                help=f"let the last block give {classes} features",
            )

    def lower(self) -> "nn.Module":
        """The module `(logits, classes) -> scalar`."""
        from netcfg.trainers.step.losses import CrossEntropy as Module

        return Module()
