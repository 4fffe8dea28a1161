"""Initial values, by the names that files use."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def initialize(name: str, weight: Tensor, bias: Tensor | None) -> None:
    """Fill a weight (and, but for `kaiming_uniform`, set the bias to zero) by a named rule.

    `kaiming_normal` counts the outputs (fan-out), as VGG and ResNet do; `kaiming_uniform` counts the inputs and
    touches the weight alone, as AUDetNet does; `normal` is N(0, 0.01²), VGG's for fully connected layers.
    `None` keeps PyTorch's own values.
    Source: He et al., "Delving Deep into Rectifiers", 2015; Glorot, Bengio, 2010.
    """
    if name == "None":
        return
    with torch.no_grad():
        _RULES[name](weight)
        if bias is not None and name != "kaiming_uniform":
            bias.zero_()


_RULES = {
    "kaiming_uniform": nn.init.kaiming_uniform_,
    "kaiming_normal": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"),
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "normal": lambda weight: nn.init.normal_(weight, 0.0, 0.01),
    "zeros": nn.init.zeros_,
}
