"""The length of a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.base import Loss

if TYPE_CHECKING:
    from torch import nn


class Norm(Loss, name="norm"):
    """The root of the sum of squares of a signal, over all samples of the batch together: it keeps numbers small.

    Unlike a mean it grows with the batch. Shapes: any.
    Source: PyTorch's `norm`; FERAtt adds a small part of it for its vectors.
    Example::

        [norm]
        input = Embedding
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input",)

    input: str = Option(description="the signal: a network, or `Network.output`")

    def lower(self) -> nn.Module:
        """The module `(values) -> scalar`."""
        from netcfg.builder.modules.gaussian_mixture import Norm as Module

        return Module()
