"""Negative log-likelihood of classes."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import CLASS_WEIGHTS, ClassWeights, OverClasses

if TYPE_CHECKING:
    from torch import nn


class Nll(OverClasses, name="nll"):
    """Minus the log-probability of the right class, the mean over samples and places.

    The input holds log-probabilities, such as a `[formula]` of `log_softmax` gives; of logits take [cross_entropy].
    Shapes: as [cross_entropy].
    Source: PyTorch's `nll_loss`.
    Example::

        [nll]
        input = Classifier
        target = emotion
    """

    class_weights: ClassWeights = Option((), description=CLASS_WEIGHTS)

    def counts_by(self) -> tuple[object, ...]:
        """Also its classes, where these count differently."""
        return (*super().counts_by(), *((self.target, self.class_weights) if self.class_weights else ()))

    def lower(self) -> "nn.Module":
        """The module `(log-probabilities, classes) -> scalar`."""
        from netcfg.builder.modules.losses.classes import Nll as Module

        return Module(self.class_weights, **self.shared())
