"""A linear map over features, at every pixel where there are pixels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.blocks.network.activation import Applied
from netcfg.builder.modules.activations import activation as activation_of
from netcfg.builder.modules.initialization import initialize
from netcfg.builder.modules.reparametrised import Reparametrised, Rule


class Connected(Reparametrised, nn.Linear):
    """Linear, then an activation.

    Shapes: N×F -> N×outputs, N×S×F -> N×S×outputs, or with `per_pixel` N×F×H×W -> N×outputs×H×W.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        bias: bool = True,
        activation: Applied | None = None,
        initialization: Initial | None = None,
        bias_start: Initial | None = None,
        rule: Rule | None = None,
        learning_rate_factor: float = 1.0,
        per_pixel: bool = False,
    ) -> None:
        super().__init__(features, outputs, bias)  # type: ignore[call-arg]
        start = Initial("zeros") if rule == "equalised" and bias_start is None else bias_start
        initialize(initialization, self.weight, self.bias, start)
        self._reparametrise(rule, factor=learning_rate_factor)
        self.per_pixel = per_pixel
        self._activate = activation_of(activation)

    def forward(self, x: Tensor) -> Tensor:
        """The map, by pixel as a 1×1 convolution with the same weight; a single pixel is a vector."""
        weight, bias = self._used_weight(), self._used_bias()
        if not self.per_pixel:
            return self._activated(F.linear(x, weight, bias))
        if x.shape[2:] == (1, 1):
            return self._activated(F.linear(x.flatten(1), weight, bias))[:, :, None, None]
        # The state keeps the weight of a Linear, as AUDetNet's files have it.
        return self._activated(F.conv2d(x, weight[:, :, None, None], bias))

    def _activated(self, x: Tensor) -> Tensor:
        return x if self._activate is None else self._activate(x)
