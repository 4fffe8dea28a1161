"""Kullback–Leibler divergence."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import OfProbabilities

if TYPE_CHECKING:
    from torch import nn


class KlDivergence(OfProbabilities, name="kl_divergence"):
    """The divergence of the target's probabilities from those of the input, the sum over classes, the mean over places.

    The input holds log-probabilities, such as a `[formula]` of `log_softmax` gives.
    Shapes: equal ones: K, L×K, K×H×W.
    Source: PyTorch's `kl_div`, with the mean over samples (`batchmean`) and places.
    Example::

        [kl_divergence]
        input = Net.log_chances
        target = Teacher.chances
    """

    what: ClassVar[str] = "log-probabilities"

    log_target: bool = Option(False, description="whether the target holds log-probabilities, too")

    def lower(self) -> "nn.Module":
        """The module `(log-probabilities, probabilities) -> scalar`."""
        from netcfg.builder.modules.losses.classes import KlDivergence as Module

        return Module(self.log_target, **self.shared())
