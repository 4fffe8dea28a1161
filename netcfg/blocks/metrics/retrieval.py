"""How well embeddings find others of their class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.metrics.embedded import Embedded

if TYPE_CHECKING:
    from torch import Tensor


class Retrieval(Embedded, name="retrieval"):
    """Mean average precision of looking for a sample's class among all others of the split, nearest first.

    A detail `recall_5` is how often one of its class is among the first 5. A sample whose class no other has is not
    asked. Higher is better.
    Shapes: embeddings (F) or (F, 1, 1), the class a single number.
    Source: Musgrave et al., "A metric learning reality check", 2020; torchmetrics' `retrieval_average_precision`.
    Example::

        [retrieval]
        input = Embedder
        target = subject
    """

    first: tuple[Annotated[int, Option(gt=0)], ...] = Option(
        (1, 5), description="among how many of the first one of the class is looked for"
    )

    def conflict(self) -> str | None:
        """Each number once."""
        if len(set(self.first)) < len(self.first):
            return "names a number of `first` twice"
        return super().conflict()

    @property
    def details(self) -> Sequence[str]:
        """By how many are looked at."""
        return [f"recall_{count}" for count in self.first]

    def found(self, embeddings: "Tensor", classes: "Tensor", apart: "Tensor | None" = None) -> "Tensor":
        """Average precision, and whether one is among the first."""
        from netcfg.trainers.judging.neighbours import retrieved

        return retrieved(embeddings, classes, self.first, self.distance, apart)
