"""Cross-covariance of two codes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import both, expect_code, figures
from netcfg.blocks.metrics.judgement import Figures
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor


class Xcov(Metric, name="xcov"):
    """How much one code tells of another: the mean square of the correlations of their components.

    From 0, no linear dependence, to 1; lower is better. A constant component has no correlation, and counts 0.
    Shapes: (C) or (C, 1, 1), and (D) or (D, 1, 1).
    Source: AUDetNet's XCov(z1, z2); Cheung et al., "Discovering hidden factors of variation", 2014.
    Example::

        [xcov]
        input = z1
        target = z2
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Option(description="the other code, a signal")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Two vectors, of any lengths."""
        expect_code(self.input, input)
        expect_code(self.target, target or (), argument=1)

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The one figure."""
        from netcfg.trainers.judging.scores import correlations

        scores, targets = both(self, scores, targets, least=2, finite=True)
        return figures(self, float(correlations(scores, targets).square().mean()))
