"""A convolution with what follows it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.builder.modules.initialization import initialize

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu_,
    "leaky_relu": F.leaky_relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "elu": F.elu_,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
}
"""In place where a gradient can do with what comes out: what they overwrite is the module's own."""


MOST_PLACES = 16
LARGE_WEIGHT = 1_000_000


class Convolution(nn.Conv2d):
    """2-D convolution, batch normalisation, activation.

    `as_product`: on a processor it is one product of the weight with the patches under its windows. With few windows
    (`MOST_PLACES` or less) and a large weight (`LARGE_WEIGHT` or more), that is up to four times as fast as the
    convolution kernels, which are made for large pictures. Its weight then stays contiguous.
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
        initialization: Initial | None = None,
        as_product: bool = False,
    ) -> None:
        super().__init__(
            channels, filters, kernel_size, stride, padding, bias=bias and batch_norm_eps is None
        )
        initialize(initialization, self.weight, self.bias)
        self.batch_norm = None if batch_norm_eps is None else nn.BatchNorm2d(filters, eps=batch_norm_eps)
        self.activation = activation
        self.as_product = as_product
        self._activate = ACTIVATIONS[activation] if activation else None

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W -> N×filters×H'×W'."""
        x = self._product(x) if self.as_product and x.device.type == "cpu" else super().forward(x)
        if self.batch_norm is not None:
            x = self.batch_norm(x)
        return x if self._activate is None else self._activate(x)

    def _product(self, x: Tensor) -> Tensor:
        """The same numbers, summed in another order."""
        assert not isinstance(self.padding, str)
        kernel, stride, pad = self.kernel_size[0], self.stride[0], self.padding[0]
        if x.shape[-2:] == self.kernel_size and pad == 0:
            return F.linear(x.flatten(1), self.weight.flatten(1), self.bias)[..., None, None]
        height, width = (1 + (size + 2 * pad - kernel) // stride for size in x.shape[-2:])
        patches = F.unfold(x, kernel, padding=pad, stride=stride).mT  # N×(H'·W')×(C·k·k)
        # Two axes, so that it is one product and no weight is repeated for every sample.
        y = F.linear(patches.flatten(0, 1), self.weight.flatten(1), self.bias)
        return y.view(len(x), height, width, -1).movedim(-1, 1)
