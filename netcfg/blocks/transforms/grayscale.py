"""Pictures without colour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import targets
from netcfg.blocks.transforms.toning import Toning, expect_colours

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class Grayscale(Toning, name="grayscale"):
    """Take the colour out of some samples' pictures, which keep three channels, all equal; flow stays.

    Source: torchvision's RandomGrayscale, with its weights of red, green and blue (ITU-R 601).
    Example::

        [grayscale]
        probability = 0.5
    """

    probability: Probability = Option(0.1, description="how likely a sample is changed")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for pictures that have no three colours."""
        expect_colours(targets(self, fields, ("image",)), fields)
        return dict(fields)

    def drawer(self) -> "Drawer":
        """Grey."""
        from netcfg.datasets.transforms.tones import Always, Torchvision

        return Always(Torchvision("rgb_to_grayscale", (3,)))
