"""The derivative of one signal by another, as a signal of {Model}."""

from typing import ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Reference
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape


class Gradient(Block, name="gradient"):
    """The derivative of the sum of one signal by another: how each number of `by` changes `of`.

    For {Model}, in training. Where no sample's `of` hangs on another sample, each sample has its own gradient. It can
    be differentiated again, so that penalties are formulas: R1 is `mean` of `sum(slope ** 2)`, WGAN-GP's of
    `(sqrt(sum(slope ** 2)) - 1) ** 2`. What lies between the two is computed once, for `of` and its gradient. A loss
    that reads one is not evaluated on other splits, where nothing is differentiated.
    Shapes: any, any -> that of `by`.
    Source: PyTorch's `autograd.grad` with `create_graph`; Mescheder et al., 2018, for R1.
    Example::

        [gradient]             # 1, 3x8x8 -> 3x8x8
        of = score
        by = image
    """

    only_in_model: ClassVar[bool] = True
    family: ClassVar[str] = "combination"
    input_count: ClassVar[int | None] = 0
    roles: ClassVar[tuple[str, ...]] = ("of", "by")
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"from_", "repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with"}
    )

    of: Reference = Field(description="what is differentiated, summed over all its numbers")
    by: Reference = Field(description="by what: a data field, or another block")

    def shape(self, *inputs: Shape) -> Shape:
        """That of `by`."""
        return inputs[1]

    def axes(self, *inputs: str) -> str:
        """Likewise."""
        return inputs[1]

    def is_shared(self, *inputs: bool) -> bool:
        """As `by` is."""
        return inputs[1]

    def lower(self, *inputs: Shape) -> Made:
        """What differentiates."""
        from netcfg.builder.modules.gradient import Gradient as Module

        return made(Module)

    def reach(self, *inputs: Shape) -> None:
        """All that `of` sees."""
        return None
