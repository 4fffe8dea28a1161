"""AffectNet, as handed out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.expression_files import ExpressionFiles

if TYPE_CHECKING:
    from netcfg.datasets.sources.expressions import Face

LISTS = ("training.csv", "validation.csv")


class Affectnet(ExpressionFiles, name="affectnet"):
    """AffectNet, or a folder like it: two lists of pictures with an expression each, and the folder of pictures.

    `training.csv` and `validation.csv`, in the folder or below it, have a row a picture with the columns
    `subDirectory_filePath` and `expression` (0 to 7 in AffectNet's order; rows of no face, none or uncertain, 8 to 10,
    are left out), and the face as `face_x`, `face_y`, `face_width`, `face_height` where these are there. The pictures
    of `training.csv` are for training but for a part of each expression, which is for validation; those of
    `validation.csv` are the test. Whose faces they are is not known.

    Fields: `image` 3×S×S, `emotion` a class.
    Source: Mollahosseini et al., "AffectNet", 2017.
    Example::

        [affectnet]
        path = data/AffectNet
    """

    carries: ClassVar[tuple[str, ...]] = ("image_size", "emotions")
    looks_like: ClassVar[str] = "`training.csv` with a column `subDirectory_filePath`"

    images: str | None = Option(
        None, description="the folder of the pictures; None: the one given, or one in it where they lie"
    )
    validation_share: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.05, description="the part of the training pictures of each expression that is for validation"
    )
    seed: Annotated[int, Option(ge=0, lt=2**31)] = Option(0, description="of which pictures these are")

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its list."""
        for place in (
            folder,
            folder / "Manually_Annotated_file_lists",
            folder / "Manually_annotated_file_lists",
        ):
            try:
                with (place / LISTS[0]).open(encoding="utf-8", errors="replace") as file:
                    if "subDirectory_filePath" in file.readline(4_096):
                        return Found({"path": str(folder)})
            except OSError:
                continue
        return None

    def fields(self) -> dict[str, FieldSpec]:
        """Without subjects."""
        return {name: spec for name, spec in super().fields().items() if name != "subject"}

    def example(self, folder: Path) -> Self:
        """Some pictures of each expression."""
        from netcfg.datasets.sources.example_folders import write_affectnet

        write_affectnet(folder)
        return self.model_copy(update={"path": str(folder), "validation_share": 0.5})

    def faces(self, split: Split) -> Sequence[Face]:
        """Those of the split's list."""
        from netcfg.datasets.sources.expressions import affectnet_faces

        images = None if self.images is None else Path(self.images)
        return affectnet_faces(self.folder(), split, images, self.validation_share, self.seed, self.emotions)
