"""Intraclass correlation ICC(3, 1): consistency of the network and the target as two raters."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured, not_zero

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Icc(Measured, name="icc"):
    """Intraclass correlation ICC(3, 1): consistency of the network and the target as two raters.

    From -1 to 1; a shift counts for nothing, a scale does: (BMS - EMS) / (BMS + EMS), which of two raters is 2
    cov / (var x + var y). The figure of DISFA's and of FERA's intensities. Undefined where neither side varies.
    Higher is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: Shrout and Fleiss, "Intraclass correlations", 1979.
    Example::

        [icc]
        input = Regressor
        target = intensities
    """

    lacking: ClassVar[str] = "numbers that do not vary"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return 2 * moments.covariance / not_zero(moments.variance_x + moments.variance_y)
