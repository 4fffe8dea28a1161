"""The divergence of a variational code."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Loss
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import nn


class KlNormal(Loss, name="kl_normal"):
    """How far normal distributions are from the standard one: ½ Σ (σ² + μ² - 1 - log σ²), the mean over samples.

    Shapes: means and logarithms of variances, alike.
    Source: Kingma, Welling, "Auto-Encoding Variational Bayes", 2013, appendix B.
    Example::

        [kl_normal]
        input = Encoder.mean
        log_variance = Encoder.log_variance
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input", "log_variance")

    input: str = Option(description="the signal of the means")
    log_variance: str = Option(description="the signal of the logarithms of the variances")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Two equal shapes."""
        means, variances = shapes
        if len(means) != len(variances) or any(map(differ, means, variances)):
            raise ShapeError(
                f"has means of {show(means) or '1'} and log-variances of {show(variances) or '1'}",
                code="NC402",
            )

    def lower(self) -> "nn.Module":
        """The module `(means, log-variances) -> scalar`."""
        from netcfg.builder.modules.losses.agreement import KlNormal as Module

        return Module()
