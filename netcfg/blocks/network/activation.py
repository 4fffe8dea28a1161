"""Functions applied to every number, and softmax."""

from typing import ClassVar, Literal, NamedTuple, get_args

from pydantic import Field

from netcfg.blocks.base import Block, Reach, ShapeError
from netcfg.blocks.network.places import AxisName, Placed, axis_in_words
from netcfg.shapes import Shape, Size, show, volume
from netcfg.vocabulary import help_for

Word = Literal[
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "gelu_tanh",
    "silu",
    "swish",
    "mish",
    "softplus",
    "softsign",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "exp",
    "fused_leaky_relu",
    "linear",
]
"""Every function that any block may apply."""
WORDS: tuple[str, ...] = get_args(Word)
SLOPE = (
    "of `leaky_relu` and `fused_leaky_relu` below zero (0.01, 0.2), alpha of `elu` and `celu` (1), beta of "
    "`softplus` (1)"
)


class Function(NamedTuple):
    """A function of every number, in Python over `{x}` and `{slope}`.

    `in_place` overwrites what it is given, where its gradient can do with what it made. `needs` is what its gradient
    needs of its `input` and `output` otherwise, `kept` how many numbers beside for each.
    """

    expression: str
    in_place: str | None = None
    needs: str = "input"
    slope: float | None = None
    kept: int = 0


FUNCTIONS: dict[str, Function] = {
    "relu": Function("F.relu({x})", "F.relu_({x})", "output"),
    "relu6": Function("F.relu6({x})", "F.relu6({x}, inplace=True)"),
    "leaky_relu": Function("F.leaky_relu({x}, {slope})", "F.leaky_relu_({x}, {slope})", slope=0.01),
    "elu": Function("F.elu({x}, {slope})", "F.elu_({x}, {slope})", slope=1.0),
    "selu": Function("F.selu({x})", "F.selu_({x})"),
    "celu": Function("F.celu({x}, {slope})", "F.celu_({x}, {slope})", slope=1.0),
    "gelu": Function("F.gelu({x})"),
    "gelu_tanh": Function('F.gelu({x}, approximate="tanh")'),
    "silu": Function("F.silu({x})"),
    "swish": Function("F.silu({x})"),
    "mish": Function("F.mish({x})"),
    "softplus": Function("F.softplus({x}, {slope})", slope=1.0),
    "softsign": Function("F.softsign({x})", kept=1),
    "tanh": Function("torch.tanh({x})", "torch.tanh_({x})", "output"),
    "sigmoid": Function("torch.sigmoid({x})", "torch.sigmoid_({x})", "output"),
    "hard_sigmoid": Function("F.hardsigmoid({x})"),
    "hard_swish": Function("F.hardswish({x})"),
    "hard_tanh": Function("F.hardtanh({x})", "F.hardtanh_({x})"),
    "exp": Function("torch.exp({x})", "torch.exp_({x})", "output"),
    # StyleGAN2's: √2 gives back about what the slope takes of a signal's size.
    "fused_leaky_relu": Function("F.leaky_relu({x}, {slope}) * 2**0.5", slope=0.2),
}
"""What each word stands for; `linear`, and `None`, for nothing."""
NO_ACTIVATION = ("None", "linear")


class Applied(NamedTuple):
    """A function as a block applies it, last in its own module."""

    word: str
    slope: float | None = None

    @property
    def function(self) -> Function:
        """What the word stands for."""
        return FUNCTIONS[self.word]

    def _filled(self, text: str) -> str:
        return text.format(x="{x}", slope=self.function.slope if self.slope is None else self.slope)

    @property
    def expression(self) -> str:
        """In Python, over `{x}`."""
        return self._filled(self.function.expression)

    @property
    def in_place(self) -> str | None:
        """The same where it may overwrite what it is given; None where there is no such form.

        A falling slope has none: its gradient cannot be told by what it made.
        """
        text = self.function.in_place
        falls = self.slope is not None and self.slope < 0
        return None if text is None or falls else self._filled(text)

    def needs(self) -> frozenset[str]:
        """What the gradient of a linear map, and this after it in the same memory, needs."""
        return frozenset({"input"} if self.in_place is None else {"input", "output"})

    def kept(self, made: Size) -> Size:
        """Numbers beside the block's input and output: what was fed to it, where that is not overwritten."""
        return made * ((self.in_place is None) + self.function.kept)


def applied(activation: str, slope: float | None = None) -> Applied | None:
    """The function that a block applies last; None where there is none."""
    return Applied(activation, slope) if activation in FUNCTIONS else None


