"""How often the right class is among the likeliest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.counted import Answering, is_of_classes
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.answers import Answers


class TopK(Answering, name="top_k"):
    """How often the right class is among the `k` with the highest logits.

    A class counts as among them where fewer than `k` others have a higher logit. Higher is better.
    Shapes: logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K.
    Source: Russakovsky et al., "ImageNet large scale visual recognition challenge", 2015; torchmetrics' `top_k`.
    Example::

        [top_k]
        input = Classifier
        target = emotion
        k = 3
    """

    k: int = Option(5, gt=0, description="among how many classes the right one is to be")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Logits of more than `k` classes."""
        super().check(input, target)
        if target is None or not is_of_classes(input, target):
            raise ShapeError("needs one logit per class, and a class to compare with", code="NC402")

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """Also that there are more than `k` classes."""
        super().check_signals(shapes, names)
        if names and len(names) <= self.k and len(squeezed(shapes["input"])) == 1:
            raise ShapeError(
                f"looks among the first {self.k} of {len(names)} classes, where every class is",
                code="NC402",
                option="k",
                help=f"`k = {len(names) - 1}` at most" if len(names) > 2 else "[accuracy], of two classes",
            )

    def rows_of(self, found: "Answers") -> Rows:
        """How many places count, and in how many the class is among them."""
        index = found.truth.clamp(0, found.scores.shape[1] - 1)[:, None]
        higher = (found.scores > found.scores.gather(1, index)).sum(1)
        return {"right": ((higher < self.k) & found.counts).sum(1), "total": found.counts.sum(1)}

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The share of places."""
        right, total = (weights @ rows[name].double() for name in ("right", "total"))
        return Weighed(right / total)
