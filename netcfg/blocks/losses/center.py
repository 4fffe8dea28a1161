"""Distances of vectors to learned centres of their classes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netcfg.blocks.losses.learned import OfClasses
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class Center(OfClasses, name="center"):
    """Half the squared distance of a vector to the centre of its class, which is learned.

    Beside a loss that tells classes apart, it draws vectors of one class together. The centres are the loss's own
    parameters, which the phase that minimises it trains; the paper moves them at a rate of their own
    (`rates = center: 50`). Alone, it is smallest where all vectors are the same.
    Shapes: vectors F, a class for each sample.
    Source: Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", 2016.
    Example::

        [center]
        input = Embedder
        target = subject
    """

    def build(self, shapes: Mapping[str, Shape], classes: int | None) -> "nn.Module":
        """The module `(vectors, classes) -> scalar`, with a centre for each class."""
        from netcfg.builder.modules.losses.learned import Center as Module

        return Module(self.number_of_classes(classes), self.features(shapes["input"]), **self.shared())
