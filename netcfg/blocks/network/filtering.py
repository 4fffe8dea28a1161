"""What convolutions and their transposes have in common: kernels, and what follows these in the same block."""

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import Field

from netcfg.blocks.base import Block, Count, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.network.activation import (
    SLOPE,
    Applied,
    applied,
    slope_conflict,
    unknown_activation,
)
from netcfg.blocks.network.places import PLACES, channels_of, expect_places, places_of, with_places
from netcfg.blocks.network.windows import SIZES, Kernels, each, expect_kernel, in_words, too_many
from netcfg.shapes import Shape, Size, volume

if TYPE_CHECKING:
    from netcfg.builder.modules.convolution import After

Norm = Literal["batch", "instance", "group", "layer"]
NORMS: tuple[str, ...] = get_args(Norm)
WeightRule = Literal["weight_norm", "spectral_norm", "equalised"]
WEIGHT_RULES: tuple[WeightRule, ...] = ("weight_norm", "spectral_norm", "equalised")


class Filtering(Block):
    """A map of windows by learned kernels, then normalisation, then an activation."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "convolution"
    takes: ClassVar[tuple[str, ...]] = PLACES

    filters: Count = Field(description="output channels")
    kernel_size: Kernels = Field(description=f"kernel sides, in pixels: {SIZES}")
    stride: Kernels = Field((1,), description="step between windows, in pixels, likewise")
    dilation: Kernels = Field((1,), description="step between the numbers of a window, likewise")
    groups: Count = Field(1, description="parts of the channels that are mapped by themselves")
    use_bias: bool = Field(
        True, description="add a learned number to each filter; normalisation brings its own"
    )
    batch_normalise: bool = Field(False, description="the same as `normalise = batch`")
    normalise: Norm | None = Field(
        None,
        description="before the activation: over the batch, or in each sample, by channel, group or place",
    )
    norm_groups: Count = Field(32, description="of channels, with `normalise = group`")
    eps: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="of the normalisation; 1e-4 over the batch, as AUDetNet has it, else 1e-5, where `None`",
    )
    activation: str = Field("None", description="applied last")
    slope: float | None = Field(None, description=SLOPE)
    initialization: Initial | None = Field(None, description="of the weight; PyTorch's own where `None`")
    bias_start: Initial | None = Field(None, description="of the bias: a number, or a rule")
    weight_norm: bool = Field(False, description="learn the weight's direction and length apart")
    spectral_norm: bool = Field(False, description="divide the weight by its largest singular value")
    equalised: bool = Field(False, description="a weight of N(0, 1), divided by √inputs when used")

    # --- options

    def conflict(self) -> str | None:
        """Options that exclude each other, or have no effect."""
        return (
            too_many(kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation)
            or slope_conflict(self.activation, self.slope)
            or self._conflicting_norms()
            or self._conflicting_starts()
        )

    def _conflicting_norms(self) -> str | None:
        if self.batch_normalise and self.normalise not in (None, "batch"):
            return f"has both `batch_normalise` and `normalise = {self.normalise}`"
        if self.norm_groups != 32 and self.normalise != "group":
            return "has `norm_groups`, which only `normalise = group` uses"
        if self.eps is not None and self.norm is None:
            return "has an `eps`, and no normalisation that uses it"
        return None

    def _conflicting_starts(self) -> str | None:
        if self.weight_norm + self.spectral_norm + self.equalised > 1:
            rules = [f"`{rule}`" for rule in WEIGHT_RULES if getattr(self, rule)]
            return f"makes its weight in two ways: {' and '.join(rules)}"
        if self.equalised and self.initialization is not None:
            return "has an `initialization`, and an `equalised` weight starts as N(0, 1)"
        if self.bias_start is not None and not self._has_bias:
            return "has a `bias_start`, and no bias of its own"
        return None

    @property
    def norm(self) -> str | None:
        """The normalisation, however it is written."""
        return "batch" if self.batch_normalise else self.normalise

    @property
    def _has_bias(self) -> bool:
        return self.use_bias and self.norm is None

    @property
    def _applied(self) -> Applied | None:
        return applied(self.activation, self.slope)

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """An activation that is none."""
        return unknown_activation(self.activation)

    def uses_statistics(self) -> bool:
        """In each sample, of its channels or groups of these."""
        return self.norm in ("instance", "group")

    def takes_batch_statistics(self) -> bool:
        """With a normalisation over the batch."""
        return self.norm == "batch"

    def depends_on_batch(self) -> bool:
        """By the statistics of its normalisation; a spectral norm goes on with every pass."""
        return self.norm == "batch" or self.spectral_norm

    # --- sizes

    def _each(self, numbers: tuple[int, ...], shape: Shape, option: str) -> tuple[int, ...]:
        return each(numbers, len(places_of(shape)), option)

    def kernel(self, shape: Shape) -> tuple[int, ...]:
        """Its sides for a signal of this shape."""
        return self._each(self.kernel_size, shape, "kernel_size")

    def _made_places(self, shape: Shape) -> Shape:
        """How many windows there are, or how many places these make."""
        raise NotImplementedError

    def shape(self, *inputs: Shape) -> Shape:
        """The filters, and the places of windows."""
        expect_places(inputs[0])
        expect_kernel(self.kernel_size, inputs[0])
        self._expect_groups(expect_known(channels_of(inputs[0]), "its input channels"))
        made = with_places(inputs[0], self.filters, self._made_places(inputs[0]))
        if self.norm == "group" and self.filters % self.norm_groups:
            message = f"divides {self.filters} filters into {self.norm_groups} groups that do not divide them"
            raise ShapeError(message, option="normalise", help="`norm_groups = …`", argument=None)
        return made

    def _expect_groups(self, channels: int) -> None:
        for what, number in (("channels", channels), ("filters", self.filters)):
            if number % self.groups:
                raise ShapeError(
                    f"divides {number} {what} into {self.groups} groups: {number % self.groups} are left over",
                    option="groups",
                )

    def axes(self, *inputs: str) -> str:
        """Those it is given; an image's where nobody said."""
        return inputs[0] or "CHW"

    # --- costs

    def parameters(self, *inputs: Shape) -> int:
        """Kernels with what they are made from, and a bias or a scale and shift per filter."""
        channels = expect_known(channels_of(inputs[0]), "its input channels")
        weight = channels * self.filters * kernel_volume(self.kernel(inputs[0])) // self.groups
        lengths = self._weight_outputs(channels) if self.weight_norm else 0
        return weight + lengths + self.filters * (2 if self.norm else self.use_bias)

    def _weight_outputs(self, channels: int) -> int:
        """The size of the weight's first axis, along which a weight norm counts."""
        return self.filters

    def _norm_kept(self, shape: Shape) -> Size:
        """What the gradient of the normalisation needs beside what it is given."""
        if self.norm == "instance":
            return 3 * self.filters
        if self.norm == "group":
            return 2 * self.norm_groups
        return 2 * volume(places_of(shape)) if self.norm == "layer" else 0

    def scratch(self, *inputs: Shape) -> Size:
        """What is normalised, or not overwritten by the activation, lives until that is done."""
        made = self.shape(*inputs)
        steps = (self.norm is not None) + (self._applied is not None and self._applied.in_place is None)
        return volume(made) * min(steps, 1) + self._norm_kept(made) + self._padded(*inputs)

    def kept(self, *inputs: Shape) -> Size:
        """The gradient of the normalisation, and that of some activations, needs what these were given."""
        made = self.shape(*inputs)
        kept = self._norm_kept(made) + self._padded(*inputs) + (volume(made) if self.norm else 0)
        return kept + (self._applied.kept(volume(made)) if self._applied else 0)

    def _padded(self, *inputs: Shape) -> Size:
        """Numbers of a copy of the input with a border."""
        return 0

    def gradient_needs(self) -> frozenset[str]:
        """What is convolved, and what an activation made."""
        return frozenset({"input"}) if self._applied is None else self._applied.needs()

    def overwritable(self) -> bool:
        """Where the gradient of an activation, or of nothing, does without the output."""
        return self._applied is None or self._applied.in_place is None

    # --- the module

    def _after(self) -> "After":
        """What follows the kernels, for the module."""
        from netcfg.builder.modules.convolution import After

        eps = self.eps if self.eps is not None else 1e-4 if self.norm == "batch" else 1e-5
        return After(
            norm=self.norm,
            norm_groups=self.norm_groups,
            eps=eps,
            activation=self._applied,
            initialization=self.initialization,
            bias_start=self.bias_start,
            rule=next((rule for rule in WEIGHT_RULES if getattr(self, rule)), None),
        )

    def label(self) -> str:
        """Kernel, filters, stride, and what follows."""
        parts = [f"{in_words(self.kernel_size)}, {self.filters}"]
        if set(self.stride) != {1}:
            parts.append(f"stride {'×'.join(map(str, dict.fromkeys(self.stride)))}")
        if set(self.dilation) != {1}:
            parts.append(f"dilation {'×'.join(map(str, dict.fromkeys(self.dilation)))}")
        if self.groups > 1:
            parts.append(f"{self.groups} groups")
        if self.norm:
            parts.append({"batch": "bn", "instance": "in", "group": "gn", "layer": "ln"}[self.norm])
        return ", ".join([*parts, self._applied.word] if self._applied else parts)


def kernel_volume(kernel: tuple[int, ...]) -> int:
    """How many numbers a window has."""
    return math.prod(kernel)
