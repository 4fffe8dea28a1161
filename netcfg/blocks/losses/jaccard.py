"""The Jaccard loss."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.regions import Regions

if TYPE_CHECKING:
    from torch import nn


class Jaccard(Regions, name="jaccard"):
    """How little a map and what is there overlap: 1 - (|A ∩ B| + smooth) / (|A ∪ B| + smooth).

    A are probabilities, B what is there. Each class counts alike, however small.

    Shapes: logits K×H×W against classes H×W; with `of = labels` A×H×W against A×H×W; other places likewise.
    Source: Rahman, Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks", 2016.
    Example::

        [jaccard]
        input = Segmenter
        target = mask
    """

    def lower(self) -> "nn.Module":
        """The module `(logits, classes or labels) -> scalar`."""
        return self.module(1.0, 1.0, self.smooth)
