"""CK+, as handed out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, PositiveInt
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.expression_files import SubjectFolds

if TYPE_CHECKING:
    from netcfg.datasets.sources.expressions import Face


class CkPlus(SubjectFolds, name="ck_plus"):
    """CK+ as it is handed out: sequences from neutral to an expression, of which the last pictures are taken.

    `cohn-kanade-images/S005/001/S005_001_00000011.png`, the expression of a sequence in
    `Emotion/S005/001/S005_001_00000011_emotion.txt` (sequences without one are left out), 68 landmarks a picture in
    `Landmarks/S005/001/S005_001_00000011_landmarks.txt`, for those who read them. A sequence's first pictures are
    neutral. The sorted subjects are tested in turn, `tested_subjects` of them in each fold.

    Fields: `image` 3×S×S, `emotion` and `subject` a class, `landmarks` 68×2 in its pixels (x, y).
    Source: Lucey et al., "The Extended Cohn-Kanade Dataset", 2010.
    Example::

        [ck_plus]
        path = data/CK+
        fold = 0
    """

    looks_like: ClassVar[str] = "`cohn-kanade-images` and `Emotion`"

    peaks: PositiveInt = Option(
        3, description="how many pictures at the end of a sequence show its expression"
    )
    neutrals: Annotated[int, Option(ge=0)] = Option(
        1, description="how many at its beginning are neutral; 0 leaves that expression out"
    )

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its two folders."""
        parts = (folder / "cohn-kanade-images", folder / "Emotion")
        return Found({"path": str(folder)}) if all(part.is_dir() for part in parts) else None

    def fields(self) -> dict[str, FieldSpec]:
        """With landmarks."""
        return super().fields() | {"landmarks": FieldSpec((68, 2), "landmarks")}

    def example(self, folder: Path) -> Self:
        """Some subjects with a sequence of each expression."""
        from netcfg.datasets.sources.example_folders import write_ck_plus

        write_ck_plus(folder)
        return self.model_copy(update={"path": str(folder), "tested_subjects": 1, "validation_subjects": 1})

    def all_faces(self) -> Sequence[Face]:
        """The last and the first pictures of the sequences that have an expression."""
        from netcfg.datasets.sources.expressions import ck_plus_faces

        return ck_plus_faces(self.folder(), self.peaks, self.neutrals, self.emotions)
