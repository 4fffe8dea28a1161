"""The share of right answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.metrics.counted import AVERAGE, Average, Counted
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed
from netcfg.results import Baseline

if TYPE_CHECKING:
    from torch import Tensor


class Accuracy(Counted, name="accuracy"):
    """The share of right answers.

    For a class, the highest logit is the answer; for labels each counts by itself, as for `f1`. `average = macro` is
    the mean over classes of the share that was found, balanced accuracy.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape; trailing ones do not matter.
    Source: the usual one, e.g. torchmetrics'; AUDetNet's for labels.
    Example::

        [accuracy]
        input = Classifier
        target = emotion
    """

    average: Average = Option("micro", description=AVERAGE)

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Of a class what was found."""
        return right / actual.clamp(min=1)

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """Of labels, also what is rightly called absent."""
        import torch

        if "labels" not in rows:
            found = super().weigh(rows, weights, names)
            return (
                Weighed(found.main, found.each, found.details)
                if self.average != "micro"
                else Weighed(found.main)
            )
        right, said, actual, total = self.counts(rows, weights).unbind(2)
        inside = self.inside(right.shape[1], names)
        agreed = total - said - actual + 2 * right
        each = torch.where(total > 0, agreed / total, torch.nan)
        weighted = (each.nan_to_num() * actual)[:, inside].sum(1) / actual[:, inside].sum(1)
        means = {
            "micro": agreed[:, inside].sum(1) / total[:, inside].sum(1),
            "macro": each[:, inside].nanmean(1),
            "weighted": weighted,
        }
        return Weighed(means[self.average], each)

    def baseline_of(self, rows: Rows) -> Baseline | None:
        """The most frequent class, or of each label the more frequent of the two answers."""
        from netcfg.trainers.judging.weights import ones

        counts = self.counts(rows, ones(len(next(iter(rows.values())))))[0]
        actual, total = counts[:, 2], counts[:, 3]
        if self.average != "micro" or self.without or not float(total.sum()):
            return None
        if "labels" in rows:
            share = float(actual.maximum(total - actual).sum() / total.sum())
            return Baseline("always the more frequent answer of each label", share)
        return Baseline("always the most frequent class", float(actual.max() / actual.sum()))
