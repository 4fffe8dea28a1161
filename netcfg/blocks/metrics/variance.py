"""The variance of a signal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import expect_code, figures, own_name
from netcfg.blocks.metrics.judgement import Figures
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor


class Variance(Metric, name="variance"):
    """How much a code varies over the samples: the mean of its components' variances.

    A code that a network ignores falls towards 0. The variances are unbiased, their sums divided by N - 1.
    Shapes: (C) or (C, 1, 1).
    Source: AUDetNet's variability of z2.
    Example::

        [variance]
        input = z2
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"target"})

    def check(self, input: Shape, target: Shape | None) -> None:
        """A vector."""
        expect_code(self.input, input)

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The one figure."""
        from netcfg.trainers.judging.scores import table, variances

        codes = table(own_name(self), self.input, scores, least=2, finite=True)
        return figures(self, float(variances(codes).mean()))
