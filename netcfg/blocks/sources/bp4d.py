"""BP4D, as handed out or by lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field as Option
from pydantic import field_validator

from netcfg.blocks.action_units import AU_SETS, known_action_units, unit_numbers
from netcfg.blocks.fields import FieldSpec, PositiveInt, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.face_files import FOLDS, FaceFiles, expect_folder, label_spec
from netcfg.blocks.sources.folders import has

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class Bp4d(FaceFiles, name="bp4d"):
    """BP4D as it is handed out, or by AUNets' lists of face crops; labels are 0 or 1.

    As handed out: `AUCoding/F001_T1.csv`, frames in `2D+3D/F001/T1`, `Sequences/F001/T1` or `F001/T1`, landmarks (if
    any) in `Landmark_Points/F001/T1`, face boxes (if any) in `Face_Boxes/F001/T1/2440.txt`. Frames with a unit that
    was not coded (9) are left out. Test subjects are those of AUNets' and DRML's three folds; for validation is the
    training subject at place fold + 2 (from 0) of their sorted list.

    By lists: `lists/normal/fold_0/AU12/train.txt` (val.txt, test.txt), lines `path label`; for several units the lists
    of these units together, or `fold_0/train.txt`, lines `path` and twelve labels. A path leads to a face crop; flow is
    in the file whose path has `Faces_Flow` in the place of `Faces`. Paths of another machine are looked for from
    `Faces` on, below `path`. A mirrored copy (`…_flip/…`) that is not there is made of its original.

    Fields: `image` and (with lists, or with `flow`) `flow` 3×S×S, `labels` one per action unit, `subject` and `clip` a
    class.
    Source: Zhang et al., "BP4D-Spontaneous", 2014; AUNets.
    Example::

        [bp4d]
        path = data/BP4D
        action_units = 12
        fold = 0
    """

    places: ClassVar[tuple[str, ...]] = ("path", "lists")
    carries: ClassVar[tuple[str, ...]] = ("action_units", "image_size", "fold")
    labelled: ClassVar[tuple[int, ...] | None] = AU_SETS["bp4d"]
    looks_like: ClassVar[str] = "`AUCoding`, or lists in `normal/fold_0`"

    action_units: tuple[str, ...] = Option(
        ("bp4d",), description="`bp4d` (twelve), or the numbers of action units"
    )
    fold: Annotated[int, Option(ge=0, lt=FOLDS)] = Option(
        0, description="whose subjects are the test split: 0, 1 or 2"
    )
    validation_subjects: PositiveInt = Option(1, description="how many training subjects are for validation")
    lists: str | None = Option(None, description="AUNets' folder of lists; None: BP4D as it is handed out")
    mode: Literal["normal", "aligned"] = Option("normal", description="with `lists`, which of them")

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return known_action_units(written)

    def conflict(self) -> str | None:
        """What lists name is cut out already, and in its split already."""
        settled = (
            "boxes", "flow", "crop", "every", "validation_subjects", "first_frame", "first_label", "pair_by",
        )  # fmt: skip
        written = self.options()
        given = [key for key in settled if key in written]
        if self.lists is not None and given:
            return f"reads `lists` of face crops, for which `{given[0]}` says nothing: leave one of them out"
        return super().conflict()

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its folder of codings, or by AUNets' folders of lists."""
        if has(folder, "AUCoding", "AU_OCC"):
            return Found({"path": str(folder)})
        modes = ("", "normal/", "aligned/")
        has_lists = any(next(folder.glob(f"{mode}fold_*/"), None) is not None for mode in modes)
        return Found({"lists": str(folder)}) if has_lists else None

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels."""
        return unit_numbers(self.action_units)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give."""
        fields = self.picture_fields()
        if self.lists is not None:
            fields["flow"] = FieldSpec((3, self.image_size, self.image_size), "flow")
        return fields | {"labels": label_spec(self.units)}

    def example(self, folder: Path) -> Self:
        """Some subjects of each fold, as BP4D is handed out."""
        from netcfg.datasets.sources.example_folders import write_bp4d

        write_bp4d(folder, self.units)
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The data set of one split; labels and names of pictures are read and checked at once."""
        return self._open_database(split, fields) if self.lists is None else self._open_lists(split, fields)

    def _open_database(self, split: Split, fields: Sequence[str]) -> "Samples":
        from netcfg.datasets.samples.clip_pictures import Labelling
        from netcfg.datasets.samples.clip_sources import clips_of_subjects, open_clips
        from netcfg.datasets.samples.subject_folds import BP4D_FOLDS, subjects_of_split
        from netcfg.datasets.sources import databases

        database = databases.bp4d(self.folder(), self.units)
        tested = BP4D_FOLDS[self.fold]
        subjects = subjects_of_split(database.subjects, split, tested, self.fold, self.validation_subjects)
        chosen = clips_of_subjects(database, subjects)
        return open_clips(database, chosen, split, fields, self.handling(Labelling()))

    def _open_lists(self, split: Split, fields: Sequence[str]) -> "Samples":
        from netcfg.datasets.sources.aunets_lists import Lists
        from netcfg.datasets.sources.listed_faces import Crops, open_lists

        assert self.lists is not None
        lists = expect_folder(self.lists)
        around = lists.absolute().parent if lists.name == self.mode else lists
        folder = around if self.path is None else self.folder()
        crops = Crops(folder, self.image_size, self.missing, self.on_error == "skip", self.reading())
        return open_lists(Lists(lists, self.mode, self.fold, self.units), crops, split, fields)
