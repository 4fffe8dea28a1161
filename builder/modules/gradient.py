"""The derivative of one signal by another."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Gradient(nn.Module):
    """∂ sum(of) / ∂ by, differentiable again where gradients are recorded. `of` was computed from this very `by`."""

    def forward(self, of: Tensor, by: Tensor) -> Tensor:
        """Any shapes -> that of `by`."""
        # The graph stays: the loss that reads `of` itself, or this gradient, goes back through it once more.
        (found,) = torch.autograd.grad(
            of, by, torch.ones_like(of), create_graph=torch.is_grad_enabled(), retain_graph=True
        )
        return found


__all__ = ["Gradient"]
