"""A convolution whose weights a style scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

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


class ModulatedConv2d(nn.Module):
    """N×C×H×W and N×F -> N×filters×H×W, or twice as large with a `blur`.

    Scaling a weight's inputs is scaling what it is given, and dividing it by its length is dividing what it makes: so
    there is one convolution for all samples, instead of one with a weight for each. Of a single sample whose map is
    larger than the weight, the weight is scaled after all. `factor` multiplies what it gives.
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
        factor: float = 1.0,
    ) -> None:
        super().__init__()
        # N(0, 1), scaled at every use: steps of Adam then weigh the same in wide and narrow layers.
        weight = torch.randn(filters, channels, kernel_size, kernel_size)
        # Channels last, as the maps are, or every pass would lay it out anew; a transposed convolution reads it so with
        # inputs and outputs exchanged.
        weight = weight if blur is None else weight.transpose(0, 1)
        weight = weight.contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight if blur is None else weight.transpose(0, 1))
        self.gain = 1 / math.sqrt(channels * kernel_size**2)
        self.modulation = _Modulation(style, channels)
        self.bias = nn.Parameter(torch.zeros(filters)) if bias else None
        self.demodulate, self.is_random = demodulate, noise == "random"
        self.noise_strength = nn.Parameter(torch.zeros(())) if noise is not None else None
        # Part of the state, as in published files: the same code makes another picture with other noise.
        self.register_buffer("noise", torch.randn(1, 1, *sizes) if noise == "fixed" else None)
        self.register_buffer("kernel", None if blur is None else _plane(blur), persistent=False)
        self.factor = factor

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """The style's scales before the kernels, lengths after them."""
        scales = self.modulation(style) * self.gain
        # The squared length of a scaled weight is a sum of products of squares, so that no sample's own weight has to
        # be made for it.
        factors = None
        if self.demodulate:
            squares = F.linear(scales.square(), self.weight.square().sum((2, 3)))
            factors = torch.rsqrt(squares + EPSILON) * self.factor
        # An exported program is for batches of any size.
        is_one = not torch.compiler.is_exporting() and len(x) == 1 and x.numel() > self.weight.numel()
        x = self._of_one(x, scales, factors) if is_one else self._of_all(x, scales, factors)
        # After the length and before the activation, as in StyleGAN2; the strength starts at 0.
        if self.noise_strength is not None:
            x = _plus(x, self._noise(x) * (self.noise_strength * self.factor))
        return x

    def _of_one(self, x: Tensor, scales: Tensor, factors: Tensor | None) -> Tensor:
        """By a weight of the only sample's own: less to multiply than the map."""
        weight = self.weight * scales[:, :, None, None]
        if factors is not None:
            weight = weight * factors[0, :, None, None, None]
        elif self.factor != 1:
            weight = weight * self.factor
        return self._convolved(x, weight, self._shift())

    def _of_all(self, x: Tensor, scales: Tensor, factors: Tensor | None) -> Tensor:
        """By one weight for all samples."""
        x = self._convolved(x * scales[:, :, None, None], self.weight, None)
        if factors is not None:
            x = _times(x, factors[:, :, None, None])
        elif self.factor != 1:
            x = _times(x, self.factor)
        shift = self._shift()
        return x if shift is None else _plus(x, shift[:, None, None])

    def _shift(self) -> Tensor | None:
        return self.bias if self.bias is None or self.factor == 1 else self.bias * self.factor

    def _noise(self, x: Tensor) -> Tensor:
        if self.is_random:
            return torch.randn(x.shape[0], 1, *x.shape[2:], dtype=x.dtype, device=x.device)
        assert isinstance(self.noise, Tensor)
        return self.noise.to(x.dtype)

    def _convolved(self, x: Tensor, weight: Tensor, shift: Tensor | None) -> Tensor:
        """As large, or twice as large: a transposed convolution, then a blur over its pattern of squares."""
        # Kernels for maps that lie so are up to twice as quick for transposed convolutions and blurs.
        x = x.contiguous(memory_format=torch.channels_last)
        if self.kernel is None:
            return F.conv2d(x, weight, shift, padding="same")
        assert isinstance(self.kernel, Tensor)
        # Transposed convolutions want inputs × outputs.
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        rest = len(self.kernel) - weight.shape[-1] - 1  # so that twice the size is left
        before, after = (rest + 1) // 2 + 1, rest // 2 + 1
        # A border that is the same on all sides is the convolution's own, without a copy; one below 0 is cut away.
        even = before == after >= 0
        if not even:
            x = F.pad(x, (before, after, before, after))
        kernel = self.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(x, kernel, shift, padding=before if even else 0, groups=x.shape[1])


class ModulatedConvolution(ModulatedConv2d):
    """The same, then an activation."""

    def __init__(self, *sizes: int, activation: Applied | None, **options: Any) -> None:
        # A factor behind a leaky rectifier may as well stand before it, among those that are there anyway.
        factor = 1.0
        if activation is not None and activation.word == "fused_leaky_relu":
            slope = activation.function.slope if activation.slope is None else activation.slope
            factor, activation = math.sqrt(2), Applied("leaky_relu", slope)
        super().__init__(*sizes, factor=factor, **options)
        self._activate = activation_of(activation)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """As its base, activated."""
        x = super().forward(x, style)
        return x if self._activate is None else self._activate(x)


def _times(x: Tensor, factor: Tensor | float) -> Tensor:
    """A product; in the same memory where no gradient needs what was there."""
    return x * factor if torch.is_grad_enabled() else x.mul_(factor)


def _plus(x: Tensor, other: Tensor) -> Tensor:
    """A sum, in the same memory: no gradient needs what was there."""
    return x.add_(other)


def _plane(blur: Sequence[int]) -> Tensor:
    """A square filter whose numbers add up to 4: a pixel in four is none before it blurs."""
    line = torch.tensor(blur, dtype=torch.float32)
    plane = line[:, None] * line
    return (plane / plane.sum() * 4).flip(0, 1)
