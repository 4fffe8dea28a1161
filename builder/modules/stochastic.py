"""Draws in training, and gradients of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from netcfg.blocks.changing import Scheduled
from netcfg.builder.changing import now, number


class _LeavesOut(nn.Module):
    """Multiplies by factors that are 0 with a probability, else so large that the mean stays."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def _multiplied(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        if not self.training or not self.probability:
            return x
        kept = 1 - self.probability
        return x * x.new_empty(sizes).bernoulli_(kept).div_(kept)


class StochasticDepth(_LeavesOut):
    """One factor for each sample."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        return self._multiplied(x, (x.shape[0], *(1,) * (x.ndim - 1)))


class DropChannels(_LeavesOut):
    """One factor for each channel; `turned`: channels stand behind the first axis of places."""

    def __init__(self, probability: float, *, turned: bool) -> None:
        super().__init__(probability)
        self.turned = turned

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W, or with `turned` N×L×F and N×T×C×H×W."""
        axis = 2 if self.turned else 1
        return self._multiplied(x, tuple(x.shape[at] if at in (0, axis) else 1 for at in range(x.ndim)))


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, factor: float | Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float | Tensor], output: Tensor) -> None:
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * -ctx.factor, None


class ReverseGradient(nn.Module):
    """The identity, whose gradient has the opposite sign."""

    def __init__(self, factor: float | Scheduled) -> None:
        super().__init__()
        self.factor = number(factor)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        return _Reverse.apply(x, now(self.factor))  # type: ignore[no-any-return,no-untyped-call]


_STEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "round": torch.round,
    "floor": torch.floor,
    "sign": torch.sign,
    "step": lambda x: (x > 0).to(x.dtype),
}


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, steps: str) -> Tensor:
        return _STEPS[steps](x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, str], output: Tensor) -> None:
        return None

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class StraightThrough(nn.Module):
    """Steps, whose gradient is that of the identity."""

    def __init__(self, steps: str) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        return _Step.apply(x, self.steps)  # type: ignore[no-any-return,no-untyped-call]
