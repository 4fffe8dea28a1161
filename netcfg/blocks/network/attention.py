"""Attention: every token a mean of others, weighted by how well they fit."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.tokens import ROWS, expect_row
from netcfg.shapes import Shape, Size, show, volume

Probability = Annotated[float, Field(ge=0, lt=1)]
Side = Annotated[int, Field(gt=0, le=4096)]


def divisors(number: int) -> list[int]:
    """The numbers that divide one."""
    return [part for part in range(1, number + 1) if number % part == 0]


class _Attention(Block):
    """What attention has in common."""

    family: ClassVar[str] = "connected"

    heads: Annotated[int, Field(gt=0, le=4096)] = Field(
        description="parts of the features that attend by themselves"
    )
    dropout: Probability = Field(0.0, description="in training, of a weight to become zero")
    use_bias: bool = Field(True, description="add learned numbers to queries, keys, values and outputs")
    initialization: Initial | None = Field(
        None,
        description="of the weights; PyTorch's own (xavier_uniform for queries, keys, values) where `None`",
    )

    def depends_on_batch(self) -> bool:
        """Only by what dropout draws."""
        return self.dropout > 0

    def _features(self, size: Size) -> int:
        """How many features, if the heads divide them."""
        features = expect_known(size, "how many features a token has")
        if features % self.heads:
            raise ShapeError(
                f"divides {features} features among {self.heads} heads: {features % self.heads} are left over",
                option="heads",
                help=f"a number that divides them: {', '.join(map(str, divisors(features)))}",
            )
        return features

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True

    def label(self) -> str:
        """The heads."""
        return f"{self.heads} head{'s' if self.heads > 1 else ''}"


class SelfAttention(_Attention, name="self_attention"):
    """Every token looks at all tokens of its row; with `causal` only at itself and those before.

    Shapes: L×F, unchanged.
    Parameters: `in_proj_weight` (3·F×F), `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2; PyTorch's `MultiheadAttention`.
    Example::

        [self_attention]       # 5x16 -> 5x16
        heads = 4
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS

    causal: bool = Field(False, description="no token looks at later ones")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the heads divide the features."""
        expect_row(inputs[0])
        self._features(inputs[0][1])
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """Queries, keys, values, outputs."""
        features = self._features(inputs[0][1])
        return 4 * features * (features + self.use_bias)

    def macs(self, *inputs: Shape) -> Size:
        """The four maps, and for each pair of tokens a product and a sum."""
        tokens, features = inputs[0]
        return tokens * features * (4 * features) + tokens * tokens * (2 * features)

    def kept(self, *inputs: Shape) -> Size:
        """Queries, keys, values, what the heads give and how it was summed; with dropout all weights."""
        return _attention_kept(volume(inputs[0]), volume(inputs[0]), inputs[0][0], inputs[0][0], self)

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return self.kept(*inputs)

    def lower(self, *inputs: Shape) -> Made:
        """Torch's parameters, and its attention in one call."""
        from netcfg.builder.modules.attention import SelfAttention as Module

        return made(
            Module,
            self._features(inputs[0][1]),
            self.heads,
            dropout=self.dropout,
            causal=self.causal,
            bias=self.use_bias,
            initialization=self.initialization,
        )

    def label(self) -> str:
        """The heads, and whether it looks back only."""
        return super().label() + (", causal" if self.causal else "")


def _attention_kept(queries: Size, keys: Size, rows: Size, columns: Size, block: _Attention) -> Size:
    """Queries, keys and values, what the heads give twice over, and the sums of weights; the weights with dropout."""
    beside = rows * columns * block.heads * 3 if block.dropout else rows * block.heads
    return queries * 2 + keys * 2 + beside


class CrossAttention(_Attention, name="cross_attention"):
    """Every token of the first signal looks at all tokens of the second.

    Shapes: L×F and M×G -> L×F. Keys and values may have other features (G) than the queries.
    Parameters: `in_proj_weight` (3·F×F), or `q_proj_weight`, `k_proj_weight`, `v_proj_weight` where G is not F;
    `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2; PyTorch's `MultiheadAttention`.
    Example::

        [cross_attention]      # 5x16, 7x16 -> 5x16
        from = -1, -1
        heads = 4
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS
    input_count: ClassVar[int | None] = 2

    def shape(self, *inputs: Shape) -> Shape:
        """The queries'."""
        for argument, shape in enumerate(inputs):
            if len(shape) != 2:
                raise ShapeError(
                    f"needs tokens (L×F) twice, queries and keys, and is given {show(shape)}",
                    argument=argument,
                )
        self._features(inputs[0][1])
        expect_known(inputs[-1][1], "how many features a key has")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """Queries, keys, values, outputs."""
        features = self._features(inputs[0][1])
        given = expect_known(inputs[-1][1], "how many features a key has")
        return 2 * features * (features + given) + 4 * features * self.use_bias

    def macs(self, *inputs: Shape) -> Size:
        """The four maps, and for each pair of tokens a product and a sum."""
        (rows, features), (columns, given) = inputs[0], inputs[-1]
        return (
            rows * features * (2 * features)
            + columns * features * (2 * given)
            + rows * columns * (2 * features)
        )

    def kept(self, *inputs: Shape) -> Size:
        """As of self attention."""
        rows, features = inputs[0]
        columns = inputs[-1][0]
        return _attention_kept(rows * features, columns * features, rows, columns, self)

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return self.kept(*inputs)

    def lower(self, *inputs: Shape) -> Made:
        """Torch's parameters, and its attention in one call."""
        from netcfg.builder.modules.attention import CrossAttention as Module

        return made(
            Module,
            self._features(inputs[0][1]),
            expect_known(inputs[-1][1], "how many features a key has"),
            self.heads,
            dropout=self.dropout,
            bias=self.use_bias,
            initialization=self.initialization,
        )


