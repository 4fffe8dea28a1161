"""Functions applied to every number, and softmax."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Reach, ShapeError
from netcfg.shapes import Shape, show
from netcfg.source import nearest

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

CONVOLUTIONAL_ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")
CONNECTED_ACTIVATIONS = ("relu", "leaky_relu", "sigmoid")
NO_ACTIVATION = ("None", "linear")


def applied(activation: str, known: tuple[str, ...]) -> str | None:
    """The activation a block really applies: AUDetNet takes any other word for none."""
    return activation if activation in known else None


def activation_warning(
    activation: str, known: tuple[str, ...], block: str
) -> dict[str, tuple[str, str, str]]:
    """A warning for an activation that acts as none although the writer meant one."""
    if activation in known or activation in NO_ACTIVATION:
        return {}
    match = nearest(activation, known)
    known_words = ", ".join(f"`{word}`" for word in (*known, "None"))
    help = f"did you mean `{match}`?" if match else f"known: {known_words}"
    if activation in _EXPRESSIONS:
        help = f"write an [activation] block after it, with `activation = {activation}`"
    return {"activation": ("NC114", f"`{block}` knows no activation `{activation}` and applies none", help)}


def needs_of_linear(activation: str | None) -> frozenset[str]:
    """What the gradient of a linear map, then an activation in place, needs."""
    return frozenset({"input", "output"} if activation else {"input"})


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
