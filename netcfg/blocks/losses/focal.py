"""The focal loss."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import Comparing, OverClasses, Probability
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import nn


class Focal(OverClasses, name="focal"):
    """Cross-entropy in which what is known already counts little: times (1 - p)^gamma, p that of the right answer.

    `of = classes` is of one class of many, by softmax; `labels` of labels that may hold together, each by itself.
    Shapes: classes as [cross_entropy], labels as [bce_with_logits].
    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017, equations 4 and 5; torchvision's
    `sigmoid_focal_loss`, whose mean is over labels.
    Example::

        [focal]
        input = Net
        target = emotion
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"channels"})

    of: Literal["classes", "labels"] = Option(
        "classes", description="one class of many, or labels that may hold together"
    )
    gamma: Annotated[float, Option(ge=0)] = Option(
        2.0, description="0 is cross-entropy; higher leaves out more"
    )
    alpha: Probability | None = Option(
        None,
        description="of labels: the weight of positives, that of negatives is 1 - alpha; the paper has 0.25",
    )

    def conflict(self) -> str | None:
        """Only labels have positives."""
        if self.alpha is not None and self.of == "classes":
            return "has `alpha`, which weighs positives, and is `of = classes`: write `of = labels`"
        return None

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """Those of classes, or of labels."""
        if self.of == "labels":
            return Comparing.places(self, input, target, classes)
        return super().places(input, target, classes)

    def lower(self) -> "nn.Module":
        """The module `(logits, classes or labels) -> scalar`."""
        from netcfg.builder.modules.losses.classes import Focal as OfClasses
        from netcfg.builder.modules.losses.classes import FocalOfLabels as OfLabels

        if self.of == "labels":
            return OfLabels(self.gamma, self.alpha, **self.shared())
        return OfClasses(self.gamma, **self.shared())
