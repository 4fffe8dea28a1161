"""The sections of `{Loss}`: numbers to make small."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.kinds import Comparison, Loss
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import nn


class BceWithLogits(Comparison, name="bce_with_logits"):
    """Binary cross-entropy of logits against labels 0 or 1, the mean over labels and batch.

    Shapes: logits (A) or (A, 1, 1), labels (A).
    Source: AUNets (one action unit), AUDetNet (all at once).
    Example::

        [bce_with_logits]
        input = AUNet
        target = labels
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """One logit for each label."""
        compare("logits", *shapes)

    def lower(self) -> nn.Module:
        """The module `(logits, labels) -> scalar`."""
        from netcfg.trainers.losses import BceWithLogits as Module

        return Module()


class CrossEntropy(Comparison, name="cross_entropy"):
    """Cross-entropy of one logit per class against the right class's number, the mean over the batch.

    Shapes: logits (K) or (K, 1, 1), the class a single number 0..K-1.
    Source: PyTorch's `cross_entropy`.
    Example::

        [cross_entropy]
        input = Classifier
        target = emotion
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """A vector of logits, a single class."""
        logits = squeezed(shapes[0])
        if len(logits) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(shapes[0])}", code="NC402"
            )
        if len(shapes) == 1 or shapes[1]:
            given = "nothing" if len(shapes) == 1 else show(shapes[1])
            raise ShapeError(f"needs a class to compare with, and is given {given}", argument=1, code="NC402")
        if classes is not None and isinstance(logits[0], int) and logits[0] != classes:
            raise ShapeError(
                f"`{self.input}` gives {logits[0]} logits, but `{self.target}` has {classes} classes",
                code="NC402",
                help=f"let the last block give {classes} features",
            )

    def lower(self) -> nn.Module:
        """The module `(logits, classes) -> scalar`."""
        from netcfg.trainers.losses import CrossEntropy as Module

        return Module()


class Mse(Comparison, name="mse"):
    """Squared difference, the mean over all numbers.

    Shapes: equal ones.
    Source: PyTorch's `mse_loss`.
    Example::

        [mse]
        input = Regressor
        target = intensities
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", *shapes)

    def lower(self) -> nn.Module:
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.losses import Mse as Module

        return Module()


class L1(Comparison, name="l1"):
    """Absolute difference, the mean over all numbers.

    Shapes: equal ones.
    Source: AUDetNet's reconstruction loss.
    Example::

        [l1]
        input = Regressor
        target = intensities
    """

    def check(self, *shapes: Shape, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", *shapes)

    def lower(self) -> nn.Module:
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.losses import L1 as Module

        return Module()


class Mean(Loss, name="mean"):
    """The mean of a signal: what a WGAN critic says of samples, or any number a network makes itself.

    Minimise `fake - real` to train a critic that is high on real samples; `- fake` to please it.
    Shapes: any.
    Source: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017, equation 3.
    Example::

        [mean]
        input = real_score
    """

    signal_options: ClassVar[tuple[str, ...]] = ("input",)

    input: str = Option(description="the signal")

    def lower(self) -> nn.Module:
        """The module `values -> scalar`."""
        from netcfg.trainers.losses import Mean as Module

        return Module()


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
        """Two equal shapes."""
        real, fake = shapes
        if len(real) != len(fake) or any(map(differ, real, fake)):
            raise ShapeError(
                f"mixes `{self.real}` of {show(real)} with `{self.fake}` of {show(fake)}", code="NC402"
            )

    def lower(self) -> nn.Module:
        """The module `(critic, real, fake) -> scalar`."""
        from netcfg.trainers.losses import GradientPenalty as Module

        return Module(self.norm_over)


def squeezed(shape: Shape) -> Shape:
    """A shape without trailing ones: (12, 1, 1) is (12) to a loss."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def compare(what: str, input: Shape, target: Shape | None = None) -> None:
    """Refuse shapes that differ, but for trailing ones. `what` names the input's numbers in the message."""
    if target is None:
        raise ShapeError(
            "needs a target to compare with", argument=1, code="NC402", help="write `target = labels`"
        )
    ours, theirs = squeezed(input), squeezed(target)
    if len(ours) != len(theirs) or any(differ(one, other) for one, other in zip(ours, theirs, strict=True)):
        message = f"compares {show(input)} {what} with a target of {show(target) or '1'}"
        raise ShapeError(message, code="NC402", help=_remedy(theirs))


def _remedy(target: Shape) -> str | None:
    return f"let the last block give {show(target)} features" if len(target) == 1 else None
