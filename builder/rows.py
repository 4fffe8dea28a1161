"""Places of an axis as samples of a batch, and back: what `over = frames` does where only a batch tells how many."""

from __future__ import annotations

import torch
from torch import Tensor


class Rows:
    """Of one batch: N samples with T places each, of which `lengths` (N whole numbers) are there; all without.

    Padding is no sample: where clips differ in length, only the places that are there are computed.
    """

    def __init__(self, x: Tensor, lengths: Tensor | None = None) -> None:
        """`x` is N×T×…; its numbers are not read."""
        self.samples, self.longest = x.shape[0], x.shape[1]
        self.index: Tensor | None = None
        if lengths is not None and bool((lengths < self.longest).any()):
            there = torch.arange(self.longest) < lengths.cpu().unsqueeze(1)
            self.index = there.flatten().nonzero().squeeze(1).to(x.device)

    def fold(self, x: Tensor) -> Tensor:
        """N×T×… -> one sample for each place that is there."""
        flat = x.flatten(0, 1)
        return flat if self.index is None else flat.index_select(0, self.index)

    def repeat(self, x: Tensor) -> Tensor:
        """N×… -> the sample's own for each of its places."""
        if self.index is None:
            return x.repeat_interleave(self.longest, 0)
        return x.index_select(0, self.index // self.longest)

    def unfold(self, x: Tensor) -> Tensor:
        """The way back of `fold`: N×T×…, zeros where nothing is."""
        if self.index is None:
            return x.view(self.samples, self.longest, *x.shape[1:])
        padded = x.new_zeros(self.samples * self.longest, *x.shape[1:])
        return padded.index_copy(0, self.index, x).view(self.samples, self.longest, *x.shape[1:])

    @property
    def places(self) -> int | Tensor:
        """How many places each sample has; where these differ, the place of each sample of the folded batch."""
        return self.longest if self.index is None else self.index % self.longest
