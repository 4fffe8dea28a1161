"""Dice's coefficient of what was called a class, or a label, and what is one."""

from typing import TYPE_CHECKING

from netcfg.blocks.metrics.counted import Counted

if TYPE_CHECKING:
    from torch import Tensor


class Dice(Counted, name="dice"):
    """Dice's coefficient of what was called a class, or a label, and what is one.

    2 TP / (2 TP + FP + FN) over all places of the split together; the F1 of places. Without a positive in the
    split a class or label has no figure, and is in no mean; `without = background` leaves that one out of the
    means. Higher is better.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape.
    Source: Dice, "Measures of the amount of ecologic association between species", 1945; torchmetrics' `dice`.
    Example::

        [dice]
        input = Segmenter
        target = mask
    """

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Out of counts."""
        return 2 * right / (said + actual).clamp(min=1)
