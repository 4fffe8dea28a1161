"""The Dice loss."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.regions import Regions

if TYPE_CHECKING:
    from torch import nn


class Dice(Regions, name="dice"):
    """How little a map and what is there overlap: 1 - (2 |A ∩ B| + smooth) / (|A| + |B| + smooth).

    A are probabilities, B what is there. Each class counts alike, however small.

    Shapes: logits K×H×W against classes H×W; with `of = labels` A×H×W against A×H×W; other places likewise.
    Source: Milletari, Navab, Ahmadi, "V-Net", 2016, with plain sums below.
    Example::

        [dice]
        input = Segmenter
        target = mask
    """

    def lower(self) -> "nn.Module":
        """The module `(logits, classes or labels) -> scalar`."""
        return self.module(0.5, 0.5, self.smooth / 2)
