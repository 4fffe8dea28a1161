"""Drawn faces: the data that everyone has."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option
from pydantic import field_validator

from netcfg.blocks.action_units import EMOTIONS, active_label, known_action_units, unit_numbers
from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt, Split
from netcfg.blocks.flow_choices import FlowMethod
from netcfg.blocks.sources.base import Source
from netcfg.source import NetcfgError

FACE_PARTS = ("background", "skin", "brows", "eyes", "nose", "lips", "mouth", "hair")
"""What the field `parts` tells apart, by number; as `netcfg.datasets.faces.parts` draws them."""

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples
    from netcfg.datasets.flow.encoding import FlowPictures


class SyntheticFaces(Source, name="synthetic_faces"):
    """Drawn faces that move their action units; made on the spot, nothing to download.

    Each subject plays some clips: action units rise and fall, an emotion shows. Labels and the 68 points are
    exact by construction. Splits are by subject: each of `folds` folds leaves other subjects to the test,
    and `validation_share` of the rest to validation.

    With `samples = strongest` and `lasting` a clip is called by what only few of its `frames` show.

    Fields: `image` and `flow` 3×S×S, `frames` T×3×S×S, `labels` and `intensities` one per action unit,
    `emotion`, `subject` and `clip` a class, `landmarks` 68×2 in pixels (x, y), `tracks` T×68×2 those of `frames`,
    `parts` S×S the part of the face that each pixel shows, `intensity` one number from 0 to 1, how strong the
    expression is.
    Source: netcfg's own; the action units of BP4D, of DISFA, and the eight of DISFA that are mostly reported.
    Example::

        [synthetic_faces]
        subjects = 24
        image_size = 64
        action_units = 6, 12
    """

    has_clips: ClassVar[bool] = True
    places: ClassVar[tuple[str, ...]] = ()
    called_otherwise: ClassVar[Mapping[str, str]] = {"labels_are_intensities": "intensities"}

    subjects: Annotated[int, Option(ge=3, le=100_000)] = Option(24, description="how many people")
    clips: PositiveInt = Option(4, description="clips of each subject")
    clip_length: Annotated[int, Option(ge=2, le=100_000)] = Option(16, description="frames of a clip")
    image_size: ImageSize = Option(224, description="height and width of the pictures, in pixels")
    zoom: Annotated[float, Option(ge=1, le=3)] = Option(
        1.0,
        description="how much nearer faces are: of a picture so many times as large, the part where faces are",
    )
    action_units: tuple[str, ...] = Option(
        ("bp4d",), description="`bp4d`, `disfa`, `disfa8`, or the numbers of action units"
    )
    occurrence_threshold: Annotated[int, Option(ge=1, le=5)] = Option(
        2, description="the intensity (0 to 5) from which an action unit counts as present"
    )
    labels_are_intensities: bool = Option(
        False, description="labels are the intensities divided by 5, from 0 to 1, not 0 or 1"
    )
    labels_are_motion: bool = Option(
        False,
        description="each unit grows over a clip or fades, the one as the other played backwards, and its label says "
        "which: a single frame tells nothing of it",
    )
    emotions: Annotated[int, Option(ge=7, le=8)] = Option(7, description="with contempt (8) or without (7)")
    frames: PositiveInt = Option(3, description="how many of a clip the fields `frames` and `tracks` show")
    samples: Literal["frames", "clips", "strongest"] = Option(
        "frames",
        description="each frame of a clip is a sample; or the clip, by its middle frame, or by the frame in which its "
        "expression is strongest",
    )
    others: Annotated[float, Option(ge=0, le=1)] = Option(
        1.0,
        description="how often units join that are not of the expression, as a part of how often they do in life",
    )
    lasting: Annotated[float, Option(gt=0, le=1)] = Option(
        1.0,
        description="the part of a clip in which its expression comes and goes, somewhere; 1: nearly all of it",
    )
    flow_method: FlowMethod = Option("dis", description="how optical flow is found")
    folds: Annotated[int, Option(ge=2, le=1_000)] = Option(
        3, description="in how many parts the subjects fall"
    )
    fold: Annotated[int, Option(ge=0)] = Option(0, description="the part that is the test split, from 0")
    validation_share: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.25, description="the part of the other subjects that is the validation split"
    )
    seed: Annotated[int, Option(ge=0, lt=2**31)] = Option(0, description="of the subjects and what they do")
    wanted: tuple[str, ...] | None = Option(
        None, alias="fields", description="the fields to make; those that are used by default"
    )

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return known_action_units(written)

    def conflict(self) -> str | None:
        """Every split needs a subject; a clip has no more frames than it has; fields must exist."""
        unknown = [name for name in self.wanted or () if name not in self._all_fields()]
        if unknown:
            return (
                f"has no field `{unknown[0]}`; it has {', '.join(f'`{name}`' for name in self._all_fields())}"
            )
        if self.labels_are_intensities and self.labels_are_motion:
            return "takes one of `labels_are_intensities` and `labels_are_motion`, and has both"
        if self.fold >= self.folds:
            return f"has the folds 0 to {self.folds - 1}, and `fold` is {self.fold}"
        tested = len(range(self.fold, self.subjects, self.folds))
        if tested < 1 or self.subjects - tested < 2:
            return (
                f"has {self.subjects} subjects in {self.folds} folds, too few for training, validation "
                "and test to have one each"
            )
        if self.lasting < 1 and self.lasting * self.clip_length < 2:
            return (
                f"shows an expression in {self.lasting * self.clip_length:.3g} frames (`lasting` of `clip_length`), "
                "and it takes two to be seen"
            )
        if self.frames > self.clip_length:
            return f"is to give {self.frames} frames of clips that have {self.clip_length}"
        return None

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels."""
        return unit_numbers(self.action_units)

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown: half, or an intensity of 2 (of 5)."""
        return active_label(self.labels_are_intensities)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give, or the ones listed in `fields`."""
        made = self._all_fields()
        return made if self.wanted is None else {name: made[name] for name in self.wanted}

    def asked_fields(self) -> Mapping[str, tuple[str, ...]]:
        """Those of `fields`."""
        return {"fields": self.wanted or ()}

    def flow_pictures(self) -> "FlowPictures":
        """By its `flow_method`."""
        from netcfg.datasets.flow.encoding import FlowPictures

        return FlowPictures(self.flow_method)

    def _all_fields(self) -> dict[str, FieldSpec]:
        size = self.image_size
        names = tuple(f"AU{unit}" for unit in self.units)
        return {
            "image": FieldSpec((3, size, size), "image"),
            "flow": FieldSpec((3, size, size), "flow"),
            "frames": FieldSpec((self.frames, 3, size, size), "image"),
            "labels": FieldSpec((len(names),), "vector", names),
            "intensities": FieldSpec((len(names),), "vector", names),
            "emotion": FieldSpec((), "class", EMOTIONS[: self.emotions]),
            "landmarks": FieldSpec((68, 2), "landmarks"),
            "tracks": FieldSpec((self.frames, 68, 2), "landmarks"),
            "parts": FieldSpec((size, size), "mask", FACE_PARTS),
            "intensity": FieldSpec((1,), "vector", ("intensity",)),
            "subject": FieldSpec((), "class"),
            "clip": FieldSpec((), "class"),
        }

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The data set of one split; drawn when asked for."""
        from netcfg.datasets.sources.synthetic_faces import SyntheticFaces as Faces

        try:
            return Faces(
                split=split,
                fields=tuple(fields),
                subjects=self.subjects,
                clips=self.clips,
                clip_length=self.clip_length,
                image_size=self.image_size,
                zoom=self.zoom,
                action_units=self.units,
                occurrence_threshold=self.occurrence_threshold,
                labels_are_intensities=self.labels_are_intensities,
                labels_are_motion=self.labels_are_motion,
                emotions=self.emotions,
                frames=self.frames,
                samples=self.samples,
                others=self.others,
                lasting=self.lasting,
                flow_method=self.flow_method,
                folds=self.folds,
                fold=self.fold,
                validation_share=self.validation_share,
                seed=self.seed,
            )
        except ValueError as error:
            raise NetcfgError(f"[synthetic_faces] {error}", code="NC502") from None
