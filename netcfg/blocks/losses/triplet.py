"""Triplets."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import Positive
from netcfg.blocks.losses.within_batch import WithinBatch

if TYPE_CHECKING:
    from torch import nn


class Triplet(WithinBatch, name="triplet"):
    """A vector should lie nearer to one of its class than to one of another, by `margin`; triplets of a batch.

    `mining = hard` takes for each sample the farthest of its class and the nearest of others, `semi_hard` for each
    pair of a class the nearest other that is farther than they are from each other (else the farthest there is), `all`
    every triplet. A sample that has no other of its class in the batch, or none of another, does not count: batches
    should hold several of a class.
    Shapes: vectors F, a class for each sample.
    Source: Schroff et al., "FaceNet", 2015; Hermans, Beyer, Leibe, "In Defense of the Triplet Loss", 2017.
    Example::

        [triplet]
        input = Embedder
        target = subject
    """

    mining: Literal["hard", "semi_hard", "all"] = Option("hard", description="which triplets count")
    margin: Positive = Option(0.2, description="by how much nearer")

    def lower(self) -> "nn.Module":
        """The module `(vectors, classes) -> Counted`."""
        from netcfg.builder.modules.losses.embeddings import Triplet as Module

        return Module(self.margin, self.mining, self.normalise, self.ignore)
