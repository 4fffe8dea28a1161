"""What transforms have in common that change what pictures look like, and move nothing."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import Augmentation, targets

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class Toning(Augmentation):
    """A transform of pictures alone, in some of the samples: flow, masks and landmarks stay."""

    probability: Probability = Option(0.5, description="how likely a sample is changed")

    @abstractmethod
    def drawer(self) -> "Drawer":
        """What draws a change."""

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.tones import ToneSample

        return ToneSample(targets(self, fields, ("image",)), self.probability, self.drawer())


def expect_colours(names: tuple[str, ...], fields: Mapping[str, FieldSpec]) -> None:
    """Refuse, by a `ShapeError`, pictures that have no three colours."""
    for name in names:
        if fields[name].shape[-3] != 3:
            raise ShapeError(
                f"needs pictures of 3 channels, and `{name}` has {fields[name].shape[-3]}",
                help="name those it is for: `only = image`",
            )
