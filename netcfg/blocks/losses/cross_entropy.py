"""Cross-entropy of classes."""

from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare
from netcfg.blocks.losses.comparing import CLASS_WEIGHTS, ClassWeights, OverClasses, Share, without
from netcfg.shapes import Shape, class_axis, show

if TYPE_CHECKING:
    from torch import nn


class CrossEntropy(OverClasses, name="cross_entropy"):
    """Cross-entropy of one logit per class against the right class's number, the mean over samples and places.

    A map of logits is compared with a map of classes, pixel by pixel, and a row with a row, token by token or frame
    by frame. With `soft_labels` the target is a probability for each class instead.
    Shapes: logits (K) or (K, 1, 1), the class a single number 0..K-1; K×H×W against H×W; L×K against L.
    Source: PyTorch's `cross_entropy`.
    Example::

        [cross_entropy]
        input = Classifier
        target = emotion
    """

    class_weights: ClassWeights = Option((), description=CLASS_WEIGHTS)
    label_smoothing: Share = Option(
        0.0, description="this share of the right answer is spread over all classes"
    )
    soft_labels: bool = Option(False, description="whether the target holds a probability for each class")

    def conflict(self) -> str | None:
        """Soft labels hold no number that could be ignored."""
        if self.soft_labels and self.ignore is not None:
            return "has `soft_labels`, of which none is a number to `ignore`: leave samples out by a `mask`"
        return None

    def counts_by(self) -> tuple[object, ...]:
        """Also its classes, where these count differently."""
        by_class = (self.target, self.class_weights) if self.class_weights and not self.soft_labels else ()
        return (*super().counts_by(), *by_class)

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """A vector of logits and a single class, or either for each place."""
        if not self.soft_labels:
            return super().places(input, target, classes)
        compare("logits", input, target)
        assert target is not None
        if not target:
            raise ShapeError(
                f"has `soft_labels`, and `{self.target}` is one number for each sample",
                argument=1,
                code="NC402",
                option="soft_labels",
                help="take it out: the number is that of a class",
            )
        if len(target) > 4:
            raise ShapeError(f"knows no classes among the axes of {show(target)}", argument=1, code="NC402")
        axis = class_axis(len(target))
        self.check_by_class(target[axis])
        return without(target, axis)

    def lower(self) -> "nn.Module":
        """The module `(logits, classes) -> scalar`."""
        from netcfg.builder.modules.losses.classes import CrossEntropy as Module

        return Module(self.class_weights, self.label_smoothing, self.soft_labels, **self.shared())
