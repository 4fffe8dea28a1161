"""Metrics of numbers against numbers: how far they lie apart, how they move together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.losses.base import compare
from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Case, Rows
from netcfg.blocks.metrics.weighed import Weighed, WeighedMetric
from netcfg.results import Curve
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments

AVERAGE = (
    "the main figure: `macro` is the mean over the numbers of a sample, `micro` that of all numbers together"
)
_BINS = 10


class Measured(WeighedMetric):
    """A metric of real numbers against those of a target; with `group`, of the means of a group's samples."""

    ignore: float | None = Option(
        None,
        description="a number of the target that stands for what nobody knows: where it stands nothing counts",
    )
    average: Literal["macro", "micro"] = Option("macro", description=AVERAGE)

    lacking: ClassVar[str] = "nothing that counts"
    error: ClassVar[str | None] = None
    """What its curve of errors against targets shows; None: it has none."""

    def check(self, input: Shape, target: Shape | None) -> None:
        """Equal shapes."""
        compare("values", input, target)

    def figure(self, moments: "Moments") -> "Tensor":
        """The figure out of moments; NaN where it is undefined."""
        raise NotImplementedError

    def rows(self, case: Case) -> Rows:
        """The moments of each sample; maps have their channels, all else a number for each place."""
        from netcfg.trainers.judging.moments import moments

        assert case.targets is not None
        return {"moments": moments(*self._numbers(case))}

    def _numbers(self, case: Case) -> "tuple[Tensor, Tensor, Tensor]":
        """Values, targets and what counts, (N, A, P)."""
        from netcfg.trainers.judging.answers import class_axis, masked
        from netcfg.trainers.judging.scores import expect_numbers

        assert case.targets is not None
        expect_numbers(own_name(self), self.input, case.scores, finite=True)
        expect_numbers(own_name(self), self.target, case.targets, finite=True)
        counts = masked(case.targets, case.mask)
        if self.ignore is not None:
            counts = counts & (case.targets != self.ignore)
        axes = max((case.targets.ndim - 1, case.scores.ndim - 1))
        size = len(case.scores)
        if axes < 3:
            values = (part.reshape(size, -1, 1) for part in (case.scores, case.targets, counts))
        else:
            axis = class_axis(axes) + 1
            shape = case.scores.shape if case.scores.ndim - 1 == axes else case.targets.shape
            channels = shape[axis]
            parts = (part.reshape(shape).movedim(axis, 1) for part in (case.scores, case.targets, counts))
            values = (part.reshape(size, channels, -1) for part in parts)
        x, y, counted = values
        return x, y, counted

    def grouped(self, rows: Rows) -> "tuple[Rows, Tensor]":
        """Of the means of a group's samples, place by place."""
        import torch

        from netcfg.trainers.judging.moments import moments

        x, y, counts = self._numbers(Case(rows["scores"], rows["targets"], mask=rows.get("mask")))
        numbers, place = torch.unique(rows["group"].reshape(len(x), -1)[:, 0], return_inverse=True)
        first = torch.full((len(numbers),), len(x)).scatter_reduce_(0, place, torch.arange(len(x)), "amin")

        def summed(values: "Tensor") -> "Tensor":
            empty = torch.zeros(len(numbers), *values.shape[1:], dtype=torch.float64)
            return empty.index_add_(0, place, values.double().masked_fill(~counts, 0))

        number = summed(counts)
        x, y = (summed(value) / number.clamp(min=1) for value in (x, y))
        return {"moments": moments(x, y, number > 0)}, first

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The figure of each number, and of all together."""
        from netcfg.trainers.judging.moments import Moments

        kept = rows["moments"]
        each = self.figure(Moments.of(kept, weights))
        reasons = [self.lacking if value else "" for value in each[0].isnan().tolist()]
        size, count, _ = kept.shape
        if count == 1:
            return Weighed(each[:, 0], each, {}, reasons)
        flat = weights.repeat_interleave(count, 1)
        together = self.figure(Moments.of(kept.reshape(size * count, 1, -1), flat))[:, 0]
        means = {"macro": each.nanmean(1), "micro": together}
        return Weighed(
            means[self.average], each if count <= 64 else None, means, reasons if count <= 64 else ()
        )

    def curves(self, rows: Rows, names: Sequence[str]) -> Sequence[Curve]:
        """The mean error of targets of like size, from the smallest to the largest."""
        import torch

        if self.error is None:
            return ()
        number, _, target, *_, absolute, squared = rows["moments"].unbind(2)
        of = absolute if self.error == "absolute" else squared
        known = number > 0
        targets, errors = target[known], (of / number.clamp(min=1))[known]
        if len(targets) < 2 or float(targets.min()) == float(targets.max()):
            return ()
        edges = torch.linspace(float(targets.min()), float(targets.max()), _BINS + 1, dtype=torch.float64)
        place = torch.bucketize(targets, edges[1:-1])
        counts = torch.bincount(place, minlength=_BINS)
        sums = torch.bincount(place, weights=errors, minlength=_BINS)
        middles = ((edges[1:] + edges[:-1]) / 2).tolist()
        means = [
            value if count else None
            for value, count in zip((sums / counts).tolist(), counts.tolist(), strict=True)
        ]
        name = f"{own_name(self)} by target"
        return (Curve(name, middles, means, self.target, f"mean {self.error} error"),)


def not_zero(values: "Tensor") -> "Tensor":
    """A divisor that is undefined where it is nothing but what rounding leaves."""
    import torch

    return torch.where(values > 1e-24, values, torch.nan)
