"""Pooling where channels or features stand elsewhere than PyTorch wants them."""

from __future__ import annotations

from torch import Tensor, nn


class _Turned(nn.Module):
    """Of a module that wants channels before places: one that takes N×L×F and N×T×C×H×W."""

    def forward(self, x: Tensor) -> Tensor:
        """As the module does, places first."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[misc,no-any-return]


class AdaptiveAvgPoolOfRows(_Turned, nn.AdaptiveAvgPool1d):
    """On N×L×F."""


class AdaptiveAvgPoolOfClips(_Turned, nn.AdaptiveAvgPool3d):
    """On N×T×C×H×W."""


class AdaptiveMaxPoolOfRows(_Turned, nn.AdaptiveMaxPool1d):
    """On N×L×F."""


class AdaptiveMaxPoolOfClips(_Turned, nn.AdaptiveMaxPool3d):
    """On N×T×C×H×W."""


def adaptive_avgpool(axes: int) -> type[nn.Module]:
    """The pooling of signals with so many axes, the batch not counted."""
    return {2: AdaptiveAvgPoolOfRows, 3: nn.AdaptiveAvgPool2d, 4: AdaptiveAvgPoolOfClips}[axes]


def adaptive_maxpool(axes: int) -> type[nn.Module]:
    """The same, of largest numbers."""
    return {2: AdaptiveMaxPoolOfRows, 3: nn.AdaptiveMaxPool2d, 4: AdaptiveMaxPoolOfClips}[axes]


class MaxPoolOfRows(_Turned, nn.MaxPool1d):
    """On N×L×F."""


class MaxPoolOfClips(_Turned, nn.MaxPool3d):
    """On N×T×C×H×W."""


class AvgPoolOfRows(_Turned, nn.AvgPool1d):
    """On N×L×F."""


class AvgPoolOfClips(_Turned, nn.AvgPool3d):
    """On N×T×C×H×W."""


def max_pool(axes: int) -> type[nn.Module]:
    """The same, of largest numbers in windows."""
    return {2: MaxPoolOfRows, 3: nn.MaxPool2d, 4: MaxPoolOfClips}[axes]


def avg_pool(axes: int) -> type[nn.Module]:
    """The same, of means of windows."""
    return {2: AvgPoolOfRows, 3: nn.AvgPool2d, 4: AvgPoolOfClips}[axes]


class Mean(nn.Module):
    """The mean over some axes."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """Without these axes."""
        return x.mean(self.axes)


class Largest(nn.Module):
    """The largest number over some axes."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        """Without these axes."""
        return x.amax(self.axes)
