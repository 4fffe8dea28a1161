"""Pearson's correlation with the target."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured, not_zero

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Pearson(Measured, name="pearson"):
    """Pearson's correlation with the target.

    From -1 to 1, whatever scale and shift. A number that does not vary has no figure, and is in no mean. Higher
    is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: torchmetrics' `pearson_corrcoef`.
    Example::

        [pearson]
        input = Regressor
        target = intensities
    """

    lacking: ClassVar[str] = "numbers that do not vary"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return moments.covariance / not_zero((moments.variance_x * moments.variance_y).sqrt())
