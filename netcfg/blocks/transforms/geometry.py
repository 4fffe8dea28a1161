"""Transforms that move what a picture shows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import (
    PICTURES,
    Augmentation,
    Least,
    Transform,
    expect_pictures,
    picture_size,
    targets,
)
from netcfg.blocks.transforms.moving import expect_one_size
from netcfg.shapes import Shape, Symbolic

if TYPE_CHECKING:
    from collections.abc import Callable

FACE_POINTS = 68


class Resize(Transform, name="resize"):
    """Scale pictures to a fixed size, whatever their proportions; landmarks move along, masks take the nearest class.

    With `shorter_side` they keep their proportions instead, until a crop makes them equal.
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
        (), description="the new side in pixels, or height, width"
    )
    shorter_side: Annotated[int, Option(ge=1, le=4_096)] | None = Option(
        None, description="in the place of `size`: what the shorter side becomes, in pixels"
    )
    interpolation: Literal["auto", "nearest", "linear", "area", "lanczos"] = Option(
        "auto", description="between pixels; auto: by area where it shrinks, linear where it grows"
    )

    def conflict(self) -> str | None:
        """One side, or two, or the shorter one."""
        if self.shorter_side is not None:
            return "has both `size` and `shorter_side`" if self.size else None
        if len(self.size) in (1, 2):
            return None
        if not self.size:
            return "does not say to what size: write `size` or `shorter_side`"
        return f"has {len(self.size)} numbers in `size` for height and width"

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Pictures take the new height and width."""
        expect_pictures(self, fields)
        changed = targets(self, fields, PICTURES)
        if self.shorter_side is None:
            sizes: dict[str, Shape] = dict.fromkeys(changed, (self.size[0], self.size[-1]))
        else:
            expect_one_size({name: fields[name].shape[-2:] for name in changed})
            sizes = {name: _in_proportion(fields[name].shape[-2:], self.shorter_side) for name in changed}
        return {
            name: spec._replace(shape=(*spec.shape[:-2], *sizes[name])) if name in changed else spec
            for name, spec in fields.items()
        }

    def least(self) -> "Least | None":
        """The new size; of `nearest` all pixels matter, as it mixes none."""
        from netcfg.datasets.transforms.geometry import LeastForSize

        return None if self.interpolation == "nearest" else LeastForSize(self._size, self.shorter_side)

    @property
    def _size(self) -> tuple[int, int]:
        """Height and width; zeros where only the shorter side is said."""
        return (self.size[0], self.size[-1]) if self.size else (0, 0)

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.geometry import ResizeSample

        return ResizeSample(
            pictures=targets(self, fields, ("image", "flow")),
            points=targets(self, fields, ("landmarks",)),
            source=picture_size(fields),
            size=self._size,
            interpolation=self.interpolation,
            masks=targets(self, fields, ("mask",)),
            maps=targets(self, fields, ("map",)),
            shorter=self.shorter_side,
        )


def _in_proportion(size: Shape, side: int) -> Shape:
    """Height and width of which the shorter one is `side`; without names for those that only a picture tells."""
    height, width = size
    if isinstance(height, int) and isinstance(width, int):
        return (side, side * width // height) if height <= width else (side * height // width, side)
    return Symbolic.named("height"), Symbolic.named("width")


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
            maps=targets(self, fields, ("map",)),
            pairs={name: fields[name].pairs for name in targets(self, fields, ("landmarks",))},
        )
