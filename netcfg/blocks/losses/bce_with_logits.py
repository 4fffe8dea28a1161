"""Binary cross-entropy of logits."""

from typing import TYPE_CHECKING

from netcfg.blocks.losses.base import Comparison, compare
from netcfg.shapes import Shape

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

    def lower(self) -> "nn.Module":
        """The module `(logits, labels) -> scalar`."""
        from netcfg.trainers.step.losses import BceWithLogits as Module

        return Module()
