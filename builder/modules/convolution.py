"""Convolutions and their transposes, with what follows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.blocks.network.activation import Applied
from netcfg.builder.modules.activations import Activate, activation
from netcfg.builder.modules.initialization import initialize
from netcfg.builder.modules.norms import LayerNormAlong
from netcfg.builder.modules.reparametrised import Reparametrised, Rule

MOST_PLACES = 16
LARGE_WEIGHT = 1_000_000
FEW_CHANNELS = 16
"""Below so many inputs of a group, a processor's kernel for single places in steps is not trained through."""


@dataclass(frozen=True)
class After:
    """What makes a weight, and what follows the kernels: a normalisation, then an activation."""

    norm: str | None = None
    norm_groups: int = 32
    eps: float = 1e-5
    activation: Applied | None = None
    initialization: Initial | None = None
    bias_start: Initial | None = None
    rule: Rule | None = None


NOTHING = After()


class _Filters(Reparametrised):
    """Kernels, then normalisation, then an activation; `turned`: channels stand behind the first axis of places."""

    turned: bool = False
    norm: str | None = None
    _activate: Activate | None = None

    def _equip(self, filters: int, after: After, axes: int, outputs_at: int = 0) -> None:
        """Initialise, and add what follows; `outputs_at` is where the weight counts outputs."""
        # Equalised layers start without a bias, as StyleGAN's do, and not with PyTorch's draws.
        start = (
            Initial("zeros") if after.rule == "equalised" and after.bias_start is None else after.bias_start
        )
        initialize(after.initialization, self.weight, self.bias, start)  # type: ignore[arg-type]
        # PyTorch's weight norm goes along axis 0 even of transposed convolutions, where that counts inputs;
        # its spectral norm does not.
        self._reparametrise(after.rule, 0 if after.rule == "weight_norm" else outputs_at)
        if after.norm is not None:
            self.norm = f"{after.norm}_norm"
            self.add_module(self.norm, _norm(filters, after, axes))
        self._activate = activation(after.activation)

    def _filtered(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W -> N×filters×H'×W'; N×L×F and N×T×C×H×W likewise."""
        return self._all(x.transpose(1, 2)).transpose(1, 2) if self.turned else self._all(x)

    def _all(self, x: Tensor) -> Tensor:
        x = self._filtered(x)
        if self.norm is not None:
            x = self._modules[self.norm](x)  # type: ignore[misc]
        return x if self._activate is None else self._activate(x)


def _norm(filters: int, after: After, axes: int) -> nn.Module:
    """A normalisation of signals with channels before so many axes of places."""
    if after.norm == "group":
        return nn.GroupNorm(after.norm_groups, filters, after.eps)
    if after.norm == "layer":
        return LayerNormAlong((filters,), 1, eps=after.eps)
    if after.norm == "batch":
        return (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[axes - 1](filters, eps=after.eps)
    # Other than its batch norm, PyTorch's instance norm learns nothing unless it is asked to.
    kind = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[axes - 1]
    return kind(filters, eps=after.eps, affine=True)


class _Convolving(_Filters):
    """A convolution, what follows it, and borders that PyTorch does not know.

    `as_product`: on a processor it is one product of the weight with the patches under its windows. With few windows
    (`MOST_PLACES` or less) and a large weight (`LARGE_WEIGHT` or more), that is up to four times as fast as the
    convolution kernels, which are made for large pictures. Its weight then stays contiguous.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        *,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        after: After = NOTHING,
        as_product: bool = False,
    ) -> None:
        super().__init__(  # type: ignore[call-arg]
            channels,
            filters,
            kernel_size,
            stride,
            0 if padding == "same" else padding,
            dilation,
            groups,
            # A norm has a shift of its own, and one by channel takes away what a bias adds.
            bias and after.norm is None,
            padding_mode,
        )
        self.by_size = padding == "same"
        self._equip(filters, after, len(self.kernel_size))  # type: ignore[arg-type]
        self.as_product = as_product
        self.thins = (
            set(self.kernel_size) == {1}  # type: ignore[arg-type]
            and set(self.stride) != {1}  # type: ignore[arg-type]
            and padding in (0, "same", (0,) * len(self.kernel_size))  # type: ignore[arg-type]
            and channels // groups < FEW_CHANNELS
        )

    def _filtered(self, x: Tensor) -> Tensor:
        if self.by_size:
            x = self._with_border(x)
        # Exported programs run elsewhere, where a convolution is what is known best.
        if self.as_product and x.device.type == "cpu" and not torch.compiler.is_exporting():
            return self._product(x)
        # Only where a gradient may be wanted: else it is the very kernel of PyTorch's own class, to the last bit.
        is_trained = self.thins and x.device.type == "cpu" and torch.is_grad_enabled()
        if is_trained and not torch.compiler.is_exporting():
            return self._thinned(x)
        return self._conv_forward(x, self._used_weight(), self.bias)  # type: ignore[operator,no-any-return]

    def _with_border(self, x: Tensor) -> Tensor:
        """A border so that there is a window for each step begun, the larger half behind."""
        sides: list[int] = []
        rows = zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)  # type: ignore[arg-type]
        for size, kernel, stride, dilation in rows:
            # From the start of the first of ⌈size / stride⌉ windows to the end of the last, less what is
            # there.
            total = max(0, (-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
            # `F.pad` counts axes from the last.
            sides = [total // 2, total - total // 2, *sides]
        mode = "constant" if self.padding_mode == "zeros" else str(self.padding_mode)
        return F.pad(x, sides, mode=mode) if any(sides) else x

    def _thinned(self, x: Tensor) -> Tensor:
        """The same numbers: the places in steps first, then a convolution of each.

        oneDNN's own way of it, for processors with AVX2, writes past its buffer when it makes the gradient of a weight
        of fewer inputs than a vector holds: wrong numbers, or a crash (oneDNN, issue 6035).
        """
        assert isinstance(self.stride, tuple)
        steps: list[Any] = [slice(None, None, step) for step in self.stride]
        x = x[(..., *steps)]
        call: Callable[..., Tensor] = (F.conv1d, F.conv2d, F.conv3d)[len(self.stride) - 1]
        return call(x, self._used_weight(), self.bias, groups=self.groups)

    def _product(self, x: Tensor) -> Tensor:
        """The same numbers, summed in another order."""
        assert isinstance(self.padding, tuple)
        assert isinstance(self.kernel_size, tuple)
        assert isinstance(self.stride, tuple)
        kernel, stride, pad = self.kernel_size[0], self.stride[0], self.padding[0]
        weight = self._used_weight().flatten(1)
        # The map is one window: nothing has to be copied into patches.
        if tuple(x.shape[-2:]) == self.kernel_size and pad == 0:
            return F.linear(x.flatten(1), weight, self.bias)[..., None, None]  # type: ignore[arg-type]
        height, width = (1 + (size + 2 * pad - kernel) // stride for size in x.shape[-2:])
        patches = F.unfold(x, kernel, padding=pad, stride=stride).mT  # N×(H'·W')×(C·k·k)
        # Two axes, so that it is one product and no weight is repeated for every sample.
        y = F.linear(patches.flatten(0, 1), weight, self.bias)  # type: ignore[arg-type]
        return y.view(x.shape[0], height, width, -1).movedim(-1, 1)


class Convolution1d(_Convolving, nn.Conv1d):
    """N×L×F -> N×L'×filters."""

    turned = True


class Convolution(_Convolving, nn.Conv2d):
    """N×C×H×W -> N×filters×H'×W'."""


class Convolution3d(_Convolving, nn.Conv3d):
    """N×T×C×H×W -> N×T'×filters×H'×W'."""

    turned = True


def convolution(axes: int) -> type[_Convolving]:
    """The convolution along so many axes."""
    return (Convolution1d, Convolution, Convolution3d)[axes - 1]


class _Deconvolving(_Filters):
    """A transposed convolution, and what follows it."""

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel_size: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        output_padding: Sequence[int],
        *,
        dilation: Sequence[int],
        groups: int = 1,
        bias: bool = True,
        after: After = NOTHING,
    ) -> None:
        has_bias = bias and after.norm is None
        super().__init__(  # type: ignore[call-arg]
            channels, filters, kernel_size, stride, padding, output_padding, groups, has_bias, dilation
        )
        # A transposed convolution's weight is inputs × outputs × kernel.
        self._equip(filters, after, len(kernel_size), outputs_at=1)

    def _filtered(self, x: Tensor) -> Tensor:
        # Not the base's forward: that reads `weight`, in whose place a rule may have put other parameters.
        call = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[x.ndim - 3]
        return call(  # type: ignore[no-any-return]
            x,
            self._used_weight(),
            self.bias,  # type: ignore[arg-type]
            self.stride,  # type: ignore[arg-type]
            self.padding,  # type: ignore[arg-type]
            self.output_padding,  # type: ignore[arg-type]
            self.groups,  # type: ignore[arg-type]
            self.dilation,  # type: ignore[arg-type]
        )


class Deconvolution1d(_Deconvolving, nn.ConvTranspose1d):  # type: ignore[misc]
    """N×L×F -> N×L'×filters."""

    turned = True


class Deconvolution(_Deconvolving, nn.ConvTranspose2d):  # type: ignore[misc]
    """N×C×H×W -> N×filters×H'×W'."""


class Deconvolution3d(_Deconvolving, nn.ConvTranspose3d):  # type: ignore[misc]
    """N×T×C×H×W -> N×T'×filters×H'×W'."""

    turned = True


def deconvolution(axes: int) -> type[_Deconvolving]:
    """The transposed convolution along so many axes."""
    return (Deconvolution1d, Deconvolution, Deconvolution3d)[axes - 1]
