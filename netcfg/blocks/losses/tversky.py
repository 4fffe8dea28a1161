"""The Tversky loss."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.losses.regions import Regions

if TYPE_CHECKING:
    from torch import nn


class Tversky(Regions, name="tversky"):
    """One minus TP / (TP + alpha FP + beta FN): [dice], where false and missed places need not count alike.

    `alpha = beta = 0.5` is [dice], 1 is [jaccard]; a higher `beta` finds more, at the price of false places.
    Shapes: logits K×H×W against classes H×W; with `of = labels` A×H×W against A×H×W; other places likewise.
    Source: Salehi et al., "Tversky loss function for image segmentation", 2017, equation 3.
    Example::

        [tversky]
        input = Segmenter
        target = mask
        alpha = 0.3
        beta = 0.7
    """

    alpha: Annotated[float, Option(ge=0)] = Option(0.3, description="how much a false place counts")
    beta: Annotated[float, Option(ge=0)] = Option(0.7, description="how much a missed place counts")

    def lower(self) -> "nn.Module":
        """The module `(logits, classes or labels) -> scalar`."""
        return self.module(self.alpha, self.beta, self.smooth)
