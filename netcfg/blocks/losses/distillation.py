"""Learning from another network."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.losses.comparing import OfProbabilities, Positive

if TYPE_CHECKING:
    from torch import nn


class Distillation(OfProbabilities, name="distillation"):
    """Learn a teacher's probabilities: the divergence of its softened ones from the student's, times temperature².

    Both give logits; a teacher that is not to learn is frozen, or read through a `[detach]`.
    Shapes: equal ones: K, L×K, K×H×W.
    Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015.
    Example::

        [distillation]
        input = Student
        target = Teacher
        temperature = 4
    """

    what: ClassVar[str] = "logits"

    temperature: Positive = Option(4.0, description="what logits are divided by: higher is softer")

    def lower(self) -> "nn.Module":
        """The module `(student's logits, teacher's logits) -> scalar`."""
        from netcfg.builder.modules.losses.classes import Distillation as Module

        return Module(self.temperature, **self.shared())
