"""Sources that read face databases and clips as they are handed out: files on disk, cut to the face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from netcfg.blocks.data import AU_SETS, ImageSize, active_label, known_action_units, unit_numbers
from netcfg.blocks.kinds import FieldSpec, PositiveInt, Source, Split
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.datasets.clip_sources import Handling
    from netcfg.datasets.face_samples import Labelling

FOLDS = 3


class FaceFiles(Source):
    """What all sources share whose pictures are frames of clips in files."""

    has_clips: ClassVar[bool] = True

    path: str | None = Option(
        None, description="the folder, from where netcfg is started; None: the one given with `--data`"
    )
    image_size: ImageSize = Option(256, description="height and width that faces are brought to, in pixels")
    every: PositiveInt = Option(1, description="of each clip's labelled frames take every so many")
    crop: Literal["face", "levelled", "none"] = Option(
        "face",
        description="`face`: by the face box, or else the square around the landmarks; `levelled`: that square after "
        "the eyes are turned level; where neither is known, the middle of the frame; `none`: whole frames",
    )
    boxes: str | None = Option(
        None,
        description="a folder of face boxes, each a file of four lines: first row, last row, columns likewise",
    )
    flow: str | None = Option(
        None,
        description="a folder of flow pictures, laid out and named like the frames, as `netcfg flow` writes them: the "
        "field `flow`",
    )
    missing: Literal["stop", "black", "skip"] = Option(
        "stop", description="what to do about labelled frames without a picture; `black`: show a black one"
    )
    on_error: Literal["stop", "skip"] = Option(
        "stop",
        description="what to do about broken pictures; `skip` reads all of them before the first epoch",
    )
    cache: str | None = Option(
        None,
        description="where videos are unpacked to, once; None: `frames` in netcfg's own, `$NETCFG_CACHE` or "
        "`~/.cache/netcfg`",
    )

    def conflict(self) -> str | None:
        """Frames that are turned no longer fit their flow."""
        if self.crop == "levelled" and self.flow is not None:
            return "turns faces (`crop = levelled`), and the pictures in `flow` are not turned: `crop = face`"
        return None

    def picture_fields(self) -> dict[str, FieldSpec]:
        """What every source of frames can give."""
        size = self.image_size
        fields = {"image": FieldSpec((3, size, size), "image")}
        if self.flow is not None:
            fields["flow"] = FieldSpec((3, size, size), "flow")
        return fields | {"subject": FieldSpec((), "class"), "clip": FieldSpec((), "class")}

    def folder(self) -> Path:
        """Where the data lie. Raises `NetcfgError` where nobody says it."""
        if self.path is None:
            raise NetcfgError(
                f"[{self.type_name}] does not say where its folder is\n"
                "help: `netcfg train FILE --data DIR`, or `path = DIR` in the file"
            )
        return expect_folder(self.path)

    def handling(self, labelling: Labelling) -> Handling:
        """How its frames become samples."""
        from netcfg.datasets.clip_sources import Handling

        return Handling(
            size=self.image_size,
            crop=self.crop,
            every=self.every,
            boxes=self._boxes_folder(),
            flow=None if self.flow is None else expect_folder(self.flow),
            missing=self.missing,
            skips_broken=self.on_error == "skip",
            cache=None if self.cache is None else expand(self.cache),
            labelling=labelling,
        )

    def _boxes_folder(self) -> Path | None:
        if self.boxes is not None:
            return expect_folder(self.boxes)
        usual = self.folder() / "Face_Boxes"
        return usual if usual.is_dir() else None


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
        settled = ("boxes", "flow", "crop", "every", "validation_subjects")
        given = [key for key in settled if getattr(self, key) != type(self).model_fields[key].default]
        if self.lists is not None and given:
            return f"reads `lists` of face crops, for which `{given[0]}` says nothing: leave one of them out"
        return super().conflict()

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

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """The data set of one split; labels and names of pictures are read and checked at once."""
        return self._open_database(split, fields) if self.lists is None else self._open_lists(split, fields)

    def _open_database(self, split: Split, fields: Sequence[str]) -> Any:
        from netcfg.datasets import databases
        from netcfg.datasets.clip_sources import clips_of_subjects, open_clips
        from netcfg.datasets.face_samples import Labelling
        from netcfg.datasets.subject_folds import BP4D_FOLDS, subjects_of_split

        database = databases.bp4d(self.folder(), self.units)
        tested = BP4D_FOLDS[self.fold]
        subjects = subjects_of_split(database.subjects, split, tested, self.fold, self.validation_subjects)
        chosen = clips_of_subjects(database, subjects)
        return open_clips(database, chosen, split, fields, self.handling(Labelling()))

    def _open_lists(self, split: Split, fields: Sequence[str]) -> Any:
        from netcfg.datasets.aunets_lists import Lists
        from netcfg.datasets.listed_faces import Crops, open_lists

        assert self.lists is not None
        lists = expect_folder(self.lists)
        around = lists.absolute().parent if lists.name == self.mode else lists
        folder = around if self.path is None else self.folder()
        crops = Crops(folder, self.image_size, self.missing, self.on_error == "skip")
        return open_lists(Lists(lists, self.mode, self.fold, self.units), crops, split, fields)


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

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """The data set of one split; labels and names of pictures are read and checked at once."""
        from netcfg.datasets import databases
        from netcfg.datasets.clip_sources import clips_of_subjects, open_clips
        from netcfg.datasets.face_samples import Labelling
        from netcfg.datasets.subject_folds import DISFA_FOLDS, subjects_of_split

        database = databases.disfa(self.folder(), units=self.units)
        tested = DISFA_FOLDS[self.fold]
        subjects = subjects_of_split(database.subjects, split, tested, self.fold, self.validation_subjects)
        labelling = Labelling(scale=5) if self.intensities else Labelling(threshold=self.occurrence_threshold)
        chosen = clips_of_subjects(database, subjects)
        return open_clips(database, chosen, split, fields, self.handling(labelling))


def label_spec(units: Sequence[int]) -> FieldSpec:
    """Labels with one number for each action unit."""
    return FieldSpec((len(units),), "vector", tuple(f"AU{unit}" for unit in units))


def expect_folder(written: str) -> Path:
    """A folder that is there. Raises `NetcfgError`."""
    folder = expand(written)
    if not folder.is_dir():
        raise NetcfgError(
            f"there is no folder {shown_path(folder)}\nhelp: paths count from where netcfg is started"
        )
    return folder


def expand(written: str) -> Path:
    """A path as a person writes it: `~` is their home."""
    return Path(written).expanduser()
