"""A metric of one's own: how many decisions are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from netcfg.blocks import Figures, Metric, Shape, ShapeError

if TYPE_CHECKING:
    from torch import Tensor


class ErrorRate(Metric, name="error_rate"):
    """The share of labels that are decided wrongly, by label and over all of them.

    Shapes: one score per label, and as many labels of 0 or 1.
    Example::

        [error_rate]
        input = Net
        target = labels
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Field(description="the data field of labels")
    threshold: float = Field(0.0, description="the score above which a label counts as said to be there")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Refuse other than one score for each label."""
        if len(input) != 1 or input != target:
            raise ShapeError(f"needs one score for each label, and is given {input} for {target}")

    def compute(self, scores: Tensor, targets: Tensor | None, names: Sequence[str]) -> Figures:
        """The figure to monitor under the metric's own name, then each label's."""
        assert targets is not None
        wrong = ((scores > self.threshold) != (targets > 0.5)).double().mean(dim=0)
        labels = dict(zip(names, wrong.tolist(), strict=True))
        return {self.type_name: float(wrong.mean()), **labels}
