"""The area under the curve of precision over recall."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.ranking import Ranking

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.ranks import Ranked


class AveragePrecision(Ranking, name="average_precision"):
    """Average precision, of each label or class against all others, and the mean.

    The mean over positives of the precision among all samples that score at least as high; none without a positive.
    What scores that know nothing reach is the share of positives. Its curves are drawn in the run's folder. Higher is
    better.
    Shapes: scores (A) or (A, 1, 1), labels (A); or logits (K) against a class, whose probabilities are compared.
    Source: scikit-learn's and torchmetrics' `average_precision`, without interpolation.
    Example::

        [average_precision]
        input = Classifier
        target = labels
    """

    axes: ClassVar[tuple[str, str]] = ("recall", "precision")

    def figure(self, ranked: "Ranked") -> "Tensor":
        """The mean precision."""
        return ranked.average_precision()

    def line(self, ranked: "Ranked") -> tuple[list[float], list[float]]:
        """Precision over recall."""
        return ranked.precision_recall()
