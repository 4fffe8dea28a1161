"""Blocks that go along a row and remember."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Count, expect_known
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.tokens import ROWS, expect_row
from netcfg.shapes import Shape, Size

if TYPE_CHECKING:
    from torch import nn


class _Recurrent(Block):
    """What recurrent blocks have in common; `gates` maps are made of each input and each state."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "connected"
    takes: ClassVar[tuple[str, ...]] = ROWS
    gates: ClassVar[int]
    kept_each: ClassVar[int]
    """Numbers that each step keeps for its gradient, for each hidden one."""
    kept_once: ClassVar[int] = 0
    """The same of the first state."""

    hidden: Count = Field(description="numbers that it remembers")
    layers: Annotated[int, Field(gt=0, le=64)] = Field(1, description="one above the other")
    bidirectional: bool = Field(False, description="also from the end; twice as many features")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="in training, of a number between layers to become zero"
    )
    use_bias: bool = Field(True, description="add learned numbers to all gates")

    def conflict(self) -> str | None:
        """Between layers there must be something."""
        if self.dropout and self.layers == 1:
            return "has a `dropout` between layers, and only one of these: put a [dropout] after it"
        return None

    def depends_on_batch(self) -> bool:
        """Only by what dropout draws."""
        return self.dropout > 0

    @property
    def _directions(self) -> int:
        return 1 + self.bidirectional

    def shape(self, *inputs: Shape) -> dict[str, Shape]:
        """What is remembered at each step, and at the last."""
        expect_row(inputs[0])
        expect_known(inputs[0][1], "how many features a step has")
        features = self.hidden * self._directions
        return {"value": (inputs[0][0], features), "last": (features,)}

    def axes(self, *inputs: str) -> dict[str, str]:
        """A row, and features."""
        return {"value": inputs[0], "last": "F"}

    def _widths(self, features: int) -> list[int]:
        """What each layer is given."""
        return [features] + [self.hidden * self._directions] * (self.layers - 1)

    def parameters(self, *inputs: Shape) -> int:
        """A map of the input and one of the state for each gate, layer and direction."""
        widths = self._widths(expect_known(inputs[0][1], "how many features a step has"))
        # Two biases for a gate, one with each map: PyTorch keeps both, as cuDNN does.
        each = sum(width + self.hidden + 2 * self.use_bias for width in widths)
        return each * self.gates * self.hidden * self._directions

    def macs(self, *inputs: Shape) -> Size:
        """The maps, at every step."""
        steps, features = inputs[0]
        widths = self._widths(expect_known(features, "how many features a step has"))
        return steps * (
            sum(width + self.hidden for width in widths) * self.gates * self.hidden * self._directions
        )

    def kept(self, *inputs: Shape) -> Size:
        """What each layer is given, its gates and states at every step, and what became zero between layers."""
        steps, features = inputs[0]
        own = self.hidden * self._directions
        given = features * self._directions + own * (self.layers - 1) * (2 if self.dropout else 1)
        return steps * given + (steps * self.kept_each + self.kept_once) * (own * self.layers)

    def scratch(self, *inputs: Shape) -> Size:
        """What a layer is given and gives, and the gates of its steps."""
        steps, features = inputs[0]
        own = self.hidden * self._directions
        return steps * (features * self._directions + own * (self.gates + 1 + (self.layers > 1))) + own * 8

    def overwritable(self) -> bool:
        """Its gradient needs its output."""
        return False

    def label(self) -> str:
        """Hidden numbers, layers, directions."""
        parts = [str(self.hidden)]
        if self.layers > 1:
            parts.append(f"{self.layers} layers")
        return ", ".join([*parts, "both ways"] if self.bidirectional else parts)

    def _made(self, kind: "type[nn.Module]", *inputs: Shape, **options: str) -> Made:
        return made(
            kind,
            expect_known(inputs[0][1], "how many features a step has"),
            self.hidden,
            self.layers,
            bias=self.use_bias,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            **options,
        )


class LSTM(_Recurrent, name="lstm"):
    """Long short-term memory along a row.

    Ports: `value`, what it says at every step, and `last`, what it says at the end (both directions: of each its own
    end).
    Shapes: T×F -> T×hidden, and hidden; twice that with `bidirectional`.
    Parameters: `weight_ih_l0` (4·hidden×F), `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l1` …
    for each layer, `…_reverse` for the way back.
    Source: Hochreiter, Schmidhuber, "Long Short-Term Memory", 1997; PyTorch's `LSTM`.
    Example::

        [lstm]                 # 5x16 -> 5x8
        hidden = 8
    """

    gates: ClassVar[int] = 4
    kept_each: ClassVar[int] = 7

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.recurrent import AutocastLSTM as Module

        return self._made(Module, *inputs)


class GRU(_Recurrent, name="gru"):
    """Gated recurrent units along a row.

    Ports: `value`, what it says at every step, and `last`, what it says at the end.
    Shapes: T×F -> T×hidden, and hidden; twice that with `bidirectional`.
    Parameters: `weight_ih_l0` (3·hidden×F), `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l1` …
    for each layer, `…_reverse` for the way back.
    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014; PyTorch's `GRU`.
    Example::

        [gru]                  # 5x16 -> 5x8
        hidden = 8
    """

    gates: ClassVar[int] = 3
    kept_each: ClassVar[int] = 7

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.recurrent import GRU as Module

        return self._made(Module, *inputs)


class RNN(_Recurrent, name="rnn"):
    """Plain recurrence along a row: the state is an activation of maps of the input and of the state before.

    Ports: `value`, what it says at every step, and `last`, what it says at the end.
    Shapes: T×F -> T×hidden, and hidden; twice that with `bidirectional`.
    Parameters: `weight_ih_l0` (hidden×F), `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l1` …
    for each layer, `…_reverse` for the way back.
    Source: Elman, "Finding Structure in Time", 1990; PyTorch's `RNN`.
    Example::

        [rnn]                  # 5x16 -> 5x8
        hidden = 8
    """

    gates: ClassVar[int] = 1
    kept_each: ClassVar[int] = 1
    kept_once: ClassVar[int] = 1

    activation: Literal["tanh", "relu"] = Field("tanh", description="of the state")

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.recurrent import RNN as Module

        return self._made(Module, *inputs, nonlinearity=self.activation)
