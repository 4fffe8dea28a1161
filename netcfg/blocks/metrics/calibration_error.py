"""How far probabilities lie from how often they are right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.metrics.counted import Answering
from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed
from netcfg.results import Curve

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.answers import Answers


class CalibrationError(Answering, name="calibration_error"):
    """How far the probability of an answer lies from how often it is right, in equal bins of probability.

    Of a class, the highest probability is that of the answer; of labels, each one's probability is compared with how
    often it is there, all labels together. `norm = l1` is the expected calibration error: the mean difference over
    answers; `l2` the root of the mean square, `max` the largest of a bin. Lower is better. The curve of how often
    answers of a probability are right is drawn in the run's folder.
    Shapes: of classes, logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K;
    of labels, logits and labels of one shape.
    Source: Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015; torchmetrics'
    `calibration_error`.
    Example::

        [calibration_error]
        input = Classifier
        target = emotion
    """

    higher_is_better: ClassVar[bool] = False

    bins: int = Option(15, gt=1, le=1000, description="in how many equal parts probabilities fall")
    norm: Literal["l1", "l2", "max"] = Option("l1", description="how the bins' differences become one number")

    def rows_of(self, found: "Answers") -> Rows:
        """Of each sample and bin how many answers, their probabilities added up, and how many are right."""
        import torch

        if found.is_class:
            sure, answer = found.scores.float().softmax(1).max(1)
            right = answer == found.truth
        else:
            sure, right = found.scores.float().sigmoid(), found.truth > 0.5
        size = len(sure)
        sure, right, counts = (part.reshape(size, -1) for part in (sure, right, found.counts))
        place = (sure * self.bins).long().clamp(0, self.bins - 1)
        parts = [counts.double(), sure.double() * counts, (right & counts).double()]
        empty = torch.zeros(size, self.bins, dtype=torch.float64, device=sure.device)
        return {"bins": torch.stack([empty.scatter_add(1, place, part) for part in parts], 2)}

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The one figure."""
        import torch

        number, sure, right = self._summed(rows, weights).unbind(2)
        total = number.sum(1)
        share = number / torch.where(total > 0, total, torch.nan)[:, None]
        apart = (sure - right).abs() / number.clamp(min=1)
        found = {
            "l1": (share * apart).sum(1),
            "l2": (share * apart.square()).sum(1).sqrt(),
            "max": torch.where(total > 0, apart.amax(1), torch.nan),
        }
        return Weighed(found[self.norm])

    def _summed(self, rows: Rows, weights: "Tensor") -> "Tensor":
        kept = rows["bins"].double()
        return (weights @ kept.reshape(len(kept), -1)).reshape(len(weights), self.bins, 3)

    def curves(self, rows: Rows, names: Sequence[str]) -> Sequence[Curve]:
        """How often answers are right by their probability, beside where the two are equal."""
        from netcfg.trainers.judging.weights import ones

        summed = self._summed(rows, ones(len(rows["bins"])))[0]
        number, sure, right = summed[summed[:, 0] > 0].unbind(1)
        if not len(number):
            return ()
        picture, axes = f"{own_name(self)} curve", ("probability", "right")
        return (
            Curve("equal", (0.0, 1.0), (0.0, 1.0), *axes, picture=picture),
            Curve("answers", (sure / number).tolist(), (right / number).tolist(), *axes, picture=picture),
        )
