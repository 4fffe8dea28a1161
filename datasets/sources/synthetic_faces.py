"""`synthetic_faces`: drawn faces with action units, to try whole systems where no face database is at hand.

Nothing is read and nothing is written: a sample is drawn when it is asked for, and depends on nothing but the
seed, the arguments and its index. OpenCV is imported with the first picture.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.flow_choices import FlowMethod
from netcfg.blocks.samples import FramePair, Sample, Samples, SampleTable
from netcfg.datasets import faces
from netcfg.datasets.faces.expression import (
    BP4D_AUS,
    DISFA8_AUS,
    DISFA_AUS,
    EMOTIONS,
    FACE_AUS,
    Performance,
    in_motion,
    perform,
)
from netcfg.datasets.faces.identity import Identity, sample_identity
from netcfg.datasets.faces.randomness import generator
from netcfg.datasets.faces.scene import Scene, sample_scene
from netcfg.datasets.samples.tables import Columns

if TYPE_CHECKING:
    from netcfg.datasets.faces.render import Face

__all__ = [
    "BP4D_AUS",
    "DISFA8_AUS",
    "DISFA_AUS",
    "EMOTIONS",
    "FACE_AUS",
    "FIELDS",
    "SPLITS",
    "SyntheticFaces",
]

FIELDS = (
    *("image", "frames", "labels", "intensities", "emotion", "landmarks", "subject", "clip", "flow"),
    *("parts", "intensity", "tracks"),
)
SPLITS = ("train", "validation", "test", "all")

_LEAST_SIZE = 16
_FACES_AT = 0.62  # of a picture's height the middle of most faces
_CLIPS_KEPT = 256
_FACES_KEPT = 8

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Clip:
    """Everything that is fixed before the first frame of a clip is drawn."""

    identity: Identity
    scene: Scene
    performance: Performance


class _Names(Sequence[str]):
    """What samples are called, subject, clip and frame; made one by one, as there may be millions."""

    def __init__(self, faces: "SyntheticFaces") -> None:
        self._faces = faces

    def __len__(self) -> int:
        return len(self._faces)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return "_".join(map(str, self._faces.clip_of(index)))


class SyntheticFaces:
    """Map-style data set of procedurally drawn faces; one sample is one frame of one clip, or a whole clip.

    A sample holds the asked-for fields:

    - `image`: uint8 (S, S, 3), RGB, the frame, S = image_size;
    - `frames`: uint8 (T, S, S, 3), T frames spread evenly over the frame's clip, both ends included;
    - `labels`: float32 (A,), 1 where a unit's intensity is at least `occurrence_threshold`, or with
      `labels_are_intensities` the intensity divided by 5, or with `labels_are_motion` 1 where the unit grows
      over the clip, 0 where it fades;
    - `intensities`: float32 (A,), whole numbers 0..5;
    - `emotion`: int64, index into EMOTIONS; neutral where the clip's expression is weak;
    - `landmarks`: float32 (68, 2), pixels (x, y) of the iBUG points, the first pixel's centre at (0, 0);
    - `tracks`: float32 (T, 68, 2), the points of `frames`;
    - `parts`: uint8 (S, S), the part of the face that each pixel shows, index into PARTS;
    - `intensity`: float32 (1,), how strong the expression is, 0..1: the mean of its three strongest units;
    - `subject`: int64, the subject's number;
    - `clip`: int64, the clip's number, another one for each clip of each subject;
    - `flow`: uint8 (S, S, 3), optical flow to the next frame (see `optical_flow`); the last frame of a clip has
      the flow of the frame before it.

    Subjects are shuffled by the seed and dealt to `folds` folds. Fold number `fold` is the test split,
    `validation_share` of the other subjects (at least one) are for validation, the rest for training.

    With `samples = clips` a clip is one sample, by its middle frame; with `strongest` by the frame in which its
    expression is strongest.

    Errors: ValueError that names the argument; ImportError with the first picture if OpenCV does not load.
    """

    def __init__(
        self,
        *,
        split: str,
        fields: Sequence[str],
        subjects: int = 24,
        clips: int = 4,
        clip_length: int = 16,
        image_size: int = 224,
        zoom: float = 1.0,
        action_units: Sequence[int] = BP4D_AUS,
        occurrence_threshold: int = 2,
        labels_are_intensities: bool = False,
        labels_are_motion: bool = False,
        emotions: int = 7,
        frames: int = 3,
        samples: str = "frames",
        others: float = 1.0,
        lasting: float = 1.0,
        flow_method: str = "dis",
        folds: int = 3,
        fold: int = 0,
        validation_share: float = 0.25,
        seed: int = 0,
    ) -> None:
        _check_choice("split", split, SPLITS)
        _check_choice("samples", samples, ("frames", "clips", "strongest"))
        _check_choice("flow_method", flow_method, get_args(FlowMethod))
        _check_choices("fields", fields, FIELDS)
        _check_choices("action_units", action_units, FACE_AUS)
        _check_choice("emotions", emotions, (7, 8))
        _check_range("subjects", subjects, 1)
        _check_range("clips", clips, 1)
        _check_range("clip_length", clip_length, 2 if "flow" in fields or labels_are_motion else 1)
        _check_range("image_size", image_size, _LEAST_SIZE)
        _check_range("occurrence_threshold", occurrence_threshold, 1, 5)
        _check_range("frames", frames, 1, clip_length)
        _check_range("folds", folds, 2)
        _check_range("fold", fold, 0, folds - 1)
        _check_range("seed", seed, 0)
        self.split = split
        self.fields = tuple(fields)
        self.clips = clips
        self.clip_length = clip_length
        self.image_size = image_size
        self.zoom = zoom
        self.action_units = tuple(action_units)
        self.occurrence_threshold = occurrence_threshold
        self.labels_are_intensities = labels_are_intensities
        self.labels_are_motion = labels_are_motion
        self.emotions = emotions
        self.frames = frames
        self.samples = samples
        self.others = others
        self.lasting = lasting
        self.flow_method = flow_method
        self.seed = seed
        self._subjects = _deal(subjects, folds, fold, validation_share, seed)[split]
        self._units = [FACE_AUS.index(unit) for unit in self.action_units]
        self._clips: OrderedDict[tuple[int, int], _Clip] = OrderedDict()
        self._faces: OrderedDict[tuple[int, int, int], Face] = OrderedDict()
        self._table: SampleTable | None = None

    @property
    def _samples_of_a_clip(self) -> int:
        return self.clip_length if self.samples == "frames" else 1

    def __len__(self) -> int:
        return len(self._subjects) * self.clips * self._samples_of_a_clip

    def __getitem__(self, index: int) -> Sample:
        place = self.clip_of(index)
        return {field: self._field(field, place) for field in self.fields}

    def _field(self, name: str, place: tuple[int, int, int]) -> NDArray[Any]:
        makers: dict[str, Callable[[tuple[int, int, int]], Any]] = {
            "image": self._image,
            "frames": self._frames,
            "labels": self._labels,
            "intensities": self._intensities,
            "emotion": self._emotion,
            "landmarks": self._landmarks,
            "tracks": self._tracks,
            "subject": self._subject,
            "clip": self._clip,
            "flow": self._flow,
            "parts": self._parts,
            "intensity": self._intensity,
        }
        return np.asarray(makers[name](place))

    @property
    def table(self) -> SampleTable:
        """What is known of all samples: labels are planned when they are asked for, no face is drawn."""
        if self._table is None:
            counted = self._samples_of_a_clip
            subjects = np.repeat(np.array(self._subjects, np.int64), self.clips * counted)
            clips = np.tile(np.repeat(np.arange(self.clips), counted), len(self._subjects))
            if self.samples == "strongest":  # another one in each clip
                frames = np.array([self.clip_of(index)[2] for index in range(len(self))], np.int64)
            else:
                moments = np.arange(counted) if self.samples == "frames" else [self.clip_length // 2]
                frames = np.tile(moments, len(self._subjects) * self.clips)
            names = ("labels", "intensities", "emotion")
            self._table = SampleTable(
                ids=_Names(self), subjects=subjects, clips=subjects * self.clips + clips, frames=frames,
                labels=Columns(names, self._column),
            )  # fmt: skip
        return self._table

    def _column(self, name: str) -> NDArray[Any]:
        return np.stack([self._field(name, self.clip_of(index)) for index in range(len(self))])

    def __getstate__(self) -> dict[str, Any]:
        # Workers draw their own: what is kept here would be sent to each of them.
        return {**self.__dict__, "_clips": OrderedDict(), "_faces": OrderedDict(), "_table": None}

    def only(self, fields: Sequence[str]) -> "SyntheticFaces":
        """The same samples with other fields."""
        _check_choices("fields", fields, FIELDS)
        other = copy(self)
        other.fields = tuple(fields)
        return other

    def subject_ids(self) -> list[int]:
        """The subjects of this split, in the order of the samples."""
        return list(self._subjects)

    def clip_of(self, index: int) -> tuple[int, int, int]:
        """Subject, clip and frame of a sample; frames of a clip and clips of a subject stand together."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        rest, moment = divmod(int(index) % len(self), self._samples_of_a_clip)
        place, clip = divmod(rest, self.clips)
        subject = self._subjects[place]
        if self.samples == "clips":
            moment = self.clip_length // 2
        elif self.samples == "strongest":
            moment = int(_strength(self._plan(subject, clip).performance.activations).argmax())
        return subject, clip, moment

    def with_frames(self) -> "SyntheticFaces":
        """Itself: frames are drawn when they are asked for."""
        return self

    def with_flow(self) -> Samples | None:
        """None: flow is found between drawn frames."""
        return None

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample: its own and the next, in the last frame those before."""
        subject, clip, frame = self.clip_of(index)
        first = min(frame, self.clip_length - 2)
        if first < 0:
            raise ValueError("`clip_length` is 1; motion needs two frames")
        acted = (self.seed, subject, clip, self.clip_length, self.emotions, self.others, self.lasting)
        moved = self._units if self.labels_are_motion else ()
        return FramePair(
            f"drawn {drawing_version()} {(*acted, first, self.image_size, self.zoom, *moved)}",
            first=lambda: self._drawn(subject, clip, first),
            second=lambda: self._drawn(subject, clip, first + 1),
        )

    def _drawn(self, subject: int, clip: int, frame: int) -> NDArray[np.uint8]:
        return self._face((subject, clip, frame)).image

    def _image(self, place: tuple[int, int, int]) -> NDArray[np.uint8]:
        # The face is kept for the sample's other fields, and what a sample holds may be written to.
        return self._face(place).image.copy()

    def _landmarks(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        return self._face(place).landmarks.copy()

    def _tracks(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        return np.stack([self._face((*place[:2], frame)).landmarks for frame in self._chosen()])

    def _parts(self, place: tuple[int, int, int]) -> NDArray[np.uint8]:
        from netcfg.datasets.faces.parts import face_parts

        subject, clip, frame = place
        plan = self._plan(subject, clip)
        act = plan.performance
        side, _, window = self._window
        return face_parts(
            plan.identity, plan.scene, act.activations[frame], side,
            time=frame / max(self.clip_length - 1, 1), blink=float(act.blink[frame]),
        )[window]  # fmt: skip

    def _intensity(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        subject, clip, frame = place
        return _strength(self._plan(subject, clip).performance.activations[frame])[None].astype(np.float32)

    def _frames(self, place: tuple[int, int, int]) -> NDArray[np.uint8]:
        subject, clip, _ = place
        return np.stack([self._face((subject, clip, frame)).image for frame in self._chosen()])

    def _chosen(self) -> list[int]:
        """The frames of a clip that are shown together: spread evenly, both ends included."""
        chosen: list[int] = np.rint(np.linspace(0, self.clip_length - 1, self.frames)).astype(int).tolist()
        return chosen

    def _flow(self, place: tuple[int, int, int]) -> NDArray[np.uint8]:
        from netcfg.datasets.flow.encoding import dense_flow, encode_flow

        subject, clip, frame = place
        first = min(frame, self.clip_length - 2)
        images = [self._face((subject, clip, moment)).image for moment in (first, first + 1)]
        return encode_flow(dense_flow(images[0], images[1], self.flow_method))

    def _intensities(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        subject, clip, frame = place
        intensities = self._plan(subject, clip).performance.intensities(frame)
        return intensities[self._units].astype(np.float32)

    def _growing(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        levels = self._plan(*place[:2]).performance.activations[:, self._units, 0]
        growing: NDArray[np.float32] = (levels[-1] > levels[0]).astype(np.float32)
        return growing

    def _labels(self, place: tuple[int, int, int]) -> NDArray[np.float32]:
        if self.labels_are_motion:
            return self._growing(place)
        intensities = self._intensities(place)
        if self.labels_are_intensities:
            return intensities / np.float32(5)
        return (intensities >= self.occurrence_threshold).astype(np.float32)

    def _emotion(self, place: tuple[int, int, int]) -> NDArray[np.int64]:
        subject, clip, frame = place
        return np.asarray(self._plan(subject, clip).performance.emotion[frame], np.int64)

    def _subject(self, place: tuple[int, int, int]) -> NDArray[np.int64]:
        return np.asarray(place[0], np.int64)

    def _clip(self, place: tuple[int, int, int]) -> NDArray[np.int64]:
        subject, clip, _ = place
        return np.asarray(subject * self.clips + clip, np.int64)

    def _plan(self, subject: int, clip: int) -> _Clip:
        key = (subject, clip)
        if key not in self._clips:
            self._clips[key] = _Clip(
                identity=sample_identity(self.seed, subject),
                scene=sample_scene(self.seed, subject, clip),
                performance=self._perform(subject, clip),
            )
        return _keep(self._clips, key, _CLIPS_KEPT)

    def _perform(self, subject: int, clip: int) -> Performance:
        performance = perform(
            self.seed, subject, clip, self.clip_length, self.emotions, self.others, self.lasting
        )
        if not self.labels_are_motion:
            return performance
        activations = performance.activations.copy()
        moving = in_motion(self.seed, subject, clip, self.clip_length, len(self._units))
        activations[:, self._units] = moving[:, :, None]
        return replace(performance, activations=activations)

    def _face(self, place: tuple[int, int, int]) -> "Face":
        if place not in self._faces:
            self._faces[place] = self._draw(*place)
        return _keep(self._faces, place, _FACES_KEPT)

    def _draw(self, subject: int, clip: int, frame: int) -> "Face":
        from netcfg.datasets.faces.render import render_face

        plan = self._plan(subject, clip)
        act = plan.performance
        across, down = act.gaze[frame].tolist()
        side, corner, window = self._window
        face = render_face(
            plan.identity,
            plan.scene,
            act.activations[frame],
            side,
            time=frame / max(self.clip_length - 1, 1),
            blink=float(act.blink[frame]),
            gaze=(across, down),
            grain=frame,
        )
        if side == self.image_size:
            return face
        return replace(
            face,
            image=np.ascontiguousarray(face.image[window]),
            landmarks=face.landmarks - np.asarray(corner, np.float32),
        )

    @property
    def _window(self) -> tuple[int, tuple[int, int], tuple[slice, slice]]:
        """The side of what is drawn, and the corner (x, y) and place of what is shown of it."""
        size = self.image_size
        side = round(self.zoom * size)
        corner = (side - size) // 2, min(round(_FACES_AT * side - size / 2), side - size)
        return side, corner, (slice(corner[1], corner[1] + size), slice(corner[0], corner[0] + size))


def _strength(activations: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """How strong an expression is, of units×sides or of many of them: the mean of its three strongest units."""
    strength: NDArray[np.floating[Any]] = np.sort(activations.max(axis=-1), axis=-1)[..., -3:].mean(axis=-1)
    return strength


@lru_cache(maxsize=1)
def drawing_version() -> str:
    """Changes with everything that decides what is drawn, so that nothing stored outlives a change."""
    files = (Path(__file__), *sorted(Path(faces.__path__[0]).glob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _keep(kept: OrderedDict[_Key, _Value], key: _Key, most: int) -> _Value:
    """The value of `key`, now the youngest; older ones than the `most` youngest are dropped."""
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]


def _deal(subjects: int, folds: int, fold: int, validation_share: float, seed: int) -> dict[str, list[int]]:
    """Subjects of each split."""
    if not 0.0 < validation_share < 1.0:
        raise ValueError(f"`validation_share` is {validation_share}; it must lie between 0 and 1")
    order = generator(seed, subjects, purpose="subjects").permutation(subjects).tolist()
    test = order[fold::folds]
    rest = [subject for subject in order if subject not in test]
    count = min(max(round(validation_share * len(rest)), 1), len(rest) - 1)
    if not test or count < 1:
        raise ValueError(
            f"`subjects` is {subjects}; in {folds} folds, train, validation and test cannot each have one"
        )
    return {"train": rest[count:], "validation": rest[:count], "test": test, "all": order}


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"`{name}` is {value!r}; it must be one of {', '.join(map(str, choices))}")


def _check_choices(name: str, values: Sequence[object], choices: Sequence[object]) -> None:
    if isinstance(values, str) or not values:
        raise ValueError(
            f"`{name}` is {values!r}; it must list at least one of {', '.join(map(str, choices))}"
        )
    for value in values:
        if value not in choices:
            raise ValueError(f"`{name}` has {value!r}; there are {', '.join(map(str, choices))}")
    if len(set(values)) < len(values):
        raise ValueError(f"`{name}` names an entry twice: {', '.join(map(str, values))}")


def _check_range(name: str, value: int, least: int, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"`{name}` is {value!r}; it must be a whole number")
    if value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"between {least} and {most}"
        raise ValueError(f"`{name}` is {value}; it must be {limits}")
