"""Which class was taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.counted import Answering, is_of_classes
from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed
from netcfg.results import Matrix
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.answers import Answers


MOST = 30
"""Of how many classes the matrix is shown: more can be neither read nor drawn."""


class ConfusionMatrix(Answering, name="confusion_matrix"):
    """Which class was taken for which, a row for each right class and a column for each answer.

    Its main figure is Cohen's kappa, agreement beyond that of chance: 1 where all answers are right, 0 where they agree
    no more than two that know nothing of each other. The matrix is printed, and drawn in the run's folder. Of more
    than 30 classes, those with the most wrong answers are shown.
    Shapes: logits (K), (L, K), (K, H, W) or (T, K, H, W) against class numbers of the same shape without K.
    Source: Cohen, "A coefficient of agreement for nominal scales", 1960; torchmetrics' `confusion_matrix`.
    Example::

        [confusion_matrix]
        input = Classifier
        target = emotion
    """

    normalise: Literal["none", "rows", "columns", "all"] = Option(
        "none", description="how cells are shown: numbers, or shares of what is right, of answers, or of all"
    )

    def check(self, input: Shape, target: Shape | None) -> None:
        """Logits of classes."""
        super().check(input, target)
        if target is None or not is_of_classes(input, target):
            raise ShapeError("needs one logit per class, and a class to compare with", code="NC402")

    def rows_of(self, found: "Answers") -> Rows:
        """Single answers as they are, of maps a matrix for each sample."""
        import torch

        from netcfg.trainers.judging.answers import confusion, highest

        predicted = highest(found.scores)
        if not found.is_single:
            return {"confusion": confusion(found, predicted)}
        actual = found.truth.masked_fill(~found.counts, -1)[:, 0]
        classes = torch.full_like(actual, found.scores.shape[1])
        return {"actual": actual, "predicted": predicted[:, 0], "classes": classes}

    def _summed(self, rows: Rows, weights: "Tensor") -> "Tensor":
        """The matrices by weights, (B, K, K)."""
        import torch

        if "confusion" in rows:
            cells = rows["confusion"]
            return (weights @ cells.flatten(1).double()).reshape(len(weights), *cells.shape[1:])
        classes, kept = int(rows["classes"].max()), rows["actual"] >= 0
        index = (rows["actual"] * classes + rows["predicted"])[kept]
        empty = torch.zeros(len(weights), classes * classes, dtype=torch.float64)
        return empty.index_add_(1, index, weights[:, kept]).reshape(len(weights), classes, classes)

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """Cohen's kappa; undefined where one class is all there is, and all that was said."""
        cells = self._summed(rows, weights)
        total = cells.sum((1, 2))
        agreed = cells.diagonal(dim1=1, dim2=2).sum(1) / total
        chance = (cells.sum(1) * cells.sum(2)).sum(1) / total**2
        return Weighed((agreed - chance) / (1 - chance), reasons=("a single class",))

    def matrices(self, rows: Rows, names: Sequence[str]) -> Sequence[Matrix]:
        """The one of the split."""
        from netcfg.trainers.judging.weights import ones

        cells = self._summed(rows, ones(len(next(iter(rows.values())))))[0]
        classes = len(cells)
        labels = list(names) if len(names) == classes else [str(number) for number in range(classes)]
        if classes > MOST:
            wrong = cells.sum(0) + cells.sum(1) - 2 * cells.diagonal()
            shown = sorted(wrong.topk(MOST).indices.tolist())
        else:
            shown = list(range(classes))
        divided = {
            "none": cells,
            "rows": cells / cells.sum(1, keepdim=True),
            "columns": cells / cells.sum(0, keepdim=True),
            "all": cells / cells.sum(),
        }[self.normalise]
        values = [[divided[row, column].item() for column in shown] for row in shown]
        known = [[None if value != value else value for value in row] for row in values]
        kept = [labels[place] for place in shown]
        return (Matrix(own_name(self), kept, kept, known, "actual", "predicted"),)
