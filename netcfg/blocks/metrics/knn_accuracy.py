"""How often the nearest embeddings tell the class."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.metrics.embedded import Embedded

if TYPE_CHECKING:
    from torch import Tensor


class KnnAccuracy(Embedded, name="knn_accuracy"):
    """How often most of a sample's `k` nearest others of the split are of its class.

    Of classes with as many votes, the one with the nearest member is the answer. Higher is better.
    Shapes: embeddings (F) or (F, 1, 1), the class a single number.
    Source: Cover and Hart, "Nearest neighbor pattern classification", 1967; leaving one out.
    Example::

        [knn_accuracy]
        input = Embedder
        target = subject
        k = 3
    """

    k: int = Option(5, gt=0, description="how many neighbours are asked")

    def found(self, embeddings: "Tensor", classes: "Tensor", apart: "Tensor | None" = None) -> "Tensor":
        """Whether the answer is right."""
        import torch

        from netcfg.trainers.judging.neighbours import nearest_class

        answers = nearest_class(embeddings, classes, self.k, self.distance, apart)
        right = (answers == classes).double()
        return torch.where(answers >= 0, right, torch.nan)[:, None]
