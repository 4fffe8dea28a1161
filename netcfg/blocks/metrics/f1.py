"""`[f1]`, in the ways that action units are judged by it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.metrics.counted import AVERAGE, Average, Counted, is_of_classes
from netcfg.blocks.metrics.figures import (
    UNDEFINED,
    Undefined,
    both,
    label_table,
    lacking,
    own_name,
)
from netcfg.blocks.metrics.judgement import CLIP, Case, Cut, Figures, Rows, Verdict
from netcfg.results import OVERALL, Baseline, Table

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.scores import Counts


class F1(Counted, name="f1"):
    """F1, 2 TP / (2 TP + FP + FN), of each label or class, and their mean.

    Of a class field the highest logit is the answer. A label is predicted where the sigmoid of its logit exceeds
    the threshold; with `decision = logit`, where the logit itself does. Of a label without a positive in the split
    there is no F1 (see `undefined`). Of several labels, `overall` is the F1 of their counts added up; with
    `average = micro` that is the main figure.

    `threshold = validation` tries 200 thresholds from 0.01 to 0.99 on the validation split, for each label apart,
    and judges all splits by those of the highest F1, where a score of at least the threshold counts; a run keeps
    them with its figures. `threshold = best` does so on every split itself: the highest that F1 could be.

    Of several windows in `median_window`, the first gives the metric's own figures, each other one a table of its
    own, `f1_median3`. The median is centred, over frames of a clip (the data field `clip`); near the ends of a clip
    it is that of the nearest whole window, and a clip shorter than the window stays as it is.
    With a `mask`, `ignore`, `group` or `interval`, thresholds are not searched for, and decisions stay as they are.
    Shapes: logits (A) or (A, 1, 1), labels (A), or maps of both; of classes, logits (K), (L, K), (K, H, W) or
    (T, K, H, W) against class numbers of the same shape without K.
    Source: torchmetrics' for classes; AUNets, its evaluation; AUDetNet, which with 0/1 labels decides by the logit.
    Example::

        [f1]
        input = AUNet
        target = labels
        threshold = 0.5
        median_window = 1, 3, 5, 7
    """

    threshold: float | Literal["validation", "best"] = Option(  # type: ignore[assignment]
        0.5,
        description="a score above it counts as present; or it is searched for: on the validation split, or on "
        "each split itself",
    )
    average: Average = Option("macro", description=AVERAGE)
    median_window: tuple[Annotated[int, Option(gt=0)], ...] = Option(
        (1,),
        description="judge the running median of decisions over so many frames, odd numbers; 1: as they are",
    )
    across_clips: bool = Option(
        False,
        description="take the median over the whole split as one clip, as AUNets' published code does",
    )
    first_undefined_threshold: bool = Option(
        False,
        description="search as AUNets' published code does, which takes the first threshold at which F1 is 0 / 0 "
        "for the best",
    )
    undefined: Undefined = Option("excluded", description=UNDEFINED)
    baselines: bool = Option(
        False, description="also what predicting every label absent, and every one present, would reach"
    )

    of_labels: ClassVar[tuple[str, ...]] = (
        *Counted.of_labels,
        *("median_window", "across_clips", "first_undefined_threshold", "undefined", "baselines"),
    )

    @property
    def _weighs(self) -> str | None:
        """An option for which single samples must count, or not."""
        asked = {
            "mask": self.mask,
            "ignore": self.ignore,
            "group": self.grouping,
            "interval": self.interval,
            "without": self.without or None,
            "average = weighted": self.average == "weighted" or None,
        }
        return next((option for option, value in asked.items() if value is not None), None)

    def conflict(self) -> str | None:
        """A probability is compared with one; a window has a centre; what weighs samples searches for nothing."""
        whole = {
            "threshold": isinstance(self.threshold, str),
            "median_window": self.median_window != (1,),
            "baselines": self.baselines,
            "undefined = zero": self.undefined == "zero",
        }
        asked = next((option for option, is_asked in whole.items() if is_asked), None)
        if asked is not None and self._weighs is not None:
            written = f"threshold = {self.threshold}" if asked == "threshold" else asked
            return f"has `{self._weighs}`, which does not go together with `{written}`"
        return self._conflict() or (None if isinstance(self.threshold, str) else super().conflict())

    def _conflict(self) -> str | None:
        if any(window % 2 == 0 for window in self.median_window):
            even = next(window for window in self.median_window if window % 2 == 0)
            return f"takes a median over an odd number of frames, and `median_window` has {even}"
        if len(set(self.median_window)) < len(self.median_window):
            return "names a `median_window` twice"
        if isinstance(self.threshold, str):
            return self._impossible_search()
        if self.first_undefined_threshold:
            return "has `first_undefined_threshold`, and its threshold is not searched for"
        return None

    def _impossible_search(self) -> str | None:
        if self.decision == "logit":
            return "searches thresholds of probabilities, and has `decision = logit`"
        return None

    @property
    def cut(self) -> Cut:
        """By its threshold."""
        return Cut(None if isinstance(self.threshold, str) else self.threshold, self.decision)

    def share(self, right: "Tensor", said: "Tensor", actual: "Tensor", total: "Tensor") -> "Tensor":
        """Out of counts."""
        return 2 * right / (said + actual).clamp(min=1)

    def _is_weighed(self, case: Case) -> bool:
        """Whether samples are weighed, not judged as one split."""
        assert case.targets is not None
        shapes = tuple(case.scores.shape[1:]), tuple(case.targets.shape[1:])
        return self._weighs is not None or case.mask is not None or is_of_classes(*shapes)

    def keep(self, case: Case) -> Rows | None:
        """Rows of classes; of labels whose samples are weighed, too."""
        return super().keep(case) if self._is_weighed(case) else None

    @property
    def reads(self) -> dict[str, str]:
        """With a median over clips, also which clip a frame belongs to."""
        over_clips = not self.across_clips and any(window > 1 for window in self.median_window)
        return super().reads | ({CLIP: CLIP} if over_clips else {})

    def depends_on_order(self) -> bool:
        """With a median that takes the split for one clip."""
        return self.across_clips and any(window > 1 for window in self.median_window)

    @property
    def needs_validation(self) -> bool:
        """Whether its threshold is chosen on the validation split."""
        return self.threshold == "validation"

    @property
    def table_names(self) -> tuple[str, ...]:
        """The name itself for the first window, one with `_median` for each other, then the baselines."""
        name = own_name(self)
        windows = tuple(f"{name}_median{window}" for window in self.median_window[1:])
        return (name, *windows, *((f"{name}_all_zeros", f"{name}_all_ones") if self.baselines else ()))

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The mean under the metric's name, then each label's F1 under its own, then `overall`."""
        return self.judge(Case(scores, targets, names)).tables[own_name(self)].figures

    def judge(self, case: Case) -> Verdict:
        """A table for each window, and those of the baselines."""
        if case.targets is not None and self._is_weighed(case):
            return super().judge(case)
        scores, targets = both(self, case.scores, case.targets)
        actual = targets > self.active_above
        decisions, thresholds = self._decide(scores, actual, case.thresholds)
        counts = self._counts(decisions, actual, None if self.across_clips else case.clips)
        reasons = lacking(actual, needs_negatives=False)
        tables = {
            name: self._table(name, found, case.names, reasons)
            for name, found in zip(self.table_names, counts, strict=True)
        }
        return Verdict(self._with_baseline(tables, actual), thresholds)

    def _with_baseline(self, tables: Mapping[str, Table], actual: "Tensor") -> dict[str, Table]:
        """Those of decisions, with what every label present would reach; every one absent reaches 0."""
        import torch

        from netcfg.trainers.judging.scores import Counts

        counts = Counts.of(torch.ones_like(actual), actual)
        figure = self._table("", counts, [""] * actual.shape[1], ()).main
        baseline = None if figure is None else Baseline("every label present", figure)
        judged = self.table_names[: len(self.median_window)]
        return {
            name: table._replace(baseline=baseline if name in judged else None)
            for name, table in tables.items()
        }

    def _decide(
        self, scores: "Tensor", actual: "Tensor", chosen: Sequence[float] | None
    ) -> "tuple[Tensor, list[float] | None]":
        """The decisions, and the thresholds that were searched for."""
        import torch

        from netcfg.trainers.judging.decisions import Search
        from netcfg.trainers.judging.scores import decide, judged

        if not isinstance(self.threshold, str):
            return decide(scores, self.decision, self.threshold), None
        values = judged(scores, self.decision)
        if chosen is None or self.threshold == "best":
            search = Search.over(values, actual)
            thresholds = search.first_undefined() if self.first_undefined_threshold else search.best()
        else:
            thresholds = torch.tensor(chosen)
        return values >= thresholds, thresholds.tolist()

    def _counts(self, decisions: "Tensor", actual: "Tensor", clips: "Tensor | None") -> "list[Counts]":
        """Right and wrong decisions, in the order of the tables."""
        import torch

        from netcfg.trainers.judging.decisions import median_filtered
        from netcfg.trainers.judging.scores import Counts

        judged = [median_filtered(decisions, window, clips) for window in self.median_window]
        if self.baselines:
            judged += [torch.zeros_like(actual), torch.ones_like(actual)]
        return [Counts.of(predicted, actual) for predicted in judged]

    def _table(self, name: str, counts: "Counts", names: Sequence[str], reasons: Sequence[str]) -> Table:
        each, overall = counts.f1(), counts.total().f1()[0]
        if self.undefined == "zero":
            each, overall = [figure or 0.0 for figure in each], overall or 0.0
        pooled = counts.by_label(names) if self.average == "micro" else None
        together = {OVERALL: overall}
        return label_table(name, each, names, details=together, pooled=pooled, reasons=reasons)
