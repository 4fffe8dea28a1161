"""Metrics of embeddings: whether those of one class lie near each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.figures import expect_code, own_name
from netcfg.blocks.metrics.judgement import Case, Rows
from netcfg.blocks.metrics.weighed import Weighed, WeighedMetric
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor


class Embedded(WeighedMetric):
    """Judges each sample by the others of the split that lie nearest to it."""

    unavailable: ClassVar[frozenset[str]] = frozenset({"grouping"})

    ignore: int | None = Option(None, description="a class number that stands for what nobody knows")
    distance: Literal["cosine", "euclidean"] = Option("cosine", description="what is near")

    def check(self, input: Shape, target: Shape | None) -> None:
        """A vector, and a class."""
        expect_code(self.input, input)
        if target is None or target != ():
            raise ShapeError(
                f"needs a class to compare with, and is given {show(target or ())}", code="NC402"
            )

    def rows(self, case: Case) -> Rows:
        """Embeddings and classes, -1 where they do not count."""
        from netcfg.trainers.judging.answers import masked
        from netcfg.trainers.judging.scores import expect_numbers

        assert case.targets is not None
        expect_numbers(own_name(self), self.input, case.scores, finite=True)
        targets = case.targets.reshape(len(case.targets))
        counts = masked(targets, case.mask)
        if self.ignore is not None:
            counts = counts & (targets != self.ignore)
        return {
            "embeddings": case.scores.reshape(len(targets), -1),
            "class": targets.long().masked_fill(~counts, -1),
        }

    def settled(self, rows: Rows) -> Rows:
        """The figures of each sample among those that count."""
        import torch

        kept = rows["class"] >= 0
        found = self.found(rows["embeddings"][kept], rows["class"][kept])
        figures = torch.full((len(kept), found.shape[1]), torch.nan, dtype=torch.float64)
        figures[kept] = found
        return {"figures": figures}

    def found(self, embeddings: "Tensor", classes: "Tensor") -> "Tensor":
        """Figures of each sample, NaN where it has none."""
        raise NotImplementedError

    @property
    def details(self) -> Sequence[str]:
        """What the figures after the first are called."""
        return ()

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The means over samples that have figures."""
        import torch

        figures = rows["figures"]
        total = weights @ (~figures.isnan()).double()
        means = (weights @ figures.nan_to_num()) / torch.where(total > 0, total, torch.nan)
        return Weighed(means[:, 0], None, dict(zip(self.details, means.T[1:], strict=True)))
