"""A convolution whose weights a style scales."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.network.activation import Applied
from netcfg.builder.modules.activations import activation as activation_of

EPSILON = 1e-8


class _Modulation(nn.Linear):
    """An equalised map of a style, whose bias starts at 1."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__(style, channels)
        nn.init.normal_(self.weight)
        nn.init.ones_(self.bias)
        self.gain = 1 / math.sqrt(style)

    def forward(self, x: Tensor) -> Tensor:
        """N×F -> N×C."""
        return F.linear(x, self.weight * self.gain, self.bias)


class ModulatedConvolution(nn.Module):
    """N×C×H×W and N×F -> N×filters×H×W, or twice as large with a `blur`.

    Scaling a weight's inputs is scaling what it is given, and dividing it by its length is dividing what it makes: so
    there is one convolution for all samples, instead of one with a weight for each.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        style: int,
        kernel_size: int,
        *,
        demodulate: bool,
        blur: Sequence[int] | None,
        noise: str | None,
        sizes: Sequence[int],
        bias: bool,
        activation: Applied | None,
    ) -> None:
        super().__init__()
        # N(0, 1), scaled at every use: steps of Adam then weigh the same in wide and narrow layers.
        self.weight = nn.Parameter(torch.randn(filters, channels, kernel_size, kernel_size))
        self.gain = 1 / math.sqrt(channels * kernel_size**2)
        self.modulation = _Modulation(style, channels)
        self.bias = nn.Parameter(torch.zeros(filters)) if bias else None
        self.demodulate, self.is_random = demodulate, noise == "random"
        self.noise_strength = nn.Parameter(torch.zeros(())) if noise is not None else None
        # Part of the state, as in published files: the same code makes another picture with other noise.
        self.register_buffer("noise", torch.randn(1, 1, *sizes) if noise == "fixed" else None)
        self.register_buffer("kernel", None if blur is None else _plane(blur), persistent=False)
        self._activate = activation_of(activation)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """The style's scales before the kernels, lengths after them."""
        scales, weight = self.modulation(style), self.weight * self.gain
        x = x * scales[:, :, None, None]
        x = F.conv2d(x, weight, padding="same") if self.kernel is None else self._upsampled(x, weight)
        if self.demodulate:
            # The squared length of a scaled weight is a sum of products of squares, so that no sample's own
            # weight is ever made.
            lengths = torch.rsqrt(F.linear(scales.square(), weight.square().sum((2, 3))) + EPSILON)
            x = x * lengths[:, :, None, None]
        # After the length and before the bias, as in StyleGAN2; the strength starts at 0.
        if self.noise_strength is not None:
            x = x + self.noise_strength * self._noise(x)
        if self.bias is not None:
            x = x + self.bias[:, None, None]
        return x if self._activate is None else self._activate(x)

    def _noise(self, x: Tensor) -> Tensor:
        if self.is_random:
            return torch.randn(len(x), 1, *x.shape[2:], dtype=x.dtype, device=x.device)
        assert isinstance(self.noise, Tensor)
        return self.noise.to(x.dtype)

    def _upsampled(self, x: Tensor, weight: Tensor) -> Tensor:
        """Twice as large: a transposed convolution, then a blur over its pattern of squares."""
        assert isinstance(self.kernel, Tensor)
        # Transposed convolutions want inputs × outputs.
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        rest = len(self.kernel) - weight.shape[-1] - 1  # so that twice the size is left
        before, after = (rest + 1) // 2 + 1, rest // 2 + 1
        x = F.pad(x, (before, after, before, after))
        channels = x.shape[1]
        return F.conv2d(x, self.kernel.to(x.dtype).expand(channels, 1, -1, -1), groups=channels)


def _plane(blur: Sequence[int]) -> Tensor:
    """A square filter whose numbers add up to 4: a pixel in four is none before it blurs."""
    line = torch.tensor(blur, dtype=torch.float32)
    plane = line[:, None] * line
    return (plane / plane.sum() * 4).flip(0, 1)