class WindowAttention(_Attention, name="window_attention"):
    """Every pixel looks at the pixels of its window, with a learned number for how they lie to each other.

    `shift` moves the windows' grid; along an axis that one window covers it does not. Sizes that are no whole
    windows are filled up with zeros.
    Shapes: H×W×C, unchanged; channels last.
    Parameters: `relative_position_bias_table` ((2·window - 1)²×heads), `qkv.{weight,bias}`, `proj.{weight,bias}`;
    buffer `relative_position_index`.
    Source: Liu et al., "Swin Transformer", 2021, section 3.2; torchvision's `ShiftedWindowAttention`.
    Example::

        [window_attention]     # 8x8x12 -> 8x8x12
        heads = 3
        window = 4
        shift = 2
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("HWC",)

    window: tuple[Side, ...] = Field((7,), description="height, width of a window, or one number for both")
    shift: tuple[Annotated[int, Field(ge=0, le=4096)], ...] = Field((0,), description="of the grid, likewise")

    def conflict(self) -> str | None:
        """One or two numbers, and a shift smaller than a window."""
        if max(len(self.window), len(self.shift)) > 2:
            return "takes one or two numbers as `window` and `shift` (height, width)"
        if any(
            move >= side for move, side in zip(self._pair(self.shift), self._pair(self.window), strict=True)
        ):
            return "shifts by a whole window: `shift` is smaller than `window`"
        return None

    @staticmethod
    def _pair(numbers: tuple[int, ...]) -> tuple[int, int]:
        return numbers[0], numbers[-1]

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the heads divide the channels."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image with its channels last (H×W×C), and is given {show(inputs[0])}")
        self._features(inputs[0][2])
        return inputs[0]

    def _filled(self, shape: Shape) -> Size:
        """How many places there are in whole windows."""
        (height, width, _), (down, across) = shape, self._pair(self.window)
        return -(-height // down) * down * (-(-width // across) * across)

    def parameters(self, *inputs: Shape) -> int:
        """The maps, and the table."""
        channels, (down, across) = self._features(inputs[0][2]), self._pair(self.window)
        return 4 * channels * (channels + self.use_bias) + (2 * down - 1) * (2 * across - 1) * self.heads

    def macs(self, *inputs: Shape) -> Size:
        """The maps in all windows, and for each pair of their places a product and a sum."""
        channels, (down, across) = self._features(inputs[0][2]), self._pair(self.window)
        return self._filled(inputs[0]) * (4 * channels**2 + 2 * channels * down * across)

    def kept(self, *inputs: Shape) -> Size:
        """The windows, their queries, keys, values and weights, and what the heads give."""
        channels, (down, across) = self._features(inputs[0][2]), self._pair(self.window)
        weights = self.heads * down * across * (3 if self.dropout else 1)
        return self._filled(inputs[0]) * ((6 if self.dropout else 5) * channels + weights)

    def scratch(self, *inputs: Shape) -> Size:
        """The same."""
        return self.kept(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        """Its windows, which are counted as kept."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Windows lie in a grid: not the same about every place."""
        return None

    def lower(self, *inputs: Shape) -> Made:
        """Torchvision's parameters, and torch's attention in one call."""
        from netcfg.builder.modules.attention import WindowAttention as Module

        return made(
            Module,
            self._features(inputs[0][2]),
            self.heads,
            self._pair(self.window),
            self._pair(self.shift),
            dropout=self.dropout,
            bias=self.use_bias,
            initialization=self.initialization,
        )

    def label(self) -> str:
        """Heads, window, shift."""
        down, across = self._pair(self.window)
        moved = f", shift {self.shift[0]}" if any(self.shift) else ""
        return f"{super().label()}, {down}×{across}{moved}"
