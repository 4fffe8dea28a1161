"""The share of what is not a class, or a label, that was not taken for one."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.counted import Counted

if TYPE_CHECKING:
    from torch import Tensor


class Specificity(Counted, name="specificity"):
    """The share of what is not a class, or a label, that was not taken for one.

    Without a negative in the split a class or label has no figure, and is in no mean. `average` names the mean
    that is the main figure; all three are told. Higher is better.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape.
    Source: Yerushalmy, 1947; torchmetrics' `specificity`.
    Example::

        [specificity]
        input = Classifier
        target = emotion
    """

    lacking: ClassVar[str] = "no negative"

    def lacks(self, actual: "Tensor", total: "Tensor") -> "Tensor":
        """Without negatives there is none to leave alone."""
        return actual == total

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Out of counts."""
        negatives = total - actual
        return (negatives - (said - right)) / negatives.clamp(min=1)
