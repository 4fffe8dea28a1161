"""What sources of pictures with an expression each have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.action_units import EMOTIONS
from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt, Split
from netcfg.blocks.sources.base import Source
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples
    from netcfg.datasets.sources.expressions import Face


class ExpressionFiles(Source):
    """Pictures of faces, an expression each. A subclass lists its faces of all splits (`faces`)."""

    carries: ClassVar[tuple[str, ...]] = ("image_size", "emotions", "fold")

    path: str | None = Option(
        None, description="the folder, from where netcfg is started; None: the one given with `--data`"
    )
    image_size: ImageSize = Option(128, description="height and width of the pictures, in pixels")
    emotions: Annotated[int, Option(ge=7, le=8)] = Option(7, description="with contempt (8) or without (7)")
    missing: Literal["stop", "skip"] = Option(
        "stop", description="what to do about pictures that are not there"
    )

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give."""
        size = self.image_size
        return {
            "image": FieldSpec((3, size, size), "image"),
            "emotion": FieldSpec((), "class", EMOTIONS[: self.emotions]),
            "subject": FieldSpec((), "class"),
        }

    def folder(self) -> Path:
        """Its folder. Raises `NetcfgError` where none is given."""
        if self.path is None:
            raise NetcfgError(
                f"[{self.type_name}] has no `path`\nhelp: write it, or give the folder with `--data`",
                code="NC506",
            )
        return Path(self.path)

    def faces(self, split: Split) -> Sequence[Face]:
        """The faces of a split. Raises `NetcfgError` where the folder is not what it should be."""
        raise NotImplementedError

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The samples of one split."""
        from netcfg.datasets.sources.expressions import open_faces

        return open_faces(
            self.faces(split),
            split,
            fields,
            folder=self.folder(),
            size=self.image_size,
            names=EMOTIONS[: self.emotions],
            skips_missing=self.missing == "skip",
        )


class SubjectFolds(ExpressionFiles):
    """Those whose faces tell whose they are: no subject is in two splits.

    The sorted subjects are tested in turn, `tested_subjects` of them in each fold; `validation_subjects` of the others
    are for validation.
    """

    fold: Annotated[int, Option(ge=0)] = Option(0, description="whose subjects are the test split, from 0")
    tested_subjects: PositiveInt = Option(10, description="how many subjects each fold tests")
    validation_subjects: PositiveInt = Option(10, description="how many of the others are for validation")

    def all_faces(self) -> Sequence[Face]:
        """The faces of all subjects."""
        raise NotImplementedError

    def faces(self, split: Split) -> Sequence[Face]:
        """Those of the split's subjects."""
        from netcfg.datasets.sources.expressions import faces_of_split

        return faces_of_split(
            self.all_faces(), split, self.fold, self.tested_subjects, self.validation_subjects, self.folder()
        )
