"""Signals drawn at random."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.axes import AXES, KINDS, Kind
from netcfg.blocks.base import Block, Count, Reference, expect_known
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import AxisName
from netcfg.shapes import Shape, Size, show, volume

_LETTERS = {name: letter for letter, name in AXES.items()}
_USUAL = {0: "", 1: "F", 3: "CHW"}


class Random(Block, name="random"):
    """Draws numbers for each sample: noise, a code to generate from, times, masks.

    `distribution`: `normal` N(0, 1), `uniform` from 0 to 1, `bernoulli` 0 or 1, `integer` the classes 0 to
    `below` - 1, `permutation` the classes 0 to n - 1 in a random order. One draw a batch: all phases, and whatever
    computes it again, see the same; with `draw = phase` each phase has its own. What is drawn is a function of the
    run's seed, of epoch and batch, of the process, and of the place in the program, so that a resumed run draws the
    same; in evaluation it is a function of the sample's number in its split instead. A network by itself draws from
    PyTorch's generator.
    Shapes: nothing -> `shape` (one number by default), or the shape of `like`.
    Source: PyTorch's `randn`, `rand`, `bernoulli`, `randint`, `randperm`.
    Example::

        [random]               # -> 4x8
        shape = 4, 8
    """

    stops_gradient: ClassVar[bool] = True
    input_count: ClassVar[int | None] = 0
    roles: ClassVar[tuple[str, ...]] = ("like",)
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"from_", "repeat", "weights", "weights_from", "layout", "adapt"}
    )

    distribution: Literal["normal", "uniform", "bernoulli", "integer", "permutation"] = Field(
        "normal", description="what is drawn"
    )
    sizes: tuple[Count, ...] | None = Field(
        None, alias="shape", description="its sizes; one number by default"
    )
    named: tuple[AxisName, ...] | None = Field(
        None,
        alias="axes",
        description="what they count, by name in order; features, or channels, height, width",
    )
    like: Reference | None = Field(None, description="a signal whose shape it takes")
    probability: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="`bernoulli`: of a 1; a half by default"
    )
    below: Annotated[int, Field(ge=1, le=2**31)] | None = Field(
        None, description="`integer`: how many classes"
    )
    draw: Literal["batch", "phase"] = Field("batch", description="how long a draw holds")
    evaluation: Literal["draw"] | float = Field(
        "draw", description="in evaluation: a draw by sample, or this number"
    )

    def conflict(self) -> str | None:
        """One word on the shape, and what a distribution needs."""
        if self.like is not None and (self.sizes is not None or self.named is not None):
            return "has the shape of `like`: leave `shape` and `axes` out"
        if self.named is not None and len(self.named) != len(self.sizes or ()):
            return f"names {len(self.named)} `axes` of {len(self.sizes or ())}"
        if (self.below is not None) != (self.distribution == "integer"):
            integer = self.distribution == "integer"
            return (
                "needs `below`, how many integers there are"
                if integer
                else "has `below` with `integer` alone"
            )
        if self.probability is not None and self.distribution != "bernoulli":
            return "has a `probability` with `bernoulli` alone"
        if self.distribution == "permutation" and self.like is None and len(self.sizes or ()) != 1:
            return "permutes along one axis: write `shape = n`"
        if self.evaluation != "draw" and self.distribution in ("integer", "permutation"):
            return "gives classes, which no number stands for in evaluation: `evaluation = draw`"
        return None

    def needs_batch(self) -> bool:
        """Unless a signal says how many samples there are."""
        return self.like is None

    def draws_each_phase(self) -> bool:
        """As `draw` says."""
        return self.draw == "phase"

    def shape(self, *inputs: Shape) -> Shape:
        """As declared."""
        made = inputs[0] if self.like is not None else self.sizes or ()
        if self.distribution == "permutation":
            expect_known(made[-1], "how many are put in order")
        return made

    def axes(self, *inputs: str) -> str:
        """As declared."""
        if self.like is not None:
            return inputs[0]
        if self.named is not None:
            return "".join(_LETTERS[name] for name in self.named)
        return _USUAL.get(len(self.sizes or ()), "")

    def kind(self, *inputs: Kind) -> Kind:
        """Whole numbers are classes."""
        return "class" if self.distribution in ("integer", "permutation") else "number"

    def is_shared(self, *inputs: bool) -> bool:
        """Each sample has its own."""
        return False

    def lower(self, *inputs: Shape) -> Made:
        """What draws."""
        from netcfg.builder.modules.random import Random as Module

        number = (
            self.below if self.below is not None else 0.5 if self.probability is None else self.probability
        )
        return made(
            Module,
            self.distribution,
            None if self.like is not None else self.sizes or (),
            number=float(number),
            each_phase=self.draw == "phase",
            evaluation=None if self.evaluation == "draw" else float(self.evaluation),
        )

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def scratch(self, *inputs: Shape) -> Size:
        """A permutation is the order of numbers that are drawn."""
        return volume(self.shape(*inputs)) * 2 if self.distribution == "permutation" else 0

    def reach(self, *inputs: Shape) -> None:
        """It sees nothing."""
        return None

    def label(self) -> str:
        """What, and how large."""
        size = show(self.sizes) if self.sizes else ""
        words = [self.distribution, size, "each phase" if self.draw == "phase" else ""]
        return ", ".join(word for word in words if word)
