"""The share of what is a class, or a label, that was found; the mean over classes is balanced accuracy."""

from typing import TYPE_CHECKING

from netcfg.blocks.metrics.counted import Counted

if TYPE_CHECKING:
    from torch import Tensor


class Recall(Counted, name="recall"):
    """The share of what is a class, or a label, that was found; the mean over classes is balanced accuracy.

    Without a positive in the split a class or label has no figure, and is in no mean. `average` names the mean
    that is the main figure; all three are told. Higher is better.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape.
    Source: van Rijsbergen, "Information Retrieval", 1979; torchmetrics' and scikit-learn's `recall`.
    Example::

        [recall]
        input = Classifier
        target = emotion
    """

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Out of counts."""
        return right / actual.clamp(min=1)
