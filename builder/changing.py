"""Numbers of modules that a `[schedule]` sets while a program trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netcfg.blocks.changing import Scheduled


class ScheduledNumber(nn.Module):
    """A number by the name of its schedule, in a tensor that whoever trains fills: nothing is compiled again."""

    value: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.register_buffer("value", torch.zeros(()), persistent=False)

    def forward(self) -> Tensor:
        """What it is now."""
        return self.value


def number(value: float | Scheduled) -> float | ScheduledNumber:
    """An option as a module keeps it."""
    return ScheduledNumber(value.name) if isinstance(value, Scheduled) else value


def now(value: float | ScheduledNumber) -> float | Tensor:
    """What a number is at the moment."""
    return value() if isinstance(value, ScheduledNumber) else value


__all__ = ["ScheduledNumber", "now", "number"]
