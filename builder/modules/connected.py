"""A linear map over features, at every pixel where there are pixels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.builder.modules.convolution import ACTIVATIONS
from netcfg.builder.modules.initialization import initialize


class Connected(nn.Linear):
    """Linear, then an activation.

    Shapes: N×F -> N×outputs, N×S×F -> N×S×outputs, or with `per_pixel` N×F×H×W -> N×outputs×H×W.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        bias: bool = True,
        activation: str | None = None,
        initialization: Initial | None = None,
        per_pixel: bool = False,
    ) -> None:
        super().__init__(features, outputs, bias)
        initialize(initialization, self.weight, self.bias)
        self.activation = activation
        self.per_pixel = per_pixel
        self._activate = ACTIVATIONS[activation] if activation else None

    def forward(self, x: Tensor) -> Tensor:
        """The map, by pixel as a 1×1 convolution with the same weight; a single pixel is a vector."""
        if not self.per_pixel:
            return self._activated(F.linear(x, self.weight, self.bias))
        if x.shape[2:] == (1, 1):
            return self._activated(F.linear(x.flatten(1), self.weight, self.bias))[:, :, None, None]
        return self._activated(F.conv2d(x, self.weight[:, :, None, None], self.bias))

    def _activated(self, x: Tensor) -> Tensor:
        return x if self._activate is None else self._activate(x)
