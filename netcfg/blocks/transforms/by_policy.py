"""What transforms have in common that draw which operations change a sample."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import Augmentation, expect_pictures, targets
from netcfg.blocks.transforms.moving import (
    FILL,
    MASK_FILL,
    Level,
    expect_one_size,
    mask_fills,
    size_of_targets,
)
from netcfg.blocks.transforms.toning import expect_colours

if TYPE_CHECKING:
    from netcfg.datasets.transforms.policies import Operation, Ranges


class ByPolicy(Augmentation):
    """A transform of drawn operations: those that move anything move all fields, the others change pictures alone."""

    interpolation: Literal["nearest", "linear"] = Option("nearest", description="between pixels of pictures")
    fill: Level = Option(0, description=FILL)
    mask_fill: Level | None = Option(None, description=MASK_FILL)

    @abstractmethod
    def policy(self) -> "tuple[Callable[..., list[Operation]], Ranges]":
        """What draws the operations, and how strong they are."""

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for pictures without three colours, or of two sizes."""
        expect_pictures(self, fields)
        expect_colours(targets(self, fields, ("image",)), fields)
        moved = targets(self, fields, ("image", "flow", "mask", "map"))
        expect_one_size({name: fields[name].shape[-2:] for name in moved})
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.moves import MoveSample
        from netcfg.datasets.transforms.policies import PolicySample, Stay

        draw, ranges = self.policy()
        mover = MoveSample(
            told=f"[{self.type_name}]",
            way=Stay(),
            pictures=targets(self, fields, ("image",)),
            flows=targets(self, fields, ("flow",)),
            masks=targets(self, fields, ("mask",)),
            maps=targets(self, fields, ("map",)),
            points=targets(self, fields, ("landmarks",)),
            size=size_of_targets(self, fields),
            between=self.interpolation,
            fill=self.fill,
            mask_fills=mask_fills(self.mask_fill, fields),
        )
        return PolicySample(draw, ranges, mover)
