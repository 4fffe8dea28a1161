"""The mean absolute difference."""

from typing import TYPE_CHECKING, ClassVar

from netcfg.blocks.metrics.measured import Measured

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.trainers.judging.moments import Moments


class Mae(Measured, name="mae"):
    """The mean absolute difference.

    In the units of the target. Its error by target is drawn in the run's folder. Lower is better.
    Shapes: equal ones; of vectors each number is judged by itself, of maps each channel; trailing ones do not matter.
    Source: torchmetrics' `mean_absolute_error`.
    Example::

        [mae]
        input = Regressor
        target = intensities
    """

    higher_is_better: ClassVar[bool] = False
    error: ClassVar[str | None] = "absolute"

    def figure(self, moments: "Moments") -> "Tensor":
        """Out of moments."""
        return moments.absolute
