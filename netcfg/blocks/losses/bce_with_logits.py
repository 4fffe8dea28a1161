"""Binary cross-entropy of logits."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.comparing import Comparing, Positive, Share
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class BceWithLogits(Comparing, name="bce_with_logits"):
    """Binary cross-entropy of logits against labels 0 or 1 (or between), the mean over labels and batch.

    Shapes: logits (A) or (A, 1, 1), labels (A); maps of them.
    Source: AUNets (one action unit), AUDetNet (all at once); PyTorch's `binary_cross_entropy_with_logits`.
    Example::

        [bce_with_logits]
        input = AUNet
        target = labels
    """

    what: ClassVar[str] = "logits"
    of_numbers: ClassVar[bool] = False

    pos_weight: tuple[Positive, ...] = Option(
        (),
        description="a factor of the loss where a label is 1: one for all, or one for each, rare ones higher",
    )
    label_smoothing: Share = Option(0.0, description="0 counts as half of this, and 1 as that much less")

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """One logit for each label, and as many factors."""
        places = super().places(input, target, classes)
        labels = places[0] if places else 1
        if len(self.pos_weight) > 1 and isinstance(labels, int) and len(self.pos_weight) != labels:
            raise ShapeError(
                f"has {len(self.pos_weight)} `pos_weight`, and compares {labels} labels",
                code="NC402",
                option="pos_weight",
                help="a number for each label, in their order, or one for all",
            )
        return places

    def lower(self) -> "nn.Module":
        """The module `(logits, labels) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import BceWithLogits as Module

        return Module(self.pos_weight, self.label_smoothing, **self.shared())
