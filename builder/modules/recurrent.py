"""PyTorch's recurrent modules, batch first, with what they say at the end."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Unlike the GRU's, oneDNN's LSTM in bf16 falls back on nothing where a processor has no AVX-512.
_HAS_KERNEL = torch.backends.cpu.get_cpu_capability().startswith("AVX512")


class _Rows(nn.RNNBase):
    """N×T×F -> `value` N×T×features, `last` N×features."""

    def __init__(self, *sizes: int, **options: Any) -> None:
        super().__init__(*sizes, batch_first=True, **options)  # type: ignore[arg-type,misc]

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        """What is said at every step, and at the end: of the way back that is the first step."""
        value, _ = super().forward(x)
        if not self.bidirectional:
            return {"value": value, "last": value[:, -1]}
        there, back = value.chunk(2, -1)
        return {"value": value, "last": torch.cat((there[:, -1], back[:, 0]), -1)}


class LSTM(_Rows, nn.LSTM):  # type: ignore[misc]
    """Long short-term memory."""


class AutocastLSTM(LSTM):
    """The same, also under autocast on processors of every kind; exported programs are for no autocast."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        """In f32 where autocast asks a processor for a kernel in bf16 that it does not have."""
        if _HAS_KERNEL or x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            given = super().forward(x.float())
        half = torch.get_autocast_dtype("cpu")
        return {port: value.to(half) for port, value in given.items()}


class GRU(_Rows, nn.GRU):  # type: ignore[misc]
    """Gated recurrent units."""


class RNN(_Rows, nn.RNN):  # type: ignore[misc]
    """Plain recurrence."""
