"""The area under the ROC curve."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.ranking import Ranking
from netcfg.results import Baseline, mean_of

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.ranks import Ranked


class Auc(Ranking, name="auc"):
    """The area under the ROC curve, of each label or class against all others, and the mean.

    The same number as `two_afc`: the share of pairs of a positive and a negative in which the positive scores
    higher, ties counting half; none without a positive, or without a negative. Takes any score, no threshold. Of
    several labels, `overall` takes the pairs across all of them. Its curves are drawn in the run's folder.
    Shapes: scores (A) or (A, 1, 1), labels (A); or logits (K) against a class, whose probabilities are compared.
    Source: Fawcett, "An introduction to ROC analysis", 2006; torchmetrics' `auroc`.
    Example::

        [auc]
        input = AUNet
        target = labels
    """

    needs_negatives: ClassVar[bool] = True
    axes: ClassVar[tuple[str, str]] = ("false alarms", "found")

    def figure(self, ranked: "Ranked") -> "Tensor":
        """The area."""
        return ranked.auc()

    def line(self, ranked: "Ranked") -> tuple[list[float], list[float]]:
        """The ROC curve."""
        return ranked.roc()

    def baseline_of(self, rows: Rows) -> Baseline | None:
        """Every pair a tie; a label without pairs counts as it does in the mean."""
        without = 0.0 if self.undefined == "zero" else None
        share = mean_of(without if reason else 0.5 for reason in self._reasons(rows))
        return None if share is None else Baseline("one score for all samples", share)