def slope_conflict(activation: str, slope: float | None) -> str | None:
    """What is wrong with a slope; None for nothing."""
    function = FUNCTIONS.get(activation)
    if slope is None or (function is not None and function.slope is not None):
        return None
    having = ", ".join(f"`{word}`" for word, one in FUNCTIONS.items() if one.slope is not None)
    return f"has a `slope`, which `activation = {activation}` does not use; {having} do"


def unknown_activation(activation: str) -> dict[str, tuple[str, str, str]]:
    """The mistake in the option `activation` of a block, if there is one."""
    if activation in FUNCTIONS or activation in NO_ACTIVATION:
        return {}
    help = help_for(activation, "activation", tuple(FUNCTIONS)) or ""
    return {"activation": ("NC114", f"there is no activation `{activation}`", help)}


class Activation(Block, name="activation"):
    """A function of every number, as a block of its own.

    Shapes: any, unchanged. `silu` is also called `swish`; `fused_leaky_relu` is √2 times a `leaky_relu`.
    Source: PyTorch's functions of these names.
    Example::

        [activation]           # 8x4x4 -> 8x4x4
        activation = relu
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "activation"
    joins_box: ClassVar[bool] = True

    activation: Word = Field(description="the function")
    slope: float | None = Field(None, description=SLOPE)

    def conflict(self) -> str | None:
        """A slope only where there is one."""
        return slope_conflict(self.activation, self.slope)

    @property
    def _applied(self) -> Applied | None:
        return applied(self.activation, self.slope)

    def inline(self, *names: str) -> str:
        """The function's own call."""
        return self._applied.expression.format(x=names[0]) if self._applied else names[0]

    def overwriting(self, name: str) -> str | None:
        """The in-place form, where there is one."""
        text = self._applied.in_place if self._applied else None
        return text.format(x=name) if text else None

    def gradient_needs(self) -> frozenset[str]:
        """What it made, or what it was given; nothing of nothing."""
        return frozenset({FUNCTIONS[self.activation].needs}) if self._applied else frozenset()

    def kept(self, *inputs: Shape) -> Size:
        """What some functions make on their way."""
        return volume(inputs[0]) * FUNCTIONS[self.activation].kept if self._applied else 0

    def scratch(self, *inputs: Shape) -> Size:
        """What some functions make on their way."""
        return volume(inputs[0]) if self.activation in ("softsign", "fused_leaky_relu") else 0

    def overwritable(self) -> bool:
        """Where its gradient needs what it was given; what may have overwritten that needs what it made."""
        function = self._applied.function if self._applied else None
        return function is not None and function.in_place is None and function.needs == "input"

    def label(self) -> str:
        """The function."""
        return self.activation


class Softmax(Placed, name="softmax"):
    """Positive numbers that add up to one along an axis.

    Shapes: any, unchanged. The axis by its name (`dim = features`), or counted from 0, the batch; 1 is mostly the
    channels or features.
    Source: AUDetNet, README, `[softmax]`.
    Example::

        [softmax]              # 8x4x4 -> 8x4x4
        dim = 1
    """

    family: ClassVar[str] = "activation"

    dim: int | AxisName = Field(description="the axis, by name or number; 1 is the channels, the batch is 0")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the axis exists."""
        rank = len(inputs[0]) + 1
        if isinstance(self.dim, str):
            self.axis(self.dim, inputs[0], "dim")
        elif not -rank <= self.dim < rank:
            raise ShapeError(f"has no axis {self.dim}: batch×{show(inputs[0])} has {rank}", option="dim")
        return inputs[0]

    def goes_by_position(self, axes: tuple[str, ...]) -> bool:
        """A number says where."""
        return isinstance(self.dim, int)

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"F.softmax({names[0]}, {self.written_axis(self.dim)})"

    def gradient_needs(self) -> frozenset[str]:
        """What it made."""
        return frozenset({"output"})

    def reach(self, *inputs: Shape) -> Reach | None:
        """The same place, where it adds up over channels; else all places of an axis, which is no window."""
        return Reach() if self._axis(inputs[0]) == 1 else None

    def label(self) -> str:
        """The axis, where it is not the channels."""
        return "" if self.dim == 1 else axis_in_words(self.dim)

    def _axis(self, shape: Shape) -> int:
        if isinstance(self.dim, str):
            return self.axis(self.dim, shape, "dim")
        return self.dim % (len(shape) + 1)
