"""Factors, shifts and slopes per channel, and tensors by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor as Values
from torch import nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.builder.changing import ScheduledNumber
from netcfg.builder.modules.initialization import initialize


class Tensor(nn.Module):
    """One tensor, learned or fixed: of a block whose tensor bears the block's own name in a network."""

    value: Values

    def __init__(
        self,
        shape: Sequence[int],
        *,
        start: float = 0.0,
        initialization: Initial | None = None,
        learned: bool = True,
    ) -> None:
        super().__init__()
        value = torch.full(tuple(shape), start)
        initialize(initialization, value)
        if learned:
            self.value = nn.Parameter(value)
        else:
            self.register_buffer("value", value)


class Changing(nn.Module):
    """A tensor of one number, which a schedule sets."""

    def __init__(self, shape: Sequence[int], schedule: str) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.number = ScheduledNumber(schedule)

    def forward(self, like: Values | None = None) -> Values:
        """(1, …), the same for all samples; `like` only says the shape, which is known."""
        now: Values = self.number()
        return now.expand(1, *self.shape)


class LocalResponseNorm(nn.LocalResponseNorm):
    """PyTorch's; `turned`: places stand before channels (N×L×F, N×T×C×H×W)."""

    def __init__(self, size: int, alpha: float, beta: float, k: float, *, turned: bool) -> None:
        super().__init__(size, alpha, beta, k)
        self.turned = turned

    def forward(self, x: Values) -> Values:
        """Unchanged in shape."""
        if not self.turned:
            return super().forward(x)
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def _by_channel(values: Values, places: int) -> Values:
    """A number per channel, with so many axes of places behind it."""
    return values.view(-1, *(1,) * places)


class Scale(nn.Module):
    """x · weight + bias, by channel."""

    def __init__(self, channels: int, places: int, *, start: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), start))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.places = places

    def forward(self, x: Values) -> Values:
        """Any shape with so many places behind its channels."""
        bias = _by_channel(self.bias, self.places)
        # One pass over the signal instead of two.
        return torch.addcmul(bias, x, _by_channel(self.weight, self.places))


class FixedScale(nn.Module):
    """x · factors + shifts, by channel; these are no part of its state."""

    factors: Values | None
    shifts: Values | None

    def __init__(self, factors: Sequence[float] | None, shifts: Sequence[float] | None, places: int) -> None:
        super().__init__()
        for name, numbers in (("factors", factors), ("shifts", shifts)):
            values = None if numbers is None else _by_channel(torch.tensor(numbers), places)
            self.register_buffer(name, values, persistent=False)

    def forward(self, x: Values) -> Values:
        """Any shape with so many places behind its channels."""
        x = x if self.factors is None else x * self.factors
        return x if self.shifts is None else x + self.shifts


class _TurnedPReLU(nn.PReLU):
    """On N×L×F and N×T×C×H×W."""

    def forward(self, x: Values) -> Values:
        """Places first."""
        return F.prelu(x.transpose(1, 2), self.weight).transpose(1, 2)


def prelu(slopes: int, *, start: float, turned: bool) -> nn.Module:
    """Learned slopes, of signals whose channels stand second or first."""
    # A single slope does not ask where channels stand.
    return (_TurnedPReLU if turned and slopes > 1 else nn.PReLU)(slopes, init=start)
