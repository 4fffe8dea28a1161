"""Functions applied to every number, and softmax."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Reach, ShapeError
from netcfg.shapes import Shape, Size, show, volume
from netcfg.vocabulary import help_for

_EXPRESSIONS = {
    "relu": "F.relu({x})",
    "leaky_relu": "F.leaky_relu({x}, {slope})",
    "tanh": "torch.tanh({x})",
    "sigmoid": "torch.sigmoid({x})",
    "elu": "F.elu({x})",
    "gelu": "F.gelu({x})",
    "silu": "F.silu({x})",
    "softplus": "F.softplus({x})",
    "linear": "{x}",
}
_IN_PLACE = {"relu": "F.relu_({x})", "leaky_relu": "F.leaky_relu_({x}, {slope})"}

ACTIVATIONS = tuple(name for name in _EXPRESSIONS if name != "linear")
NO_ACTIVATION = ("None", "linear")
_BESIDE = frozenset({"gelu", "silu", "softplus"})
"""Made beside what they are given, which their gradient needs; the others take its place."""


def applied(activation: str) -> str | None:
    """The function that a block applies last; None where there is none."""
    return activation if activation in ACTIVATIONS else None


def unknown_activation(activation: str) -> dict[str, tuple[str, str, str]]:
    """The mistake in the option `activation` of a block, if there is one."""
    if activation in ACTIVATIONS or activation in NO_ACTIVATION:
        return {}
    help = help_for(activation, "activation", ACTIVATIONS) or ""
    return {"activation": ("NC114", f"there is no activation `{activation}`", help)}


def needs_of_linear(activation: str | None) -> frozenset[str]:
    """What the gradient of a linear map, then an activation, needs beside what is `kept_beside` it."""
    return frozenset({"input", "output"} if activation and activation not in _BESIDE else {"input"})


def kept_beside(activation: str | None, output: Shape) -> Size:
    """The numbers that an activation was given, where it does not overwrite them and its gradient needs them."""
    return volume(output) if activation in _BESIDE else 0


_NEED_OUTPUT = frozenset({"relu", "tanh", "sigmoid"})


class Activation(Block, name="activation"):
    """A function of every number, as a block of its own.

    Shapes: any, unchanged.
    Example::

        [activation]           # 8x4x4 -> 8x4x4
        activation = relu
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "activation"
    joins_box: ClassVar[bool] = True

    activation: Literal[
        "relu", "leaky_relu", "tanh", "sigmoid", "elu", "gelu", "silu", "softplus", "linear"
    ] = Field(description="the function")
    slope: float = Field(0.01, description="of `leaky_relu`, below zero")

    def inline(self, *names: str) -> str:
        """The function's own call."""
        return _EXPRESSIONS[self.activation].format(x=names[0], slope=self.slope)

    def overwriting(self, name: str) -> str | None:
        """The in-place form, where there is one."""
        expression = _IN_PLACE.get(self.activation)
        return expression.format(x=name, slope=self.slope) if expression else None

    def gradient_needs(self) -> frozenset[str]:
        """What it made, or what it was given."""
        return frozenset({"output" if self.activation in _NEED_OUTPUT else "input"})

    def label(self) -> str:
        """The function."""
        return self.activation


class Softmax(Block, name="softmax"):
    """Positive numbers that add up to one along an axis.

    Shapes: any, unchanged. Axes count from 0, the batch; 1 is the channels or features.
    Source: AUDetNet, README, `[softmax]`.
    Example::

        [softmax]              # 8x4x4 -> 8x4x4
        dim = 1
    """

    family: ClassVar[str] = "activation"

    dim: int = Field(description="the axis; 1 is the channels, the batch is 0")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the axis exists."""
        rank = len(inputs[0]) + 1
        if not -rank <= self.dim < rank:
            raise ShapeError(f"has no axis {self.dim}: batch×{show(inputs[0])} has {rank}", option="dim")
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.softmax({names[0]}, {self.dim})"

    def gradient_needs(self) -> frozenset[str]:
        """What it made."""
        return frozenset({"output"})

    def reach(self, *inputs: Shape) -> Reach | None:
        """The same place, where it adds up over channels; else all places of an axis, which is no window."""
        return Reach() if self._axis(inputs[0]) == 1 else None

    def label(self) -> str:
        """The axis, where it is not the channels."""
        return "" if self.dim == 1 else f"axis {self.dim}"

    def _axis(self, shape: Shape) -> int:
        return self.dim % (len(shape) + 1)
