"""Two-alternative forced choice."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.losses.base import compare
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import (
    ACTIVE_ABOVE,
    UNDEFINED,
    Undefined,
    both,
    label_table,
    lacking,
    own_name,
)
from netcfg.blocks.metrics.judgement import Case, Figures, Verdict
from netcfg.results import OVERALL, Baseline, mean_of
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor


class TwoAfc(Metric, name="two_afc"):
    """How often a positive scores higher than a negative, over all pairs, per action unit, and their mean.

    A tie counts half; the figure is the area under the ROC curve. Without a positive, or without a negative, there
    is none (see `undefined`). Of several labels, `overall` takes the pairs across all of them. Takes any score, no
    threshold.
    Shapes: scores (A) or (A, 1, 1), labels (A).
    Source: AUDetNet's 2AFC (two alternatives, forced choice); Mann and Whitney, 1947, the statistic U.
    Example::

        [two_afc]
        input = action_units
        target = labels
    """

    target: str = Option(description="the data field it is compared with")
    active_above: float = Option(0.5, description=ACTIVE_ABOVE)
    undefined: Undefined = Option("excluded", description=UNDEFINED)

    def check(self, input: Shape, target: Shape | None) -> None:
        """One score for each label."""
        compare("scores", input, target)

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The mean under the metric's name, then each label's share under its own, then `overall`."""
        return self.judge(Case(scores, targets, names)).tables[own_name(self)].figures

    def judge(self, case: Case) -> Verdict:
        """One table: the share of each label, where there are pairs to share."""
        from netcfg.trainers.judging.scores import share_of_pairs

        scores, targets = both(self, case.scores, case.targets)
        actual = targets > self.active_above
        each, overall = share_of_pairs(scores, actual)
        if self.undefined == "zero":
            each, overall = [share or 0.0 for share in each], overall or 0.0
        name = own_name(self)
        reasons = lacking(actual, needs_negatives=True)
        together = {OVERALL: overall}
        table = label_table(name, each, case.names, details=together, reasons=reasons)
        return Verdict({name: table._replace(baseline=self._baseline(reasons))})

    def _baseline(self, reasons: Sequence[str]) -> Baseline | None:
        """Every pair a tie; a label without pairs counts as it does in the mean."""
        without = 0.0 if self.undefined == "zero" else None
        share = mean_of(without if reason else 0.5 for reason in reasons)
        return None if share is None else Baseline("one score for all samples", share)
