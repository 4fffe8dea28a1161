"""A noisy copy of a picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import Transform, When
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


class Noise(Transform, name="noise"):
    """Copy a picture field to a new one, with noise: what a network is to see and undo.

    The new picture is round(x + 255 · factor · N(0, 1)), clipped to 8 bits, with one factor per sample, drawn from
    0 to `amount`. In the splits without noise the new field is a plain copy. What changes both alike,
    such as a flip, stands before it.

    Fields: `output`, of the shape of `input`.
    Source: AUDetNet, whose encoder sees noisy pictures and whose decoder gives clean ones.
    Example::

        [noise]
        input = image
        output = noisy_image
        amount = 0.015
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    input: str = Option("image", description="the picture field to copy")
    output: str = Option("noisy_image", description="the name of the copy; `input` itself: no copy is kept")
    amount: Annotated[float, Option(gt=0, le=1)] = Option(
        0.015, description="the largest deviation of the noise, where the pictures' range is 1"
    )
    when: When = Option("train", description="noise in training only, outside of it only, or always")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the copy. Raises `ShapeError` where there is no such picture, or the new name is taken."""
        spec = fields.get(self.input)
        if spec is None or spec.kind != "image":
            pictures = [name for name, known in fields.items() if known.kind == "image"]
            raise ShapeError(
                f"copies the picture field `{self.input}`, which the data do not have",
                option="input",
                help=did_you_mean(self.input, pictures),
            )
        if self.output in fields and self.output != self.input:
            raise ShapeError(
                f"would overwrite the field `{self.output}`", option="output", help="give it another name"
            )
        return {**fields, self.output: spec}

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The picture it copies, in place of the copy."""
        return tuple(dict.fromkeys(self.input if name == self.output else name for name in wanted))

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.colour import NoiseSample

        return NoiseSample(self.input, self.output, self.amount)

    def stands_in(self, fields: Mapping[str, FieldSpec]) -> bool:
        """There always is the copy; to say so takes no numpy."""
        return True

    def bypass(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """The copy without noise."""
        from netcfg.datasets.transforms.colour import NoiseSample

        return NoiseSample(self.input, self.output, 0.0)
