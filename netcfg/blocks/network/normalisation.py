"""Normalisation."""

from typing import Annotated, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, Count, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.places import SIGNALS, channels_of, expect_places
from netcfg.shapes import Shape, show


class BatchNorm(Block, name="batch_norm"):
    """Zero mean and unit variance per channel over the batch, then a learned scale and shift.

    Shapes: F, L×F, C×H×W or T×C×H×W, unchanged; statistics over the batch and all places.
    Parameters: `weight`, `bias` with `affine`; buffers `running_mean`, `running_var` with `track`.
    Source: AUDetNet, README, `[batch_norm]`.
    Example::

        [batch_norm]           # 6x8x8 -> 6x8x8
        num_features = 6
        eps = 1e-3
    """

    family: ClassVar[str] = "normalisation"
    joins_box: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = SIGNALS

    num_features: Count | None = Field(None, description="channels of its input, checked where given")
    eps: Annotated[float, Field(gt=0)] = Field(1e-5, description="added to the variance")
    momentum: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="weight of a new batch in the statistics"
    )

    affine: bool = Field(True, description="learn a scale and a shift for each channel")
    start: Initial | None = Field(None, description="of the scale: a number, or a rule; 1 where `None`")
    track: bool = Field(True, description="remember statistics in training, and evaluate with these")

    def conflict(self) -> str | None:
        """Nothing to start."""
        return "has a `start`, and learns no scale" if self.start is not None and not self.affine else None

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if the channels agree."""
        expect_places(inputs[0], vectors=True)
        channels = expect_known(channels_of(inputs[0]), "its channels")
        if self.num_features is not None and self.num_features != channels:
            raise ShapeError(
                f"normalises {self.num_features} channels, and is given {channels} ({show(inputs[0])})",
                help=f"write `num_features = {channels}`, or leave it out",
                option="num_features",
            )
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        """A scale and a shift per channel."""
        return 2 * expect_known(channels_of(inputs[0]), "its channels") if self.affine else 0

    def gradient_needs(self) -> frozenset[str]:
        """What it was given."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient needs its input, not its output."""
        return True

    def takes_batch_statistics(self) -> bool:
        """Always in training."""
        return True

    def normalises_places(self) -> bool:
        """Frames and tokens as it does samples."""
        return True

    def label(self) -> str:
        """What is not as usual."""
        words = [word for word, usual in (("no scale", self.affine), ("untracked", self.track)) if not usual]
        eps = [] if self.eps == type(self).model_fields["eps"].default else [f"eps {self.eps:g}"]
        return ", ".join([*eps, *words])

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.norms import batch_norm

        return made(
            batch_norm,
            expect_known(channels_of(inputs[0]), "its channels"),
            len(inputs[0]),
            start=self.start,
            eps=self.eps,
            momentum=self.momentum,
            affine=self.affine,
            track_running_stats=self.track,
        )
