"""Near and far pairs."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import Positive
from netcfg.blocks.losses.within_batch import WithinBatch

if TYPE_CHECKING:
    from torch import nn


class Contrastive(WithinBatch, name="contrastive"):
    """Draw vectors of one class together and push others `margin` apart, the mean over all pairs of a batch.

    ½ d² for a pair of one class, ½ max(0, margin - d)² for another, d their distance.
    Shapes: vectors F, a class for each sample.
    Source: Hadsell, Chopra, LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006, equation 4.
    Example::

        [contrastive]
        input = Embedder
        target = subject
    """

    margin: Positive = Option(1.0, description="the distance that is far enough")

    def lower(self) -> "nn.Module":
        """The module `(vectors, classes) -> Counted`."""
        from netcfg.builder.modules.losses.embeddings import Contrastive as Module

        return Module(self.margin, self.normalise, self.ignore)
