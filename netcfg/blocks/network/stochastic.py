"""What is left out at random in training, and gradients that go another way than values."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block
from netcfg.blocks.changing import Scheduled
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import PLACES, channels_of, channels_second, expect_places
from netcfg.shapes import Shape, Size, volume

Probability = Annotated[float, Field(ge=0, lt=1)]


class _LeavesOut(Block):
    """In training alone."""

    family: ClassVar[str] = "regularisation"
    only_trains: ClassVar[bool] = True
    joins_box: ClassVar[bool] = True

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but what was drawn."""
        return frozenset()

    def label(self) -> str:
        """The probability."""
        return f"{self.probability:g}"  # type: ignore[attr-defined]


class StochasticDepth(_LeavesOut, name="stochastic_depth"):
    """In training, sets a whole sample's signal to zero at random and scales the others up: a branch left out.

    Shapes: any, unchanged.
    Source: Huang et al., "Deep Networks with Stochastic Depth", 2016; torchvision's `StochasticDepth`, by row.
    Example::

        [stochastic_depth]     # 6x8x8 -> 6x8x8
        probability = 0.2
    """

    each_place: ClassVar[bool] = True

    probability: Probability = Field(description="of a sample's signal to become zero")

    def lower(self, *inputs: Shape) -> Made:
        """A factor for each sample."""
        from netcfg.builder.modules.stochastic import StochasticDepth as Module

        return made(Module, self.probability)

    def kept(self, *inputs: Shape) -> Size:
        """The factor."""
        return 1


class DropChannels(_LeavesOut, name="drop_channels"):
    """In training, sets whole channels to zero at random and scales the others up.

    Shapes: L×F, C×H×W or T×C×H×W, unchanged.
    Source: Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015; PyTorch's `Dropout2d`.
    Example::

        [drop_channels]        # 6x8x8 -> 6x8x8
        probability = 0.2
    """

    takes: ClassVar[tuple[str, ...]] = PLACES

    probability: Probability = Field(0.5, description="of a channel to become zero")

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged."""
        expect_places(inputs[0])
        return inputs[0]

    def lower(self, *inputs: Shape) -> Made:
        """A factor for each channel."""
        from netcfg.builder.modules.stochastic import DropChannels as Module

        return made(Module, self.probability, turned=channels_second(inputs[0]))

    def kept(self, *inputs: Shape) -> Size:
        """The factors."""
        return channels_of(inputs[0])


class ReverseGradient(Block, name="reverse_gradient"):
    """Passes values on, and gradients back with the opposite sign: what comes after it is to be fooled.

    Shapes: any, unchanged.
    Source: Ganin, Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", 2015.
    Example::

        [reverse_gradient]     # 32 -> 32
        factor = 0.1
    """

    each_place: ClassVar[bool] = True
    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True

    factor: float | Scheduled = Field(1.0, description="the gradient is multiplied by minus this")

    def lower(self, *inputs: Shape) -> Made:
        """A view with a gradient of its own."""
        from netcfg.builder.modules.stochastic import ReverseGradient as Module

        return made(Module, self.factor)

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def label(self) -> str:
        """The factor."""
        return f"×-{self.factor}" if isinstance(self.factor, Scheduled) else f"×{-self.factor:g}"


class StraightThrough(Block, name="straight_through"):
    """Values in steps, gradients as if there were none.

    `kind`: `round` and `floor` to whole numbers, `sign` to -1, 0, 1, `step` to 0 and 1.
    Shapes: any, unchanged.
    Source: Bengio, Léonard, Courville, "Estimating or Propagating Gradients Through Stochastic Neurons", 2013.
    Example::

        [straight_through]     # 32 -> 32
        kind = round
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "activation"

    steps: Literal["round", "floor", "sign", "step"] = Field("round", alias="kind", description="the steps")

    def scratch(self, *inputs: Shape) -> Size:
        """`step`: which are above zero, in a byte each."""
        return -(-volume(inputs[0]) // 4) if self.steps == "step" else 0

    def lower(self, *inputs: Shape) -> Made:
        """A step with a gradient of its own."""
        from netcfg.builder.modules.stochastic import StraightThrough as Module

        return made(Module, self.steps)

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True

    def label(self) -> str:
        """The steps."""
        return self.steps
