"""The penalty on a critic's gradient, and what makes it cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from netcfg.builder.modules.losses.counted import precise


class GradientPenalty(nn.Module):
    """(|∇D| - 1)² between two batches. Shapes: real and fake (N, …), alike."""

    def __init__(self, norm_over: str = "all") -> None:
        super().__init__()
        self.norm_over = norm_over

    def forward(
        self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor | None = None
    ) -> Tensor:
        """The mean over samples (and, over channels, pixels). `mix`: the N numbers t, drawn where not given."""
        real, fake = precise(real), precise(fake)
        if mix is None:
            mix = torch.rand(real.shape[0], device=real.device, dtype=real.dtype)
        mix = mix.to(real.dtype).reshape(-1, *([1] * (real.ndim - 1)))
        # Detached: the penalty is the critic's alone, and nothing of it reaches whatever made the samples.
        point = torch.lerp(fake.detach(), real.detach(), mix).requires_grad_()
        with PiecewiseLinear():
            score = critic(point)
            # Of the sum, which gives each sample its own gradient, as long as no score depends on another
            # sample.
            (gradient,) = torch.autograd.grad(score.sum(), point, create_graph=True)
        # AUDetNet takes the norm over channels, pixel by pixel; of codes with one pixel both are the same.
        axes = 1 if self.norm_over == "channel" else tuple(range(1, gradient.ndim))
        length: Tensor = torch.linalg.vector_norm(precise(gradient), dim=axes)
        return (length - 1).square().mean()


class PiecewiseLinear(TorchFunctionMode):
    """While active, ReLU and leaky ReLU are products with a mask that is held fixed.

    The values and their gradients are the same: a mask's own derivative is zero wherever it is defined. But
    autograd, which does not know that, would carry the zeros of a second derivative back through the whole
    forward pass.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The call, or its product with the mask."""
        default = _SLOPES.get(function)
        if default is None:
            return function(*args, **(kwargs or {}))
        return _masked(default, *args, **(kwargs or {}), function=function)


def _masked(
    default: float,
    x: Tensor | None = None,
    negative_slope: float | None = None,
    inplace: bool = False,
    *,
    input: Tensor | None = None,
    function: Callable[..., Any],
) -> Tensor:
    values = input if x is None else x
    assert values is not None
    slope = default if negative_slope is None else negative_slope
    if slope < 0:  # the sign of the output would not be that of the input
        return function(values, negative_slope=slope, inplace=inplace)  # type: ignore[no-any-return]
    result: Tensor = _Masked.apply(values, slope, inplace or function in _IN_PLACE)  # type: ignore[no-untyped-call]
    return result


class _Masked(torch.autograd.Function):
    """Leaky ReLU whose mask is a constant in the backward pass.

    It keeps what autograd itself would keep: the output of ReLU and of what works in place, otherwise the input.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, slope: float, in_place: bool) -> Tensor:
        """Any shape, the same."""
        if in_place:
            context.mark_dirty(x)
            result = functional.leaky_relu_(x, slope)
        else:
            result = functional.leaky_relu(x, slope)
        context.save_for_backward(result if in_place or slope == 0 else x)
        context.slope = slope
        context.set_materialize_grads(False)  # where no gradient comes, no zeros go on
        return result

    @staticmethod
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None]:
        """The gradient times the mask; itself differentiable, but not by the mask."""
        if gradients[0] is None:
            return None, None, None
        (signs,) = context.saved_tensors
        masked: Tensor = torch.ops.aten.leaky_relu_backward(
            gradients[0], signs.detach(), context.slope, False
        )
        return masked, None, None


_SLOPES: dict[Callable[..., Any], float] = {
    functional.leaky_relu: 0.01,
    functional.leaky_relu_: 0.01,
    functional.relu: 0.0,
    functional.relu_: 0.0,
    torch.relu: 0.0,
    torch.relu_: 0.0,
    Tensor.relu: 0.0,
    Tensor.relu_: 0.0,
}
"""The slope left of zero, by function."""
_IN_PLACE = {functional.leaky_relu_, functional.relu_, torch.relu_, Tensor.relu_}
