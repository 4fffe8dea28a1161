"""What all comparing losses share: the target's shape, what counts, and the mean over that."""

from __future__ import annotations

from math import isnan

import torch
from torch import Tensor, nn

from netcfg.builder.modules.losses.counted import Counted, precise
from netcfg.shapes import spread


class Comparing(nn.Module):
    """Compares values with targets, place by place.

    A subclass says what the loss is at `each` place, and the mean of all as PyTorch computes it (`whole`). `target` is
    a number to compare with where there is no signal; where a target is `ignore`, nothing counts; `channels = target`
    compares as many of the first channels as the target has.
    """

    def __init__(
        self, target: float | None = None, ignore: float | None = None, channels: str = "all"
    ) -> None:
        super().__init__()
        self.target = target
        self.ignore = ignore
        self.channels = channels

    def forward(
        self,
        values: Tensor,
        targets: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **others: Tensor,
    ) -> Tensor | Counted:
        """The mean over all places; with a mask, weights or `ignore`, the sum over what counts, and how much that is.

        Where the mask is 0 a place does not count, and its target may be anything; a weight of 2 counts it twice.
        Mask and weights lie over the places as `netcfg.shapes.spread` lays them. Half precision is compared in single.
        """
        values, targets = self.pair(*self.precise(values, targets))
        others = {name: precise(signal) for name, signal in others.items()}
        places = self.places(values, targets)
        kept = self._kept(targets, mask, places)
        if kept is not None:
            targets = self.cleared(targets, kept)
        counts = self.counts(values, targets)
        if kept is None and weight is None and counts is None:
            return self.whole(values, targets, **others)
        each = self.each(values, targets, **others)
        if kept is not None:
            # Chosen and not multiplied: 0 times infinity is no number.
            each = torch.where(kept, each, 0)
            counts = kept.to(each.dtype) if counts is None else torch.where(kept, counts, 0)
        if weight is not None:
            factor = laid(weight, places).to(each.dtype)
            each = each * factor
            counts = factor if counts is None else counts * factor
        assert counts is not None
        # Counts may lie over fewer axes than what is compared; each then stands for as many numbers.
        return Counted(each.sum(), counts.sum() * (each.numel() // max(1, counts.numel())))

    @staticmethod
    def precise(values: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Both in single precision at least."""
        return precise(values), None if targets is None else precise(targets)

    def pair(self, values: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor]:
        """Both in one shape and type: (N, A, 1, 1) is (N, A) to a target of (N, A)."""
        if targets is None:
            assert self.target is not None
            return values, values.new_full((), self.target).expand_as(values)
        if self.channels == "target" and targets.ndim > 1:
            values = values[:, : targets.shape[1]]
        return like(values, targets), targets.to(values.dtype)

    def places(self, values: Tensor, targets: Tensor) -> torch.Size:
        """The shape of what `each` gives: samples, then places."""
        return targets.shape

    def cleared(self, targets: Tensor, kept: Tensor) -> Tensor:
        """Targets that may be anything where nothing counts, as ones that give no NaN: its gradient would stay."""
        return torch.where(kept, targets, 0)

    def counts(self, values: Tensor, targets: Tensor) -> Tensor | None:
        """How much each place counts by itself; None: all alike."""
        return None

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The loss at every place."""
        raise NotImplementedError

    def whole(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """The mean over all places."""
        return self.each(values, targets, **others).mean()

    def _kept(self, targets: Tensor, mask: Tensor | None, places: torch.Size) -> Tensor | None:
        """Which places count, where not all do."""
        kept = None if mask is None else laid(mask, places) != 0
        if self.ignore is None:
            return kept
        is_known = ~targets.isnan() if isnan(self.ignore) else targets != self.ignore
        return is_known if kept is None else kept & is_known


def laid(part: Tensor, places: torch.Size) -> Tensor:
    """A mask or weights over the places of a batch, in a shape that broadcasts."""
    shape = spread(tuple(part.shape[1:]), tuple(places[1:]))
    if shape is None:
        raise ValueError(f"a mask or weight of {tuple(part.shape)} does not lie over {tuple(places)}")
    sizes = [size for size in shape if isinstance(size, int)]
    return part.reshape(part.shape[0], *sizes)


def like(values: Tensor, targets: Tensor) -> Tensor:
    """The values in the targets' shape: (N, A, 1, 1) becomes (N, A), (N, 1) becomes (N)."""
    return values if values.shape == targets.shape else values.reshape(targets.shape)
