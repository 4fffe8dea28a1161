"""Frames weighted by gates."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FrameAttention(nn.Linear):
    """N×T×F -> `value` N×F, `gates` N×T."""

    def __init__(self, features: int, *, activation: str, dropout: float, numerator: str) -> None:
        super().__init__(features, 1)
        self.activation, self.dropout, self.numerator = activation, dropout, numerator

    def forward(self, x: Tensor, gates: Tensor | None = None) -> dict[str, Tensor]:  # type: ignore[override]
        """Σ gate · frame / Σ gate; `gates` N×T are factors of its own."""
        # Only the gate's view has gaps: the frames that are summed are whole, as in Emotion-FAN.
        seen = F.dropout(x, self.dropout, self.training) if self.dropout else x
        logits = F.linear(seen, self.weight, self.bias).squeeze(-1)
        own = torch.sigmoid(logits) if self.activation == "sigmoid" else torch.softmax(logits, -1)
        both = own if gates is None else own * gates
        # Emotion-FAN's evaluation leaves the second gate out of the numerator, though not out of the
        # denominator; its training does not.
        alone = gates is not None and self.numerator == "given" and not self.training
        weights = gates if alone and gates is not None else both
        value = (weights.unsqueeze(1) @ x).squeeze(1) / both.sum(1, keepdim=True)
        return {"value": value, "gates": own}
