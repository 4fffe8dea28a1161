"""Angles between vectors and learned ones of their classes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled
from netcfg.blocks.losses.comparing import Positive
from netcfg.blocks.losses.learned import OfClasses
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class ArcFace(OfClasses, name="arcface"):
    """Cross-entropy of the angles between a vector and one learned for each class, its own class's made larger.

    What is learned, and shown, are directions: vectors of one class come to lie close together, those of others apart,
    so that people who were never seen can be told apart, too. The logits are `scale` times cosines; `margin` is added
    to the angle of the right class (ArcFace), or taken from its cosine (`margin_of = cosine`: CosFace). The vectors of
    the classes are the loss's own parameters, which the phase that minimises it trains; `rates = arcface: 10` gives
    them a rate of their own. Validation on other classes than those of training tells nothing.
    Shapes: vectors F, a class for each sample.
    Source: Deng et al., "ArcFace", 2019; Wang et al., "CosFace", 2018; beyond π the margin goes on as in InsightFace.
    Example::

        [arcface]
        input = Embedder
        target = subject
    """

    margin: Annotated[float, Option(ge=0, lt=1.6)] | Scheduled = Option(
        0.5, description="the margin, an angle in radians or part of a cosine"
    )
    scale: Positive = Option(
        64.0, description="the factor of the cosines; for few classes 16 or 30 do better"
    )
    margin_of: Literal["angle", "cosine"] = Option("angle", description="what the margin belongs to")

    def build(self, shapes: Mapping[str, Shape], classes: int | None) -> "nn.Module":
        """The module `(vectors, classes) -> scalar`, with a vector for each class."""
        from netcfg.builder.modules.losses.learned import ArcFace as Module

        number, features = self.number_of_classes(classes), self.features(shapes["input"])
        return Module(number, features, self.margin, self.scale, self.margin_of, **self.shared())
