"""The share of a target's variance that is explained, the coefficient of determination."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured, not_zero

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class R2(Measured, name="r2"):
    """The share of a target's variance that is explained, the coefficient of determination.

    1 where all is right, 0 for the target's mean, below 0 where that would have been better. A number that does
    not vary has no figure, and is in no mean. Higher is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: torchmetrics' `r2_score`; Wright, "Correlation and causation", 1921.
    Example::

        [r2]
        input = Regressor
        target = intensities
    """

    lacking: ClassVar[str] = "a target that does not vary"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return 1 - moments.squared / not_zero(moments.variance_y)
