"""Fully connected layers and what stands around them."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block, Count, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.meeting import ByAxes
from netcfg.blocks.network.activation import SLOPE, Applied, applied, slope_conflict, unknown_activation
from netcfg.blocks.network.filtering import WEIGHT_RULES
from netcfg.shapes import Shape, Size, show, volume


class Connected(ByAxes, name="connected"):
    """Every output a weighted sum of all features, then an activation.

    Shapes: F -> output_features; C×H×W -> output_features×H×W, the same weights at every pixel; L×F ->
    L×output_features, likewise T×F, T×L×F and H×W×C. Behind a [permute], F×L -> F×output_features: a map over the
    tokens, with which an MLP-Mixer mixes them.
    Activations: those of [activation]; `linear` for none.
    Parameters: `weight` (output_features×F), `bias`; with `weight_norm` `weight_g`, `weight_v`, with `spectral_norm`
    `weight_orig` and the buffers `weight_u`, `weight_v`.
    Source: AUDetNet, README, `[connected]`.
    Example::

        [connected]            # 32 -> 10
        output_features = 10
        activation = linear
        use_bias = True
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "connected"
    takes: ClassVar[tuple[str, ...]] = ("F", "C", "LF", "TF", "NF", "TLF", "FL", "CHW", "HWC")

    output_features: Count = Field(description="outputs")
    activation: str = Field("linear", description="applied last")
    use_bias: bool = Field(True, description="add a learned number to each output")
    slope: float | None = Field(None, description=SLOPE)
    initialization: Initial | None = Field(None, description="of the weight; PyTorch's own where `None`")
    bias_start: Initial | None = Field(None, description="of the bias: a number, or a rule")
    weight_norm: bool = Field(False, description="learn the weight's direction and length apart")
    spectral_norm: bool = Field(False, description="divide the weight by its largest singular value")
    equalised: bool = Field(False, description="a weight of N(0, 1), divided by √inputs when used")
    learning_rate_factor: Annotated[float, Field(gt=0)] = Field(
        1.0, description="`equalised`: weight and bias learn so much slower, as StyleGAN's mapping does"
    )

    def conflict(self) -> str | None:
        """Options that exclude each other, or have no effect."""
        rules = [f"`{rule}`" for rule in WEIGHT_RULES if getattr(self, rule)]
        if len(rules) > 1:
            return f"makes its weight in two ways: {' and '.join(rules)}"
        if self.equalised and self.initialization is not None:
            return "has an `initialization`, and an `equalised` weight starts as N(0, 1)"
        if self.learning_rate_factor != 1 and not self.equalised:
            return "has a `learning_rate_factor`, which only an `equalised` weight has"
        if self.bias_start is not None and not self.use_bias:
            return "has a `bias_start`, and no bias"
        return slope_conflict(self.activation, self.slope)

    @property
    def _applied(self) -> Applied | None:
        return applied(self.activation, self.slope)

    def depends_on_batch(self) -> bool:
        """A spectral norm goes on with every pass."""
        return self.spectral_norm

    def goes_by_position(self, axes: tuple[str, ...]) -> bool:
        """Three sizes are an image's, if nothing else is known."""
        return axes != ("FL",) and (len(axes[0]) != 3 or axes == ("CHW",))

    def is_each_place(self) -> bool:
        """Not where it computes over the tokens."""
        return self.given != ("FL",)

    def _is_per_pixel(self, shape: Shape) -> bool:
        return len(shape) == 3 and self.given is None

    def _features(self, shape: Shape) -> int:
        axis = 0 if self._is_per_pixel(shape) else -1
        if len(shape) not in (1, 2, 3):
            raise ShapeError(f"needs features (F, L×F or C×H×W), and is given {show(shape)}")
        return expect_known(shape[axis], "how many features it is given")

    def shape(self, *inputs: Shape) -> Shape:
        """The features replaced by the outputs."""
        self._features(inputs[0])
        if self._is_per_pixel(inputs[0]):
            return (self.output_features, *inputs[0][1:])
        return (*inputs[0][:-1], self.output_features)

    def parameters(self, *inputs: Shape) -> int:
        """A weight per input and output, and the biases."""
        return self.output_features * (self._features(inputs[0]) + self.use_bias + self.weight_norm)

    def macs(self, *inputs: Shape) -> Size:
        """One product per weight and place."""
        return volume(inputs[0]) * self.output_features

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """An activation that is none."""
        return unknown_activation(self.activation)

    def scratch(self, *inputs: Shape) -> Size:
        """What an activation does not overwrite."""
        waits = self._applied is not None and self._applied.in_place is None
        return volume(self.shape(*inputs)) if waits else 0

    def kept(self, *inputs: Shape) -> Size:
        """What the gradient of some activations needs beside what they made."""
        return 0 if self._applied is None else self._applied.kept(volume(self.shape(*inputs)))

    def gradient_needs(self) -> frozenset[str]:
        """Its features, and what an activation made."""
        return frozenset({"input"}) if self._applied is None else self._applied.needs()

    def overwritable(self) -> bool:
        """Where the gradient of an activation, or of nothing, does without the output."""
        return self._applied is None or self._applied.in_place is None

    def lower(self, *inputs: Shape) -> Made:
        """A linear map over the feature axis."""
        from netcfg.builder.modules.connected import Connected as Module

        return made(
            Module,
            self._features(inputs[0]),
            self.output_features,
            bias=self.use_bias,
            activation=self._applied,
            initialization=self.initialization,
            bias_start=self.bias_start,
            rule=next((rule for rule in WEIGHT_RULES if getattr(self, rule)), None),
            learning_rate_factor=self.learning_rate_factor,
            per_pixel=self._is_per_pixel(inputs[0]),
        )

    def label(self) -> str:
        """Outputs and activation."""
        return f"{self.output_features}, {self._applied.word}" if self._applied else str(self.output_features)


class Flatten(Block, name="flatten"):
    """All numbers of a sample in one row: channel by channel, row by row.

    Shapes: any -> one vector.
    Example::

        [flatten]              # 8x4x4 -> 128
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    def shape(self, *inputs: Shape) -> Shape:
        """The volume."""
        if not inputs[0]:  # torch's own looks for the axis behind the batch's
            raise ShapeError(
                "has one number of each sample to flatten", help="[unsqueeze] makes a vector of it"
            )
        return (volume(inputs[0]),)

    def axes(self, *inputs: str) -> str:
        """A vector's."""
        return "F"

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"torch.flatten({names[0]}, 1)"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """A vector has no places."""
        return None


class Dropout(Block, name="dropout"):
    """In training, sets numbers to zero at random and scales the others up.

    Shapes: any, unchanged.
    Source: Srivastava et al., "Dropout", JMLR 2014.
    Example::

        [dropout]              # 128 -> 128
        probability = 0.5
    """

    each_place: ClassVar[bool] = True
    family: ClassVar[str] = "regularisation"
    only_trains: ClassVar[bool] = True
    joins_box: ClassVar[bool] = True

    probability: Annotated[float, Field(ge=0, lt=1)] = Field(0.5, description="of a number to become zero")

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own: it knows whether it trains."""
        from torch import nn

        return made(nn.Dropout, self.probability)

    def kept(self, *inputs: Shape) -> Size:
        """What became zero."""
        return volume(inputs[0])

    def gradient_needs(self) -> frozenset[str]:
        """Nothing else."""
        return frozenset()

    def label(self) -> str:
        """The probability."""
        return f"{self.probability:g}"
