"""Transforms of colours."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import Augmentation, targets
from netcfg.blocks.transforms.toning import expect_colours

if TYPE_CHECKING:
    from collections.abc import Callable


class Brightness(Augmentation, name="brightness"):
    """Make pictures brighter or darker by a random factor, one for all pictures of a sample; flow stays.

    Source: the usual photometric augmentation, e.g. torchvision's ColorJitter.
    Example::

        [brightness]
        amount = 0.2          # factors from 0.8 to 1.2
    """

    amount: Annotated[float, Option(gt=0, le=1)] = Option(
        0.2, description="the farthest a factor may lie from 1"
    )

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.geometry import BrightenSample

        return BrightenSample(pictures=targets(self, fields, ("image",)), amount=self.amount)


Factor = Annotated[float, Option(ge=0, le=10)]
Turn = Annotated[float, Option(ge=-0.5, le=0.5)]


class ColorJitter(Augmentation, name="color_jitter"):
    """Change brightness, contrast, saturation and hue at random, the same for all pictures of a sample.

    Brightness scales from black, contrast from the mean grey, saturation from each pixel's grey; hue is turned by a
    part of the whole circle of colours, half of which gives the opposite ones. Every step is clipped and rounded to 8
    bits. Their order is drawn for each sample, as in torchvision. Flow stays.
    Source: AUDetNet's augmentation, without hue; torchvision's ColorJitter.
    Example::

        [color_jitter]
        probability = 0.9
        saturation = 0, 1.5
        hue = -0.1, 0.1
    """

    probability: Probability = Option(0.9, description="how likely a sample is changed")
    brightness: tuple[Factor, ...] = Option((0.5, 1.5), description="factors from, to; 1 changes nothing")
    contrast: tuple[Factor, ...] = Option((0.5, 1.5), description="factors from, to; 0 is all grey")
    saturation: tuple[Factor, ...] = Option((0.0, 1.5), description="factors from, to; 0 is without colour")
    hue: tuple[Turn, ...] = Option(
        (0.0, 0.0), description="turns from, to, in parts of the circle; 0 changes nothing"
    )
    order: Literal["random", "fixed"] = Option(
        "random", description="of the four; fixed: brightness, contrast, saturation, hue"
    )

    def conflict(self) -> str | None:
        """Two numbers each, the smaller one first."""
        for key in ("brightness", "contrast", "saturation", "hue"):
            numbers = getattr(self, key)
            if len(numbers) != 2 or numbers[0] > numbers[1]:
                written = ", ".join(f"{number:g}" for number in numbers)
                what = "turn" if key == "hue" else "factor"
                return f"needs the smallest and the largest {what} as `{key}`, and has {written}"
        return None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for pictures that have no three colours."""
        expect_colours(targets(self, fields, ("image",)), fields)
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.colour import JitterSample

        return JitterSample(
            pictures=targets(self, fields, ("image",)),
            probability=self.probability,
            brightness=(self.brightness[0], self.brightness[1]),
            contrast=(self.contrast[0], self.contrast[1]),
            saturation=(self.saturation[0], self.saturation[1]),
            hue=(self.hue[0], self.hue[1]),
            any_order=self.order == "random",
        )
