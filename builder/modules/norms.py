"""PyTorch's norms where channels or features stand elsewhere than it wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.builder.modules.initialization import fill


class _Folded(nn.Module):
    """Of a module of single places or images: one that takes N×L×F or N×T×C×H×W, statistics over all of them."""

    def forward(self, x: Tensor) -> Tensor:
        """Samples and the first axis as one, and back; no number moves."""
        return super().forward(x.flatten(0, 1)).view(x.shape)  # type: ignore[misc,no-any-return]


class BatchNormOfRows(_Folded, nn.BatchNorm1d):
    """On N×L×F."""


class BatchNormOfClips(_Folded, nn.BatchNorm2d):
    """On N×T×C×H×W."""


def batch_norm(channels: int, axes: int, *, start: Initial | None = None, **options: Any) -> nn.Module:
    """The batch norm of signals with so many axes, the batch not counted."""
    kind = {1: nn.BatchNorm1d, 2: BatchNormOfRows, 3: nn.BatchNorm2d, 4: BatchNormOfClips}[axes]
    module = kind(channels, **options)
    if start is not None:
        fill(start, module.weight)
    return module


def started(kind: Callable[..., nn.Module], start: Initial, *args: Any, **options: Any) -> nn.Module:
    """A norm whose scale starts so."""
    module = kind(*args, **options)
    scale = module.weight
    assert isinstance(scale, Tensor)
    fill(start, scale)
    return module


class _Turned(nn.Module):
    """Of a module that wants channels before places: one that takes N×L×F and N×T×C×H×W."""

    def forward(self, x: Tensor) -> Tensor:
        """As the module does, places first."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[misc,no-any-return]


class InstanceNormOfRows(_Turned, nn.InstanceNorm1d):
    """On N×L×F."""


class InstanceNormOfClips(_Turned, nn.InstanceNorm3d):
    """On N×T×C×H×W."""


class GroupNormOfPlaces(_Turned, nn.GroupNorm):
    """On N×L×F or N×T×C×H×W."""


def instance_norm(axes: int) -> type[nn.Module]:
    """The instance norm of signals with so many axes, the batch not counted."""
    return {2: InstanceNormOfRows, 3: nn.InstanceNorm2d, 4: InstanceNormOfClips}[axes]


def group_norm(turned: bool) -> type[nn.Module]:
    """The group norm of signals whose channels stand second, or first."""
    return GroupNormOfPlaces if turned else nn.GroupNorm


class LayerNormAlong(nn.LayerNorm):
    """Over one axis that is not the last (the batch is 0)."""

    def __init__(self, sizes: tuple[int, ...], axis: int, **options: Any) -> None:
        super().__init__(sizes, **options)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """The axis last, and back."""
        return super().forward(x.movedim(self.axis, -1)).movedim(-1, self.axis)


class RMSNormAlong(nn.RMSNorm):
    """Over one axis that is not the last (the batch is 0)."""

    def __init__(self, sizes: tuple[int, ...], axis: int, **options: Any) -> None:
        super().__init__(sizes, **options)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """The axis last, and back."""
        return super().forward(x.movedim(self.axis, -1)).movedim(-1, self.axis)


def layer_norm(sizes: tuple[int, ...], *, axis: int = 0, **options: Any) -> nn.Module:
    """A layer norm over the last axes, of these sizes, or over the one axis of a number."""
    return LayerNormAlong(sizes, axis, **options) if axis else nn.LayerNorm(sizes, **options)


def rms_norm(sizes: tuple[int, ...], *, axis: int = 0, **options: Any) -> nn.Module:
    """The same of a norm by the root mean square."""
    return RMSNormAlong(sizes, axis, **options) if axis else nn.RMSNorm(sizes, **options)


class PixelNorm(nn.Module):
    """Divides by the root mean square along an axis."""

    def __init__(self, axis: int, eps: float) -> None:
        super().__init__()
        self.axis, self.eps = axis, eps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        # `eps` below the root, as in StyleGAN's mapping.
        return x * torch.rsqrt(x.square().mean(self.axis, keepdim=True) + self.eps)


class L2Norm(nn.Module):
    """Divides by the length along an axis."""

    def __init__(self, axis: int, eps: float) -> None:
        super().__init__()
        self.axis, self.eps = axis, eps

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        # Here `eps` is the least length that is divided by; nothing is added.
        return F.normalize(x, dim=self.axis, eps=self.eps)


class MinibatchStd(nn.Module):
    """N×C×H×W -> N×(C+1)×H×W: how much the samples of a group differ, as one more channel.

    Groups are of `group` samples, or of the next smaller number that divides the batch.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """Sample i is of the group of i modulo the number of groups."""
        count = len(x)
        group = (
            next(size for size in range(min(self.group, count), 0, -1) if count % size == 0) if count else 1
        )
        apart = x.reshape(group, -1, *x.shape[1:])
        spread = (apart.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        channel = spread.repeat(group).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, channel.to(x.dtype)], 1)
