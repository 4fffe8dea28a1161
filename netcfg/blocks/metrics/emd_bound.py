"""A lower bound of the distance of two distributions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import both, figures
from netcfg.blocks.metrics.judgement import Figures

if TYPE_CHECKING:
    from torch import Tensor


class EmdBound(Metric, name="emd_bound"):
    """A critic's bound on the earth mover's distance of two sides: how far its mean scores lie apart.

    Of all functions whose slope is at most 1, the largest difference of means is the distance itself, so that
    the critic's difference bounds it from below, as far as a gradient penalty keeps its slope at 1. Which side
    it scores higher does not matter to the bound: the figure is the absolute value, `signed` is mean input
    minus mean target. Lower is better: the two sides are alike.
    Shapes: any, the mean is over all numbers.
    Source: Arjovsky et al., "Wasserstein GAN", 2017, equation 2 (Kantorovich's duality).
    Example::

        [emd_bound]
        input = critic_real
        target = critic_shuffled
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Option(description="the critic's scores on the other side, a signal")

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The bound under the metric's name, then `signed`."""
        scores, targets = both(self, scores, targets, finite=True)
        signed = float(scores.double().mean() - targets.double().mean())
        return figures(self, abs(signed), {"signed": signed})
