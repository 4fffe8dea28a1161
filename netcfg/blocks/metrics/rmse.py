"""The root of the mean squared difference."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Rmse(Measured, name="rmse"):
    """The root of the mean squared difference.

    In the units of the target; of several numbers the mean of their roots, with `average = micro` the root of
    the mean. Lower is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: torchmetrics' `mean_squared_error` with `squared=False`.
    Example::

        [rmse]
        input = Regressor
        target = intensities
    """

    higher_is_better: ClassVar[bool] = False

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return moments.squared.sqrt()
