"""Arithmetic of signals, as one line of the network."""

from typing import ClassVar

from pydantic import Field, PrivateAttr

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Reach, Reference, References, ShapeError
from netcfg.blocks.formula_terms import Meaning, meaning
from netcfg.blocks.formula_text import HERE
from netcfg.blocks.formula_text import Formula as Text
from netcfg.blocks.meeting import ByAxes
from netcfg.blocks.values import read_reference
from netcfg.shapes import Shape, Size


class Formula(ByAxes, name="formula"):
    """Computes with signals by a formula; the names in it are what it reads, `in` is the block before.

    It knows + - * / ** and brackets, `pi`, comparisons (< <= > >= == !=, which give yes or no), exp, log, sqrt, abs,
    sigmoid, tanh, softplus, relu, sin, cos, sign, floor, `min(a, b)`, `max(a, b)`, `clip(x, low, high)` and
    `where(p, a, b)`. Over all numbers of a sample, or over axes by name, `mean(x, over = (height, width))`: mean, sum,
    var (which divides by one less than it counts), min, max. Along one axis, `softmax(x, over = features)`: softmax,
    log_softmax, argmax (a class), cumsum, cumprod; without `over` where there is only one. `linspace(0, 1, 8)` and
    `arange(8)` are numbers in a row, along features or `over` another axis. `table[t]` is the row of a signal that is
    the same for all samples, by the class `t`. A port stands behind a dot: `z.mean`.
    Shapes: signals meet by axes, and what one lacks is repeated: C×H×W and F -> C×H×W, L×F and F -> L×F. Where axes
    are not known, all must be of one shape, or one number a sample.
    Source: PyTorch's operators and functions of these names.
    Example::

        [formula]              # 8x4x4, 8x4x4 -> 8x4x4
        value = (a - b) ** 2
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "combination"
    reference_option: ClassVar[str] = "value"
    input_count: ClassVar[int | None] = None
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    unavailable: ClassVar[frozenset[str]] = frozenset({"from_", "weights", "weights_from", "layout", "adapt"})

    value: Text = Field(description="what it computes, over the names of blocks and inputs")
    _kinds: tuple[Kind, ...] | None = PrivateAttr(None)

    def references(self) -> References:
        """The signals that it names."""
        return tuple(
            Reference(-1) if name == HERE else read_reference(name) for name in self.reference_items()
        )

    def reference_items(self, text: str = "") -> list[str]:
        """Their names, as they stand in the formula."""
        return list(self.value.parsed.names)

    def holding(self, *kinds: Kind) -> "Formula":
        """Computing with numbers where it reads classes."""
        if set(kinds) == {"number"}:
            return self
        copy = self.model_copy()
        copy._kinds = kinds
        return copy

    def _meaning(self, *inputs: Shape) -> Meaning:
        names = tuple(f"x{index}" for index in range(len(self.value.parsed.names)))
        return meaning(self.value, names, self.given, self._kinds, inputs or None)

    def shape(self, *inputs: Shape) -> Shape:
        """What they have together, without the axes that are gone."""
        return self._meaning(*inputs).result.shape or ()

    def axes(self, *inputs: str) -> str:
        """Likewise; channels without places are features."""
        if self.given is None:
            return inputs[0] if len(set(inputs)) == 1 else ""
        left = self._meaning().result.axes or ""
        return left if {"H", "W"} & set(left) or "F" in left else left.replace("C", "F")

    def kind(self, *inputs: Kind) -> Kind:
        """Yes or no of a comparison, a class of `argmax`, else numbers."""
        return self.holding(*inputs)._meaning().result.kind

    def is_shared(self, *inputs: bool) -> bool:
        """As all that it reads. Raises `ShapeError` where rows are looked up in what differs between samples."""
        for name, argument in self.value.parsed.tables():
            if not inputs[argument]:
                raise ShapeError(
                    f"looks up rows of `{name}`, which each sample has of its own",
                    argument=argument,
                    option="value",
                    item=name,
                    help="a [parameter] or [constant] is the same for all samples",
                )
        return super().is_shared(*inputs)

    def inline(self, *names: str) -> str:
        """The line of PyTorch."""
        return meaning(self.value, names, self.given, self._kinds, None).result.code

    def gradient_reaches(self, count: int) -> frozenset[int]:
        """Not those of which it takes only steps: of a comparison, `argmax`, `sign` and `floor` there is no slope."""
        return self._meaning().result.moves_by

    def gradient_needs(self) -> frozenset[str]:
        """What its functions need."""
        return self._meaning().needs()

    def kept(self, *inputs: Shape) -> Size:
        """What its functions need of what lies between."""
        return self._meaning(*inputs).kept()

    def scratch(self, *inputs: Shape) -> Size:
        """What lies between."""
        return self._meaning(*inputs).scratch()

    def overwritable(self) -> bool:
        """Where what it gives is its own, and its gradient does not need it."""
        whole = self._meaning()
        return not whole.result.root.is_input and "output" not in whole.needs()

    def reach(self, *inputs: Shape) -> Reach | None:
        """The same place, unless an axis of places is summed over or gone along."""
        return super().reach(*inputs) if self._meaning().goes_place_by_place() else None

    def label(self) -> str:
        """The formula, as far as there is room."""
        return _cut(str(self.value), 24)

    def drawn(self) -> str:
        """A box has lines enough for most formulas."""
        return _cut(str(self.value), 160)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
