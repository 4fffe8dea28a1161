"""Transforms that move what a picture shows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import (
    Augmentation,
    Least,
    Transform,
    expect_pictures,
    picture_size,
    targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FACE_POINTS = 68


class Resize(Transform, name="resize"):
    """Scale pictures to a fixed size, whatever their proportions; landmarks move along, masks take the nearest class.

    Shapes: (3, H, W) -> (3, size, size); clips frame by frame.
    Right below a source of pictures in files, a JPEG is decoded at a half, a quarter or an eighth of its size where
    that still is twice the new one or more: about a level of 255 from the whole picture.
    `lanczos` is Pillow's: three lobes, stretched over as many pixels as there are to one where it shrinks.
    Source: AUNets resizes its face crops to 224×224 in this way, with `lanczos`, flow like any picture.
    Example::

        [resize]
        size = 224
    """

    size: tuple[Annotated[int, Option(ge=1, le=4_096)], ...] = Option(
        description="the new side in pixels, or height, width"
    )
    interpolation: Literal["auto", "nearest", "linear", "area", "lanczos"] = Option(
        "auto", description="between pixels; auto: by area where it shrinks, linear where it grows"
    )

    def conflict(self) -> str | None:
        """One side, or two."""
        return (
            None
            if len(self.size) in (1, 2)
            else f"has {len(self.size)} numbers in `size` for height and width"
        )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Pictures take the new height and width."""
        expect_pictures(self, fields)
        height, width = self.size[0], self.size[-1]
        changed = targets(self, fields, ("image", "flow", "mask"))
        return {
            name: replace(spec, shape=(*spec.shape[:-2], height, width)) if name in changed else spec
            for name, spec in fields.items()
        }

    def least(self) -> "Least | None":
        """The new size; of `nearest` all pixels matter, as it mixes none."""
        from netcfg.datasets.transforms.geometry import LeastForSize

        return None if self.interpolation == "nearest" else LeastForSize((self.size[0], self.size[-1]))

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.geometry import ResizeSample

        return ResizeSample(
            pictures=targets(self, fields, ("image", "flow")),
            points=targets(self, fields, ("landmarks",)),
            source=picture_size(fields),
            size=(self.size[0], self.size[-1]),
            interpolation=self.interpolation,
            masks=targets(self, fields, ("mask",)),
        )


class HorizontalFlip(Augmentation, name="horizontal_flip"):
    """Mirror a sample, all its fields by one draw; or a clip frame by frame, the fields of a frame together.

    Pictures and masks are mirrored; in flow the horizontal motion also changes its sign (red, where 127 is no motion);
    landmarks change places with their counterparts of the 68-point scheme. Action units and emotions stay.
    Source: AUNets doubles its training list with mirrored copies (`_flip` folders).
    Example::

        [horizontal_flip]
        probability = 0.5
    """

    probability: Probability = Option(0.5, description="how likely a sample is mirrored")
    each_frame: bool = Option(False, description="each frame of a clip by a draw of its own")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for landmarks of which nobody says which are left and right."""
        expect_pictures(self, fields)
        for name in targets(self, fields, ("landmarks",)):
            spec = fields[name]
            if not spec.pairs and spec.shape[-2] != FACE_POINTS:
                raise ShapeError(
                    f"does not know which of the {spec.shape[-2]} landmarks of `{name}` change places: only the "
                    f"{FACE_POINTS} of the face are known",
                    help=f"let the source say their `pairs`, or leave them out: `only` without `{name}`",
                )
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.geometry import FlipSample

        return FlipSample(
            pictures=targets(self, fields, ("image",)),
            flows=targets(self, fields, ("flow",)),
            points=targets(self, fields, ("landmarks",)),
            size=picture_size(fields),
            probability=self.probability,
            each_frame=self.each_frame,
            masks=targets(self, fields, ("mask",)),
            pairs={name: fields[name].pairs for name in targets(self, fields, ("landmarks",))},
        )
