"""The source for one's own recordings."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field as Option
from pydantic import field_validator

from netcfg.blocks.action_units import active_label, known_action_units, unit_numbers
from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.face_files import FaceFiles, expand, label_spec
from netcfg.blocks.sources.folders import (
    CLIP_LABELS,
    clip_classes,
    has_clip_labels,
    has_media,
    holds_classes,
)
from netcfg.blocks.sources.list_files import has_lists

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class Clips(FaceFiles, name="clips"):
    """One's own recordings: a folder of videos, of folders of frames, or of both, with or without labels.

    A clip is a video or a folder of pictures, anywhere below `path`; its name is its path below it, without ending. It
    shows the subject whose folder it lies in (`anna/smile.mp4`), or, directly below `path`, whose name its own begins
    with (`anna_smile.mp4`). Frames have the last numbers in their files' names, or count from 1; those of a video count
    from 1. `labels` is a .csv with the header `clip,frame,AU1,AU2,…` and a line per frame; frames without a line, or
    with a 9 or -1 in it, are left out. Without `labels` there is no such field, and all frames are samples.

    Splits are by subject: the sorted subjects are dealt to `folds` folds in turn, one of which is the test split, and
    `validation_share` of the others (at least one, the last ones of their list) is for validation. Or by files that
    list the names of clips, a line each: `train_clips`, `validation_clips`, `test_clips`.

    With `crop = face` faces are cut out by the boxes in `Face_Boxes/anna/smile/1.txt`.

    Fields: `image` and (with `flow`) `flow` 3×S×S, `labels` one per action unit, with `intensities` those stored (0 to
    5), `subject` and `clip` a class.
    Source: netcfg's own.
    Example::

        [clips]
        path = recordings
        labels = recordings/labels.csv
        action_units = 6, 12
    """

    carries: ClassVar[tuple[str, ...]] = ("intensities", "image_size", "folds", "fold", "validation_share")
    looks_like: ClassVar[str] = "videos, or folders of frames in folders of subjects"

    crop: Literal["face", "levelled", "none"] = Option(
        "none",
        description="`none`: whole frames; `face`: by `boxes`, or the middle; `levelled`: the same here",
    )
    labels: str | None = Option(None, description="the .csv file of labels")
    action_units: tuple[str, ...] | None = Option(
        None, description="`bp4d`, `disfa`, `disfa8`, or numbers: which of the labels' units"
    )
    intensities: bool = Option(False, description="labels are intensities from 0 to 5, and are divided by 5")
    folds: Annotated[int, Option(ge=2, le=1_000)] = Option(
        3, description="in how many parts the subjects fall"
    )
    fold: Annotated[int, Option(ge=0)] = Option(0, description="the part that is the test split, from 0")
    validation_share: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.25, description="the part of the other subjects that is the validation split"
    )
    train_clips: str | None = Option(None, description="the file of names of the clips to train on")
    validation_clips: str | None = Option(None, description="the file of those for validation")
    test_clips: str | None = Option(None, description="the file of those to test on")

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if written is None else known_action_units(written)

    def conflict(self) -> str | None:
        """Labels are of some units; lists of clips come together."""
        if self.labels is not None and self.action_units is None:
            return "has `labels`, and does not say of which `action_units`"
        if self.labels is None and self.action_units is not None:
            return "has `action_units` without a file of `labels`"
        if self.fold >= self.folds:
            return f"has the folds 0 to {self.folds - 1}, and `fold` is {self.fold}"
        lists = (self.train_clips, self.validation_clips, self.test_clips)
        if None in lists and lists != (None, None, None):
            return "needs all three lists of clips: `train_clips`, `validation_clips` and `test_clips`"
        return super().conflict()

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its content: any videos or folders of pictures, unless these look like classes."""
        if not has_clip_labels(folder) and (
            holds_classes(folder) or clip_classes(folder) or has_lists(folder)
        ):
            return None
        return cls.reads(folder)

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any videos or folders of pictures."""
        if not has_media(folder):
            return None
        labels = folder / CLIP_LABELS
        if labels.is_file():
            read = {"path": str(folder), "labels": str(labels)}
            return Found(read, is_sure=False, adopts=("action_units",))
        lacks = (
            f"these clips have no `{CLIP_LABELS}` beside them, and so no field `labels`",
            "write one, with the header `clip,frame,AU1,AU2,…` and a line per frame",
        )
        return Found({"path": str(folder)}, is_sure=False, lacks=lacks, lacking=("labels",))

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels; none without labels."""
        return () if self.action_units is None else unit_numbers(self.action_units)

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown: half, or an intensity of 2 (of 5)."""
        return active_label(self.intensities)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give."""
        fields = self.picture_fields()
        if self.labels is not None:
            fields["labels"] = label_spec(self.units)
            if self.intensities:
                fields["intensities"] = label_spec(self.units)
        return fields

    def example(self, folder: Path) -> Self:
        """Recordings of six people, with labels."""
        from netcfg.datasets.sources.example_folders import write_clips

        labels = write_clips(folder, unit_numbers(self.action_units or ()))
        return self.model_copy(update={"path": str(folder), "labels": str(labels)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The data set of one split; labels and names of pictures are read and checked at once."""
        from netcfg.datasets.samples.clip_pictures import Labelling
        from netcfg.datasets.samples.clip_sources import open_clips
        from netcfg.datasets.sources import own_clips

        labels = None if self.labels is None else expand(self.labels)
        most = 5 if self.intensities else 1
        database = own_clips.find_database(self.folder(), labels, self.units, most)
        lists = (self.train_clips, self.validation_clips, self.test_clips)
        if all(lists):
            chosen = own_clips.listed_clips(database, [expand(str(name)) for name in lists], split)
        else:
            chosen = own_clips.dealt_clips(database, split, self.folds, self.fold, self.validation_share)
        labelling = Labelling(scale=5 if self.intensities else 1)
        return open_clips(database, chosen, split, fields, self.handling(labelling))
