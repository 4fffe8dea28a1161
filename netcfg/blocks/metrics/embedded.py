"""Metrics of embeddings: whether those of one class lie near each other."""

from collections.abc import Mapping, Sequence
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
    apart: str | None = Option(
        None,
        description="a data field, such as `clip`, whose samples are no neighbours of each other: frames of one clip "
        "are alike whatever is learned",
    )

    @property
    def reads(self) -> dict[str, str]:
        """Also what keeps samples apart."""
        return super().reads | ({} if self.apart is None else {"apart": self.apart})

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """Also that it is one number for each sample."""
        super().check_signals(shapes, names)
        if shapes.get("apart"):
            raise ShapeError(
                f"`apart` needs one number for each sample, and `{self.apart}` gives {show(shapes['apart'])}",
                code="NC402",
                option="apart",
            )

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
        rows = {
            "embeddings": case.scores.reshape(len(targets), -1),
            "class": targets.long().masked_fill(~counts, -1),
        }
        return rows | ({} if case.apart is None else {"apart": case.apart.reshape(len(targets))})

    def settled(self, rows: Rows) -> Rows:
        """The figures of each sample among those that count."""
        import torch

        kept = rows["class"] >= 0
        apart = rows["apart"][kept] if "apart" in rows else None
        found = self.found(rows["embeddings"][kept], rows["class"][kept], apart)
        figures = torch.full((len(kept), found.shape[1]), torch.nan, dtype=torch.float64)
        figures[kept] = found
        return {"figures": figures}

    def found(self, embeddings: "Tensor", classes: "Tensor", apart: "Tensor | None") -> "Tensor":
        """Figures of each sample, NaN where it has none; those alike in `apart` are no neighbours."""
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
