"""The sections of `{Loss}`: numbers to make small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcfg.blocks.base import ShapeError
from netcfg.blocks.kinds import Loss
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import nn


class BceWithLogits(Loss, name="bce_with_logits"):
    """Binary cross-entropy of logits against labels 0 or 1, the mean over labels and batch.

    Shapes: logits (A) or (A, 1, 1), labels (A).
    Source: AUNets (one action unit), AUDetNet (all at once).
    Example::

        [bce_with_logits]
        input = AUNet
        target = labels
    """

    def check(self, input: Shape, target: Shape | None, classes: int | None = None) -> None:
        """One logit for each label."""
        compare("logits", input, target)

    def lower(self) -> nn.Module:
        """The module `(logits, labels) -> scalar`."""
        from netcfg.trainers.losses import BceWithLogits as Module

        return Module()


class CrossEntropy(Loss, name="cross_entropy"):
    """Cross-entropy of one logit per class against the right class's number, the mean over the batch.

    Shapes: logits (K) or (K, 1, 1), the class a single number 0..K-1.
    Source: PyTorch's `cross_entropy`.
    Example::

        [cross_entropy]
        input = Classifier
        target = emotion
    """

    def check(self, input: Shape, target: Shape | None, classes: int | None = None) -> None:
        """A vector of logits, a single class."""
        logits = squeezed(input)
        if len(logits) != 1:
            raise ShapeError(
                f"needs one logit per class, and `{self.input}` gives {show(input)}", code="NC402"
            )
        if target is None or target:
            given = "nothing" if target is None else show(target)
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


class Mse(Loss, name="mse"):
    """Squared difference, the mean over all numbers.

    Shapes: equal ones.
    Source: PyTorch's `mse_loss`.
    Example::

        [mse]
        input = Regressor
        target = intensities
    """

    def check(self, input: Shape, target: Shape | None, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", input, target)

    def lower(self) -> nn.Module:
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.losses import Mse as Module

        return Module()


class L1(Loss, name="l1"):
    """Absolute difference, the mean over all numbers.

    Shapes: equal ones.
    Source: AUDetNet's reconstruction loss.
    Example::

        [l1]
        input = Regressor
        target = intensities
    """

    def check(self, input: Shape, target: Shape | None, classes: int | None = None) -> None:
        """Equal shapes."""
        compare("values", input, target)

    def lower(self) -> nn.Module:
        """The module `(values, targets) -> scalar`."""
        from netcfg.trainers.losses import L1 as Module

        return Module()


def squeezed(shape: Shape) -> Shape:
    """A shape without trailing ones: (12, 1, 1) is (12) to a loss."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def compare(what: str, input: Shape, target: Shape | None) -> None:
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
