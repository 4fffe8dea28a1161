"""The gradient penalty of a critic."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Loss
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import nn


class GradientPenalty(Loss, name="gradient_penalty"):
    """Keeps a critic's gradient near length one: the mean of (|∇D(x)| - 1)² at points x between real and fake.

    x = t·real + (1 - t)·fake, with one t from 0 to 1 for each sample. `norm_over = all` takes the length over
    all of a sample's numbers, as the method says. `channel` takes it over axis 1 alone, at every pixel by
    itself, and the mean over samples and pixels, as AUDetNet's code does; for vectors the two agree.
    Gradients reach only the critic.
    Shapes: real and fake alike, as the critic takes them.
    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, equation 3.
    Example::

        [gradient_penalty]
        network = Critic
        real = image
        fake = reconstruction
    """

    signal_options: ClassVar[tuple[str, ...]] = ("real", "fake")
    network_options: ClassVar[tuple[str, ...]] = ("network",)
    stops_gradient: ClassVar[bool] = True
    in_evaluation: ClassVar[bool] = False

    network: str = Option(description="the critic")
    real: str = Option(description="the signal at t = 1")
    fake: str = Option(description="the signal at t = 0")
    norm_over: Literal["all", "channel"] = Option("all", description="the axes of the gradient's length")

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Two equal shapes, of at least one axis."""
        real, fake = shapes
        if not real and not fake:
            raise ShapeError(
                f"takes the length of a gradient, and `{self.real}` is one number for each sample",
                code="NC402",
                help="a signal with an axis: a vector or a picture",
            )
        if len(real) != len(fake) or any(map(differ, real, fake)):
            raise ShapeError(
                f"mixes `{self.real}` of {show(real)} with `{self.fake}` of {show(fake)}", code="NC402"
            )

    def lower(self) -> "nn.Module":
        """The module `(critic, real, fake) -> scalar`."""
        from netcfg.builder.modules.losses.gradient_penalty import GradientPenalty as Module

        return Module(self.norm_over)
