"""BU-3DFE, as handed out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.expression_files import SubjectFolds

if TYPE_CHECKING:
    from netcfg.datasets.sources.expressions import Face


class Bu3dfe(SubjectFolds, name="bu_3dfe"):
    """BU-3DFE as it is handed out: the frontal pictures of a hundred people, six expressions of four strengths.

    `F0001/F0001_HA03WH_F2D.bmp`: subject, expression (AN, DI, FE, HA, NE, SA, SU), strength, and a code of origin.
    Other files are not read. It has no contempt. The sorted subjects are tested in turn, `tested_subjects` of them in
    each fold: ten folds of ten.

    Fields: `image` 3×S×S, `emotion` and `subject` a class.
    Source: Yin et al., "A 3D Facial Expression Database for Facial Behavior Research", 2006.
    Example::

        [bu_3dfe]
        path = data/BU_3DFE
        fold = 0
    """

    looks_like: ClassVar[str] = "`F0001` with `F0001_AN01WH_F2D.bmp` in it"

    strengths: tuple[Annotated[int, Option(ge=1, le=4)], ...] = Option(
        (1, 2, 3, 4), description="which strengths are taken, 1 to 4; neutral faces have none"
    )

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By the name of a first picture."""
        from netcfg.blocks.sources.folders import has

        first = [folder / name for name in ("F0001", "M0001", "F0002", "M0002") if has(folder, name)]
        return Found({"path": str(folder)}) if any(any(one.glob("*_F2D.*")) for one in first) else None

    def example(self, folder: Path) -> Self:
        """Some subjects with all expressions."""
        from netcfg.datasets.sources.example_folders import write_bu_3dfe

        write_bu_3dfe(folder)
        return self.model_copy(update={"path": str(folder), "tested_subjects": 1, "validation_subjects": 1})

    def all_faces(self) -> Sequence[Face]:
        """The frontal pictures of the strengths that are taken."""
        from netcfg.datasets.sources.expressions import bu_3dfe_faces

        return bu_3dfe_faces(self.folder(), self.strengths)
