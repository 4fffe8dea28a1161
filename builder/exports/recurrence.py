"""Recurrent modules in the forms in which they can be traced: for frames of any number, and batches of any size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from netcfg.builder.modules.recurrent import GRU, LSTM, RNN, AutocastLSTM

_GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""ONNX's order of gates, by their places in PyTorch's."""


class _TimeFirst(nn.RNNBase):
    """N×T×F -> `value`, `last`: as netcfg's own, but that no line asks whether a batch holds a single sample."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        """Time first, as a copy: whether one is needed would hang on the size of the batch."""
        self.batch_first = False
        value, _ = super().forward(x.transpose(0, 1).clone(memory_format=torch.contiguous_format))
        return ports(value.transpose(0, 1), self.bidirectional)


class _LSTM(_TimeFirst, nn.LSTM):  # type: ignore[misc]
    pass


class _GRU(_TimeFirst, nn.GRU):  # type: ignore[misc]
    pass


class _RNN(_TimeFirst, nn.RNN):  # type: ignore[misc]
    pass


WITHOUT_AUTOCAST: dict[type[nn.Module], type[nn.Module]] = {AutocastLSTM: LSTM}
"""What is written of a module in plain PyTorch, which is as much where nobody autocasts."""
TIME_FIRST: dict[type[nn.Module], type[nn.Module]] = {AutocastLSTM: _LSTM, GRU: _GRU, RNN: _RNN}


class OnnxRecurrent(nn.Module):
    """The same as ONNX's own operators, which no loop unrolls."""

    def __init__(self, of: nn.RNNBase) -> None:
        super().__init__()
        self.of = of
        self.operator = "RNN" if of.mode.startswith("RNN") else of.mode
        self.both = of.bidirectional

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """N×T×F -> `value` N×T×features, `last` N×features."""
        value = x.transpose(0, 1)
        for layer in range(self.of.num_layers):
            value = self._layer(value, layer)
        return ports(value.transpose(0, 1), self.both)

    def _layer(self, x: Tensor, layer: int) -> Tensor:
        size, directions = self.of.hidden_size, 1 + self.both
        weights = [self._joined(name, layer) for name in ("weight_ih", "weight_hh")]
        biases = [self._joined(name, layer) for name in ("bias_ih", "bias_hh")] if self.of.bias else []
        given: list[Tensor | None] = [x, *weights, torch.cat(biases, 1) if biases else None]
        options: dict[str, Any] = {"hidden_size": size}
        if self.both:
            options["direction"] = "bidirectional"
        if self.operator == "GRU":
            options["linear_before_reset"] = 1
        if self.operator == "RNN":
            options["activations"] = ["Relu" if self.of.mode == "RNN_RELU" else "Tanh"] * directions
        made = torch.onnx.ops.symbolic(
            self.operator,
            given,
            options,
            dtype=x.dtype,
            shape=[x.shape[0], directions, x.shape[1], size],
        )
        # T×directions×N×features: directions one after the other among the features.
        return made.transpose(1, 2).flatten(2)

    def _joined(self, name: str, layer: int) -> Tensor:
        suffixes = ("", "_reverse")[: 1 + self.both]
        return torch.stack([self._ordered(getattr(self.of, f"{name}_l{layer}{one}")) for one in suffixes])

    def _ordered(self, tensor: Tensor) -> Tensor:
        parts = tensor.chunk(len(_GATES[self.operator]))
        return torch.cat([parts[place] for place in _GATES[self.operator]])


def ports(value: Tensor, both: bool) -> dict[str, Tensor]:
    """What is said at every step, and at the end."""
    if not both:
        return {"value": value, "last": value[:, -1]}
    there, back = value.chunk(2, -1)
    return {"value": value, "last": torch.cat((there[:, -1], back[:, 0]), -1)}


__all__ = ["TIME_FIRST", "OnnxRecurrent", "ports"]
