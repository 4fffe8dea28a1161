"""A convolution with what follows it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.builder.modules.initialization import initialize

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu_,
    "leaky_relu": F.leaky_relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
}
"""In place: what they overwrite is the module's own, and no gradient needs it."""


class Convolution(nn.Conv2d):
    """2-D convolution, batch normalisation, activation.

    Shapes: N×C×H×W -> N×filters×H'×W'.
    """

    batch_norm: nn.BatchNorm2d | None

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        *,
        bias: bool = True,
        batch_norm_eps: float | None = None,
        activation: str | None = None,
        initialization: str = "None",
    ) -> None:
        super().__init__(
            channels, filters, kernel_size, stride, padding, bias=bias and batch_norm_eps is None
        )
        initialize(initialization, self.weight, self.bias)
        self.batch_norm = None if batch_norm_eps is None else nn.BatchNorm2d(filters, eps=batch_norm_eps)
        self.activation = activation
        self._activate = ACTIVATIONS[activation] if activation else None

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W -> N×filters×H'×W'."""
        x = super().forward(x)
        if self.batch_norm is not None:
            x = self.batch_norm(x)
        return x if self._activate is None else self._activate(x)
