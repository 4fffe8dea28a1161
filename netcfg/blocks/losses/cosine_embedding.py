"""The angle between two vectors."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import OfProbabilities

if TYPE_CHECKING:
    from torch import nn


class CosineEmbedding(OfProbabilities, name="cosine_embedding"):
    """One minus the cosine between the vectors of input and target, the mean over samples and places.

    With `same` only pairs where it is positive are drawn together, and others pushed apart until their cosine is no
    more than `margin`.
    Shapes: equal ones: F, L×F, C×H×W; `same` a number for each place.
    Source: PyTorch's `cosine_embedding_loss`; BYOL and SimSiam without `same`.
    Example::

        [cosine_embedding]
        input = Predictor
        target = Target
    """

    named_options: ClassVar[tuple[str, ...]] = ("same", *OfProbabilities.named_options)

    same: str | None = Option(
        None, description="a field or signal that is positive where the two belong together; None: always"
    )
    margin: Annotated[float, Option(ge=-1, le=1)] = Option(
        0.0, description="the cosine up to which vectors that do not belong together are far enough apart"
    )

    def conflict(self) -> str | None:
        """A margin is of pairs that do not belong together."""
        return (
            "has a `margin`, and no `same` that tells which to push apart"
            if self.margin and not self.same
            else None
        )

    def lower(self) -> "nn.Module":
        """The module `(vectors, vectors) -> scalar`."""
        from netcfg.builder.modules.losses.classes import CosineEmbedding as Module

        return Module(self.margin, **self.shared())
