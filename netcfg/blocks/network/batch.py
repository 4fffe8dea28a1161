"""Blocks that act on a batch as a whole, or on gradients: the joints between networks that train together."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape, Size, show

GROUP = 4
"""Samples that a critic compares."""


class ShuffleBatch(Block, name="shuffle_batch"):
    """Gives every sample the values of another one of its batch.

    `mode = shift`: row i takes those of row i + `by`, the last rows those of the first. `mode = random`: a new
    order for every batch, the same whatever computes it again, by the run's seed. No gradient passes: what it gives
    stands for samples of a distribution.
    Shapes: any, unchanged.
    Source: AUDetNet, whose pairs (z1, z2) with z2 shifted by one are samples of independent codes.
    Example::

        [shuffle_batch]        # 8x4x4 -> 8x4x4
        mode = shift
        by = 1
    """

    mode: Literal["shift", "random"] = Field("random", description="which other sample")
    by: Annotated[int, Field(ge=1, le=65_536)] = Field(1, description="`shift`: how many rows away")
    stops_gradient: ClassVar[bool] = True
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str | None:
        """The rows in another order, without their history."""
        return f"{names[0]}.detach().roll(-{self.by}, 0)" if self.mode == "shift" else None

    def lower(self, *inputs: Shape) -> Made:
        """What puts them in order."""
        from netcfg.builder.modules.random import ShuffledBatch

        return made(ShuffledBatch, self.by if self.mode == "shift" else None)

    def scratch(self, *inputs: Shape) -> Size:
        """The new order, a number of eight bytes for each row."""
        return 2 if self.mode == "random" else 0

    def label(self) -> str:
        """Which rows."""
        return f"shift {self.by}" if self.mode == "shift" else "random"


class Detach(Block, name="detach"):
    """Passes values on and stops gradients.

    Shapes: any, unchanged.
    Source: PyTorch's `detach`.
    Example::

        [detach]               # 8x4x4 -> 8x4x4
    """

    stops_gradient: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    is_view: ClassVar[bool] = True
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """The same numbers, without their history."""
        return f"{names[0]}.detach()"


class MinibatchStd(Block, name="minibatch_std"):
    """One more channel: how much samples of the batch differ, so that a critic sees where all made ones are alike.

    In groups of 4 samples, or fewer where the batch is no multiple of that: the standard deviation over a group of each
    number, and of these the mean, the same for all of the group and everywhere.
    Shapes: C×H×W -> (C+1)×H×W.
    Source: Karras et al., "Progressive Growing of GANs", 2018, section 3; StyleGAN2's critic, whose groups are of 4, of
    samples that lie apart.
    Example::

        [minibatch_std]        # 8x4x4 -> 9x4x4
    """

    family: ClassVar[str] = "batch"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    def shape(self, *inputs: Shape) -> Shape:
        """A channel more."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image (C×H×W), and is given {show(inputs[0])}")
        return (inputs[0][0] + 1, *inputs[0][1:])

    def lower(self, *inputs: Shape) -> Made:
        """What compares."""
        from netcfg.builder.modules.norms import MinibatchStd as Module

        return made(Module, GROUP)
