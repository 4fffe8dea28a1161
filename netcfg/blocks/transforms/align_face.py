"""Faces brought to one place and size by their points."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.base import Transform, targets
from netcfg.blocks.transforms.heatmaps import POINTS, POINTS_HELP
from netcfg.shapes import show
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


class AlignFace(Transform, name="align_face"):
    """Turn, move and scale a face by its 68 points as in FFHQ, the faces that StyleGAN2 has learned to draw.

    The picture becomes a square about the eyes and the mouth: its horizontal is the mean of the line between the eyes
    and of that across the line from the eyes to the mouth, its side four times the distance of the eyes, or 3.6 times
    that of eyes and mouth, whichever is larger, its middle a tenth of the way from the eyes to the mouth. Beyond its
    edges a picture is mirrored. Points, masks and other pictures move along.

    The points come with the data (`landmarks`): netcfg finds none in pictures. dlib, OpenFace, face_alignment and
    others write them; [image_list] reads them from a list's columns or from a file beside each picture.
    Shapes: (3, H, W) -> (3, size, size).
    Source: Karras, Laine, Aila, "A Style-Based Generator Architecture", 2019, the preparation of FFHQ, without its blur
    of what is mirrored; FG-Net aligns BP4D and DISFA so.
    Example::

        [align_face]
        size = 16
    """

    size: Annotated[int, Option(ge=8, le=4_096)] = Option(256, description="the new side in pixels")
    input: str = Option("image", description="the picture in whose pixels the points are")
    points: str = Option("landmarks", description="the field of 68 points")
    zoom: Annotated[float, Option(gt=0, le=16)] = Option(
        1.0, description="how much larger a face is than in FFHQ"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Pictures take the new size. Raises `ShapeError` where there is no such picture, or other points."""
        for option, kind, what in (
            ("input", "image", "pictures"),
            ("points", "landmarks", "points of a face"),
        ):
            name = {"input": self.input, "points": self.points}[option]
            if name not in fields or fields[name].kind != kind:
                known = [other for other, spec in fields.items() if spec.kind == kind]
                lack = "which the data do not have" if name not in fields else f"which holds no {what}"
                raise ShapeError(
                    f"reads {what} from `{name}`, {lack}",
                    option=option if option in self.model_fields_set else None, code="NC501",
                    help=did_you_mean(name, known) or (POINTS_HELP if option == "points" else f"a source of {what}"),
                )  # fmt: skip
        if len(fields[self.input].shape) != 3:
            raise ShapeError(
                f"aligns one face, and `{self.input}` is a clip of {show(fields[self.input].shape)}"
            )
        given = fields[self.points].shape
        if given != (POINTS, 2):
            raise ShapeError(
                f"aligns a face by its 68 points, and `{self.points}` is {show(given)}",
                option="points" if "points" in self.model_fields_set else None, code="NC502",
                help="a source that gives 68 points, in the order of iBUG's scheme",
            )  # fmt: skip
        changed = self._moved(fields)
        return {
            name: spec._replace(shape=(*spec.shape[:-2], self.size, self.size)) if name in changed else spec
            for name, spec in fields.items()
        }

    def _moved(self, fields: Mapping[str, FieldSpec]) -> tuple[str, ...]:
        """The pictures and masks of the size that the points are in."""
        size = fields[self.input].shape[-2:] if self.input in fields else ()
        return tuple(
            name
            for name in targets(self, fields, ("image", "mask"))
            if fields[name].shape[-2:] == size
            and len(fields[name].shape) == 3 - (fields[name].kind == "mask")
        )

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The points and the picture that they are in, too."""
        return tuple(dict.fromkeys([*wanted, self.input, self.points]))

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.align_face import AlignSample

        moved = self._moved(fields)
        return AlignSample(
            input=self.input,
            points=self.points,
            pictures=tuple(name for name in moved if fields[name].kind == "image"),
            masks=tuple(name for name in moved if fields[name].kind == "mask"),
            size=self.size,
            zoom=self.zoom,
        )
