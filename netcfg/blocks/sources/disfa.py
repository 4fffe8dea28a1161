"""DISFA, as handed out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field as Option
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from netcfg.blocks.action_units import AU_SETS, active_label, known_action_units, unit_numbers
from netcfg.blocks.fields import FieldSpec, PositiveInt, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.face_files import FOLDS, FaceFiles, label_spec
from netcfg.blocks.sources.folders import has

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class Disfa(FaceFiles, name="disfa"):
    """DISFA as it is handed out; labels are occurrence or intensity.

    `ActionUnit_Labels/SN001/SN001_au1.txt`, lines `frame,intensity`; videos in `Videos_LeftCamera`, named like
    `LeftVideoSN001_comp.avi`, or folders of their frames; landmarks (if any) below `Landmark_Points/SN001`, face boxes
    (if any) in `Face_Boxes/SN001/1.txt`. Videos are unpacked to pictures before the first epoch, once, as training
    shows frames in any order: 130,000 frames take some 20 GB. A subject's video is one clip.

    Test subjects are those of the three folds of JAA-Net and most work since, nine each; of the other 18, those from
    place fold + 2 (from 0) of their sorted list on are for validation.

    Fields: `image` and (with `flow`) `flow` 3×S×S, `labels` one per action unit, `intensities` as stored (0 to 5),
    `subject` and `clip` a class.
    Source: Mavadati et al., "DISFA", 2013; Shao et al., "Deep Adaptive Attention for Joint Facial Action Unit Detection
    and Face Alignment", 2018 (the folds).
    Example::

        [disfa]
        path = data/DISFA
        action_units = disfa8
        fold = 0
    """

    carries: ClassVar[tuple[str, ...]] = (
        "action_units", "intensities", "occurrence_threshold", "image_size", "fold",
    )  # fmt: skip
    labelled: ClassVar[tuple[int, ...] | None] = AU_SETS["disfa"]
    looks_like: ClassVar[str] = "`ActionUnit_Labels`"

    action_units: tuple[str, ...] = Option(
        ("disfa",), description="`disfa` (twelve), `disfa8`, or the numbers of action units"
    )
    intensities: bool = Option(False, description="labels are intensities divided by 5, not 0 or 1")
    occurrence_threshold: Annotated[int, Option(ge=1, le=5)] = Option(
        2, description="the intensity (0 to 5) from which an action unit counts as present"
    )
    fold: Annotated[int, Option(ge=0, lt=FOLDS)] = Option(
        0, description="whose subjects are the test split: 0, 1 or 2"
    )
    validation_subjects: PositiveInt = Option(3, description="how many training subjects are for validation")

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        units = known_action_units(written)
        known = AU_SETS["disfa"]
        if not set(unit_numbers(units)) <= set(known):
            raise PydanticCustomError(
                "unknown_unit", "`disfa`, `disfa8`, or different numbers out of " + ", ".join(map(str, known))
            )
        return units

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its folder of labels."""
        return Found({"path": str(folder)}) if has(folder, "ActionUnit_Labels") else None

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels."""
        return unit_numbers(self.action_units)

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown."""
        return (self.occurrence_threshold - 0.5) / 5 if self.intensities else active_label(False)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give."""
        labels = label_spec(self.units)
        return self.picture_fields() | {"labels": labels, "intensities": labels}

    def example(self, folder: Path) -> Self:
        """Some subjects of each fold, as DISFA is handed out."""
        from netcfg.datasets.sources.example_folders import write_disfa

        write_disfa(folder, self.units)
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The data set of one split; labels and names of pictures are read and checked at once."""
        from netcfg.datasets.samples.clip_pictures import Labelling
        from netcfg.datasets.samples.clip_sources import clips_of_subjects, open_clips
        from netcfg.datasets.samples.subject_folds import DISFA_FOLDS, subjects_of_split
        from netcfg.datasets.sources import databases

        database = databases.disfa(self.folder(), units=self.units)
        tested = DISFA_FOLDS[self.fold]
        subjects = subjects_of_split(database.subjects, split, tested, self.fold, self.validation_subjects)
        labelling = Labelling(scale=5) if self.intensities else Labelling(threshold=self.occurrence_threshold)
        chosen = clips_of_subjects(database, subjects)
        return open_clips(database, chosen, split, fields, self.handling(labelling))
