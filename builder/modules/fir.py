"""Filters of finite length that are given, along one axis after the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FirUpsample(nn.Module):
    """N×C×H×W -> N×C×fH×fW: zeros between pixels, then a filter whose numbers add up to `factor` along each axis."""

    def __init__(self, line: Sequence[int], factor: int) -> None:
        super().__init__()
        self.factor = factor
        kernel = torch.tensor(line, dtype=torch.float32)
        # No file holds it: it follows from the options.
        self.register_buffer("kernel", kernel / kernel.sum() * factor, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Rows first, then columns: the filter's square is the product of the two."""
        assert isinstance(self.kernel, Tensor)
        kernel = self.kernel.to(x.dtype)
        channels, (height, width) = x.shape[1], (size * self.factor for size in x.shape[2:])
        # What the border cuts off, the smaller half before: where StyleGAN2's padding puts it.
        before = (len(kernel) - self.factor) // 2
        for shape, stride in (((-1, 1), (self.factor, 1)), ((1, -1), (1, self.factor))):
            weight = kernel.view(1, 1, *shape).expand(channels, -1, -1, -1)
            x = F.conv_transpose2d(x, weight, stride=stride, groups=channels)
        return x[:, :, before : before + height, before : before + width]


class Blur(nn.Module):
    """N×C×H×W -> N×C×H'×W': a filter whose numbers add up to 1, along each axis, between zeros."""

    def __init__(self, line: Sequence[int], pad: int) -> None:
        super().__init__()
        self.pad = pad
        # A convolution looks at it from its end, as PyTorch's do not.
        kernel = torch.tensor(line[::-1], dtype=torch.float32)
        # No file holds it: it follows from the options.
        self.register_buffer("kernel", kernel / kernel.sum(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Rows first, then columns: the filter's square is the product of the two."""
        assert isinstance(self.kernel, Tensor)
        kernel, channels = self.kernel.to(x.dtype), x.shape[1]
        for shape, pad in (((-1, 1), (self.pad, 0)), ((1, -1), (0, self.pad))):
            weight = kernel.view(1, 1, *shape).expand(channels, -1, -1, -1)
            x = F.conv2d(x, weight, padding=pad, groups=channels)
        return x
