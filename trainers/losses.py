"""The modules behind the sections of `{Loss}`: `(input, target) -> scalar`, the mean over the batch.

Legend: N samples, A labels, K classes.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class BceWithLogits(nn.Module):
    """Binary cross-entropy. Shapes: logits (N, A) or (N, A, 1, 1), labels (N, A)."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over labels and batch."""
        return functional.binary_cross_entropy_with_logits(like(logits, labels), labels.float())


class CrossEntropy(nn.Module):
    """Cross-entropy. Shapes: logits (N, K) or (N, K, 1, 1), classes (N)."""

    def forward(self, logits: Tensor, classes: Tensor) -> Tensor:
        """The mean over the batch."""
        return functional.cross_entropy(logits.flatten(1), classes.long())


class Mse(nn.Module):
    """Squared difference. Shapes: equal, but for trailing ones."""

    def forward(self, values: Tensor, targets: Tensor) -> Tensor:
        """The mean over all numbers."""
        return functional.mse_loss(like(values, targets), targets.to(values.dtype))


class L1(nn.Module):
    """Absolute difference. Shapes: equal, but for trailing ones."""

    def forward(self, values: Tensor, targets: Tensor) -> Tensor:
        """The mean over all numbers."""
        return functional.l1_loss(like(values, targets), targets.to(values.dtype))


def like(values: Tensor, targets: Tensor) -> Tensor:
    """The values in the targets' shape: (N, A, 1, 1) becomes (N, A), (N, 1) becomes (N)."""
    return values if values.shape == targets.shape else values.reshape(targets.shape)
