"""Concordance with the target: correlation that scale and shift count against."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured, not_zero

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Ccc(Measured, name="ccc"):
    """Concordance with the target: correlation that scale and shift count against.

    From -1 to 1, 1 where all is equal; 2 cov / (var x + var y + (mean x - mean y)²), variances over all
    samples. Undefined where both sides are one and the same number. Higher is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: Lin, 1989, "A concordance correlation coefficient"; that of AVEC's challenges.
    Example::

        [ccc]
        input = Regressor
        target = intensities
    """

    lacking: ClassVar[str] = "numbers that do not vary"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        apart = (moments.mean_x - moments.mean_y).square()
        return 2 * moments.covariance / not_zero(moments.variance_x + moments.variance_y + apart)
