"""Initial values, by the rules that files name."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from netcfg.blocks.initial import Initial


def initialize(
    rule: Initial | None, weight: Tensor, bias: Tensor | None = None, bias_start: Initial | None = None
) -> None:
    """Fill a weight by a rule, and its bias by another; where no rule is given, PyTorch's own values stay.

    A rule for the weight sets the bias to zero, but `kaiming_uniform` without more does not: AUDetNet's touches the
    weight alone, while `kaiming_normal` counts the outputs (fan-out), as VGG and ResNet do, and `normal` is
    N(0, 0.01²), VGG's for fully connected layers.
    Source: He et al., "Delving Deep into Rectifiers", 2015; Glorot, Bengio, 2010.
    """
    if rule is not None:
        fill(rule, weight)
    if bias is None:
        return
    if bias_start is not None:
        fill(bias_start, bias, weight)
    elif rule is not None and rule != Initial("kaiming_uniform"):
        nn.init.zeros_(bias)


@torch.no_grad()
def fill(rule: Initial, tensor: Tensor, weight: Tensor | None = None) -> None:
    """Fill a tensor by a rule; a bias counts the fans of its `weight`."""
    name, arguments = rule
    if name.startswith("kaiming"):
        _kaiming(name, arguments, tensor)
    elif name.startswith("xavier"):
        xavier = nn.init.xavier_normal_ if name == "xavier_normal" else nn.init.xavier_uniform_
        xavier(tensor, gain=next(iter(_numbers(arguments)), 1.0))
    elif arguments and isinstance(arguments[0], str):
        _by_fan(name, 1 / math.sqrt(_fan(arguments[0], tensor if weight is None else weight)), tensor)
    else:
        _SIMPLE[name](tensor, *_numbers(arguments))


def _kaiming(name: str, arguments: tuple[float | str, ...], tensor: Tensor) -> None:
    # AUDetNet calls PyTorch's with its defaults, which count inputs (fan-in) and take the gain of slope 0.
    if name == "kaiming_uniform" and not arguments:
        nn.init.kaiming_uniform_(tensor)
        return
    mode = str(arguments[0]) if arguments else "fan_out"
    gain = str(arguments[1]) if len(arguments) > 1 else "relu"
    kaiming = nn.init.kaiming_normal_ if name == "kaiming_normal" else nn.init.kaiming_uniform_
    kaiming(tensor, mode=mode, nonlinearity=gain)  # type: ignore[arg-type]


def _fan(fan: str, weight: Tensor) -> int:
    inputs, outputs = nn.init._calculate_fan_in_and_fan_out(weight)
    return inputs if fan == "fan_in" else outputs


def _by_fan(name: str, deviation: float, tensor: Tensor) -> None:
    if name == "uniform":
        nn.init.uniform_(tensor, -deviation, deviation)
    else:
        nn.init.trunc_normal_(tensor, std=deviation)


def _numbers(arguments: tuple[float | str, ...]) -> list[float]:
    return [one for one in arguments if isinstance(one, float)]


def _normal(tensor: Tensor, *numbers: float) -> None:
    mean, deviation = (0.0, 0.01) if not numbers else (0.0, *numbers)[-2:]
    nn.init.normal_(tensor, mean, deviation)


def _trunc_normal(tensor: Tensor, *numbers: float) -> None:
    mean, deviation = (0.0, *numbers)[-2:]
    nn.init.trunc_normal_(tensor, mean, deviation)


def _uniform(tensor: Tensor, *numbers: float) -> None:
    low, high = numbers if len(numbers) == 2 else (-numbers[0], numbers[0])
    nn.init.uniform_(tensor, low, high)


def _constant(tensor: Tensor, *numbers: float) -> None:
    """The numbers in turn, row by row."""
    turns = math.ceil(tensor.numel() / len(numbers))
    tensor.copy_(tensor.new_tensor(numbers).repeat(turns)[: tensor.numel()].reshape(tensor.shape))


_SIMPLE: dict[str, Callable[..., object]] = {
    "normal": _normal,
    "trunc_normal": _trunc_normal,
    "uniform": _uniform,
    "constant": _constant,
    "zeros": nn.init.zeros_,
    "ones": nn.init.ones_,
}
