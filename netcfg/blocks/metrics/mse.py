"""The mean squared difference."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Mse(Measured, name="mse"):
    """The mean squared difference.

    In the target's units squared. Its error by target is drawn in the run's folder. Lower is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: torchmetrics' `mean_squared_error`.
    Example::

        [mse]
        input = Regressor
        target = intensities
    """

    higher_is_better: ClassVar[bool] = False
    error: ClassVar[str | None] = "squared"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return moments.squared
