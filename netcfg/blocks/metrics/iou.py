"""Intersection over union of what was called a class, or a label, and what is one."""

from typing import TYPE_CHECKING

from netcfg.blocks.metrics.counted import Counted

if TYPE_CHECKING:
    from torch import Tensor


class Iou(Counted, name="iou"):
    """Intersection over union of what was called a class, or a label, and what is one.

    Over all places of the split together: of each class what is right, over what is predicted or there. Without
    a positive in the split a class or label has no figure, and is in no mean; `without = background` leaves
    that one out of the means. Higher is better.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape.
    Source: Jaccard, 1901; torchmetrics' `jaccard_index`; the mean over classes is Pascal VOC's.
    Example::

        [iou]
        input = Segmenter
        target = mask
    """

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Out of counts."""
        return right / (said + actual - right).clamp(min=1)
