"""The mean of a signal."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.base import Loss

if TYPE_CHECKING:
    from torch import nn


class Mean(Loss, name="mean"):
    """The mean of a signal: what a WGAN critic says of samples, or any number a network makes itself.

    Minimise `fake - real` to train a critic that is high on real samples; `- fake` to please it.
    Shapes: any.
    Source: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017, equation 3.
    Example::

        [mean]
        input = real_score
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input",)

    input: str = Option(description="the signal")

    def lower(self) -> "nn.Module":
        """The module `values -> scalar`."""
        from netcfg.builder.modules.losses.critics import Mean as Module

        return Module()
