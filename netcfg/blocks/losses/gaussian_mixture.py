"""Gaussians of the classes, in a space of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Loss, squeezed
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn


class GaussianMixture(Loss, name="gaussian_mixture"):
    """Each class a Gaussian of one width in the space of the input, apart from those of the others.

    The middle of a class is the mean of its samples in the batch. A sample's share of a class is the density of the
    class there, among the densities of all; the loss is the mean over the samples of Σ (share - 1 of its own class)².
    With `mix`, the batch is doubled by mixtures of two samples, all by one share of Beta(2, 2). That of two samples of
    one class is of it; that of two classes is of none (`pairs`), so that what lies between classes is near to neither,
    or of each by its part (`shares`). `mixed_labels = numbers` mixes the numbers of classes, as the published code
    does: half of 1 and half of 3 is then a 2, and rounding may leave a pair of one class without it.

    Shapes: vectors (D), the class a single number.
    Source: Marrero Fernandez et al., "FERAtt", 2019, and its published code.
    Example::

        [gaussian_mixture]
        input = Embedding
        target = emotion
    """

    input: str = Option(description="the vectors: a network, or `Network.output`")
    target: str = Option(description="the class of each sample")
    sigma: Annotated[float, Option(gt=0)] = Option(0.5, description="the width of the Gaussians")
    mix: Literal["train", "always", "never"] = Option(
        "train",
        description="when the batch is doubled by mixtures; in evaluation they are the same each time",
    )
    mixed_labels: Literal["pairs", "shares", "numbers"] = Option(
        "pairs", description="of mixtures: the class of both or none; each class by its part; numbers mixed"
    )

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """A vector and a single class."""
        if len(squeezed(shapes[0])) != 1:
            raise ShapeError(f"needs vectors, and `{self.input}` gives {show(shapes[0])}", code="NC402")
        if len(shapes) == 1 or shapes[1]:
            given = "nothing" if len(shapes) == 1 else show(shapes[1])
            raise ShapeError(f"needs a class for each sample, and is given {given}", argument=1, code="NC402")

    def lower(self) -> nn.Module:
        """The module `(vectors, classes) -> scalar`."""
        from netcfg.builder.modules.gaussian_mixture import GaussianMixture as Module

        return Module(self.sigma, self.mix, self.mixed_labels)
