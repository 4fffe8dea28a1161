"""What a loss gives where not everything counts alike."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Counted:
    """A sum over what counts in a batch, and how much that is: two numbers.

    Whoever joins batches, or the shares of several processes, divides the sum of sums by that of counts.
    """

    total: Tensor
    count: Tensor

    def mean(self) -> Tensor:
        """The mean over this batch; 0, with a gradient of 0, where nothing counts."""
        return self.total / torch.where(self.count > 0, self.count, 1)


def precise(values: Tensor) -> Tensor:
    """Half precision as single precision; others as they are."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def in_single(values: Tensor) -> AbstractContextManager[object]:
    """Inside, autocast leaves products of matrices and convolutions as precise as what they are given."""
    kind = values.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()
