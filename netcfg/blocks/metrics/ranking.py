"""Metrics that hang on the order of scores alone, of labels or of each class against all others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.counted import Answering
from netcfg.blocks.metrics.figures import ACTIVE_ABOVE, UNDEFINED, Undefined, own_name
from netcfg.blocks.metrics.judgement import Rows
from netcfg.blocks.metrics.weighed import Weighed
from netcfg.results import OVERALL, Curve
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.answers import Answers
    from netcfg.trainers.judging.ranks import Ranked

_MOST_CURVES = 30


class Ranking(Answering):
    """A figure of each label's, or each class's, order of scores."""

    active_above: float = Option(0.5, description=f"for labels: {ACTIVE_ABOVE}")
    average: Literal["macro", "weighted"] = Option(
        "macro",
        description="the main figure: the mean over classes or labels, or that by how often each is there",
    )
    undefined: Undefined = Option("excluded", description=UNDEFINED)

    needs_negatives: ClassVar[bool] = False
    axes: ClassVar[tuple[str, str]] = ("", "")

    def check(self, input: Shape, target: Shape | None) -> None:
        """One answer a sample: the order of a map's places would need all of them at once."""
        super().check(input, target)
        if len(squeezed(input)) != 1:
            raise ShapeError(
                f"ranks one answer a sample, and `{self.input}` gives {show(input)}", code="NC402",
                help="[iou] or [dice] judge maps",
            )  # fmt: skip

    def figure(self, ranked: "Ranked") -> "Tensor":
        """Of one label, (B); NaN where it is undefined."""
        raise NotImplementedError

    def line(self, ranked: "Ranked") -> tuple[list[float], list[float]]:
        """The curve of one label."""
        raise NotImplementedError

    def rows_of(self, found: "Answers") -> Rows:
        """Scores in which classes can be compared between samples, and truths by class or label."""
        import torch

        scores, classes = found.scores[:, :, 0], found.scores.shape[1]
        if found.is_class:
            truth = torch.nn.functional.one_hot(found.truth[:, 0].clamp(0, classes - 1), classes).bool()
            counts = found.counts.expand(-1, classes)
            return {
                "ranked": scores.float().softmax(1),
                "truth": truth,
                "counts": counts,
                "classes": found.truth,
            }
        return {
            "ranked": scores,
            "truth": (found.truth > self.active_above)[:, :, 0],
            "counts": found.counts[:, :, 0],
        }

    def _ranked(self, rows: Rows, label: int, weights: "Tensor") -> "Ranked":
        from netcfg.trainers.judging.ranks import Ranked

        kept = rows["counts"][:, label] > 0
        return Ranked.of(rows["ranked"][kept, label], rows["truth"][kept, label] > 0, weights[:, kept])

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The figures of labels, and their mean; of labels also that of all together."""
        import torch

        from netcfg.trainers.judging.ranks import Ranked

        count = rows["ranked"].shape[1]
        each = torch.stack([self.figure(self._ranked(rows, label, weights)) for label in range(count)], 1)
        actual = weights @ ((rows["truth"] > 0) & (rows["counts"] > 0)).double()
        reasons = self._reasons(rows)
        zero = self.undefined == "zero" and bool((rows["counts"] > 0).any())
        each = each.nan_to_num(0.0) if zero else each
        details = {}
        if "classes" not in rows and count > 1:
            kept = rows["counts"].reshape(-1) > 0
            flat = weights.repeat_interleave(count, 1)[:, kept]
            all_scores, truth = (rows[key].reshape(-1)[kept] for key in ("ranked", "truth"))
            overall = self.figure(Ranked.of(all_scores, truth > 0, flat))
            details[OVERALL] = overall.nan_to_num(0.0) if zero else overall
        known = ~each.isnan()
        weighted = (each.nan_to_num() * actual).sum(1) / (actual * known).sum(1)
        main = each.nanmean(1) if self.average == "macro" else weighted
        return Weighed(main, each, details, reasons)

    def _reasons(self, rows: Rows) -> list[str]:
        counts = rows["counts"] > 0
        positives = ((rows["truth"] > 0) & counts).sum(0).tolist()
        totals = counts.sum(0).tolist()
        return [
            "no positive" if not there else "no negative" if self.needs_negatives and there == total else ""
            for there, total in zip(positives, totals, strict=True)
        ]

    def curves(self, rows: Rows, names: Sequence[str]) -> Sequence[Curve]:
        """One of each class or label that has both sides."""
        from netcfg.trainers.judging.weights import ones

        count = rows["ranked"].shape[1]
        known = list(names) if len(names) == count else [str(place) for place in range(count)]
        found = []
        for label in range(min(count, _MOST_CURVES)):
            ranked = self._ranked(rows, label, ones(len(rows["ranked"])))
            if float(ranked.positive.sum()) and float(ranked.negative.sum()):
                found.append(
                    Curve(known[label], *self.line(ranked), *self.axes, picture=f"{own_name(self)} curves")
                )
        return found
