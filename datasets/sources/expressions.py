"""Pictures with an expression each, out of the folders of CK+, BU-3DFE and AffectNet.

A lister gives `Face`s; `open_faces` makes samples of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.action_units import EMOTIONS
from netcfg.blocks.fields import Split
from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.blocks.sources.affectnet import LISTS
from netcfg.datasets.pictures.face_boxes import Box, Picture, clipped_box, cut_out, jittered_box
from netcfg.datasets.pictures.reading import expect_picture
from netcfg.datasets.samples.subject_folds import subjects_of_split
from netcfg.datasets.samples.table_samples import TableSamples
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
POINTS = 68
CK_PLUS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""What its numbers 0 to 7 mean."""
BU_3DFE = {
    "NE": "neutral", "HA": "happiness", "SU": "surprise", "SA": "sadness", "AN": "anger", "DI": "disgust", "FE": "fear",
}  # fmt: skip
_BU_3DFE_NAME = re.compile(r"(?P<subject>[FM]\d{4})_(?P<expression>[A-Z]{2})(?P<strength>\d\d)[A-Z]*_F2D\Z")
AFFECTNET = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
NO_EXPRESSION = ("8", "9", "10")
"""None of these, uncertain, no face."""
LOOKED_AT = 20
"""Rows of a list by whose pictures their folder is found."""


@dataclass(frozen=True)
class Face:
    """A picture, what it shows (a name of `EMOTIONS`), of whom, and where the face in it and its landmarks are.

    `person` is the subject's place among all subjects, where these are known.
    """

    path: Path
    emotion: str
    subject: str = ""
    person: int = -1
    box: Box | None = None
    landmarks: Path | None = None


# --- samples ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FacePictures:
    """The pictures of faces at size×size, cut to their boxes."""

    faces: Sequence[Face]
    size: int

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The face, its box moved or as it is."""
        face = self.faces[index]
        picture = expect_picture(face.path)
        height, width = picture.shape[:2]
        box = face.box or (0, height, 0, width)
        clipped = clipped_box(box if jitter is None else jittered_box(box, jitter), height, width)
        return cut_out(picture, clipped, self.size)

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Refused: there is none."""
        raise NetcfgError("these pictures have no flow\nhelp: a source of clips has", code="NC508")

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: motion is found between frames that follow each other."""
        raise NetcfgError("these pictures are no frames that follow each other", code="NC508")


def open_faces(
    faces: Sequence[Face],
    split: Split,
    fields: Sequence[str],
    *,
    folder: Path,
    size: int,
    names: tuple[str, ...],
    skips_missing: bool,
) -> TableSamples:
    """Samples of these faces. Raises `NetcfgError` for missing pictures, and a split that lacks an expression."""
    there = [face for face in faces if face.path.is_file()]
    if len(there) < len(faces) and not skips_missing:
        missing = next(face.path for face in faces if not face.path.is_file())
        raise NetcfgError(
            f"{len(faces) - len(there)} pictures are not there, such as {shown_path(missing)}\n"
            "help: `missing = skip` leaves them out",
            code="NC506",
        )
    expect_each(there, split, names, folder)
    labels = {"emotion": np.array([names.index(face.emotion) for face in there], np.int64)}
    if "landmarks" in fields:
        labels["landmarks"] = np.stack([_landmarks(face, size) for face in there])
    table = SampleTable(
        ids=tuple(_called(face.path, folder) for face in there),
        subjects=np.array([face.person for face in there], np.int64) if there[0].subject else None,
        labels=labels,
        names={"emotion": names},
    )
    return TableSamples(
        table,
        FacePictures(there, size),
        fields,
        reopen=lambda wanted: open_faces(
            faces, split, wanted, folder=folder, size=size, names=names, skips_missing=skips_missing
        ),
        opened=frozenset({"image"}),
    )


def _called(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def expect_each(faces: Sequence[Face], split: Split, names: Sequence[str], folder: Path) -> None:
    """Refuse a split without a picture, and a training split in which an expression is not shown."""
    shown = {face.emotion for face in faces}
    lacking = [name for name in names if name not in shown]
    if not faces or (split == "train" and lacking):
        what = "a picture" if not faces else f"a picture of `{lacking[0]}`"
        raise NetcfgError(
            f"{shown_path(folder)}: the {split} split is left without {what}\n"
            "help: another `fold`, `emotions = 7` where nobody shows contempt, or more of the database",
            code="NC506",
        )


def faces_of_split(
    faces: Sequence[Face], split: Split, fold: int, tested: int, validation: int, folder: Path
) -> list[Face]:
    """Those of the subjects of a split. Raises `NetcfgError` where a fold is beyond the last, or a split is empty."""
    subjects = sorted({face.subject for face in faces})
    folds = -(-len(subjects) // tested)
    if fold >= folds:
        raise NetcfgError(
            f"{shown_path(folder)} has {len(subjects)} subjects, which are {folds} folds of {tested}, and `fold` is "
            f"{fold}\nhelp: folds are counted from 0: the last is {folds - 1}",
            code="NC506",
        )
    own = subjects_of_split(subjects, split, subjects[fold * tested : (fold + 1) * tested], fold, validation)
    persons = {name: subjects.index(name) for name in own}
    return [replace(face, person=persons[face.subject]) for face in faces if face.subject in persons]


def _landmarks(face: Face, size: int) -> NDArray[np.float32]:
    """The landmarks in pixels of the picture as it is shown: of the whole picture, at its size."""
    assert face.landmarks is not None
    try:
        rows = [
            [float(word) for word in line.split()]
            for line in face.landmarks.read_text().splitlines()
            if line.strip()
        ]
    except (OSError, ValueError) as error:
        raise NetcfgError(
            f"{shown_path(face.landmarks)} holds no landmarks: {error}\nhelp: a line a point, `x y`",
            code="NC505",
        ) from None
    if len(rows) != POINTS or any(len(row) != 2 for row in rows):
        raise NetcfgError(
            f"{shown_path(face.landmarks)} has {len(rows)} lines, and landmarks are {POINTS} lines of two numbers",
            code="NC505",
        )
    height, width = expect_picture(face.path).shape[:2]
    scale = np.array([size / width, size / height])
    points: NDArray[np.float32] = ((np.array(rows) + 0.5) * scale - 0.5).astype(np.float32)
    return points


def _folders(folder: Path) -> list[Path]:
    return [path for path in visible(folder) if path.is_dir()]


def _expect_folder(folder: Path, *parts: str) -> None:
    for place in (folder, *(folder / part for part in parts)):
        if not place.is_dir():
            raise NetcfgError(f"there is no folder {shown_path(place)}", code="NC506")


# --- CK+ --------------------------------------------------------------------------------------------------


def ck_plus_faces(folder: Path, peaks: int, neutrals: int, emotions: int) -> list[Face]:
    """The pictures that show the expression of their sequence, and the neutral ones at its beginning."""
    _expect_folder(folder, "cohn-kanade-images", "Emotion")
    faces = []
    for subject in _folders(folder / "cohn-kanade-images"):
        for sequence in _folders(subject):
            emotion = _ck_plus_emotion(folder / "Emotion" / subject.name / sequence.name)
            if emotion is None or emotion not in EMOTIONS[:emotions]:
                continue
            frames = [path for path in visible(sequence) if path.suffix.lower() in PICTURES]
            if len(frames) < peaks + neutrals:
                raise NetcfgError(
                    f"{shown_path(sequence)} has {len(frames)} pictures, and {neutrals} neutral and {peaks} last ones "
                    "are wanted\nhelp: fewer `peaks`",
                    code="NC506",
                )
            places = [
                *((frame, "neutral") for frame in frames[:neutrals]),
                *((frame, emotion) for frame in frames[-peaks:]),
            ]
            marks = folder / "Landmarks" / subject.name / sequence.name
            faces += [
                Face(frame, shown, subject.name, landmarks=marks / f"{frame.stem}_landmarks.txt")
                for frame, shown in places
            ]
    return faces


def _ck_plus_emotion(folder: Path) -> str | None:
    """The expression of a sequence, None where nobody has said one."""
    files = [path for path in visible(folder) if path.match("*_emotion.txt")] if folder.is_dir() else []
    if not files:
        return None
    text = files[0].read_text(encoding="utf-8", errors="replace").strip()
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number < len(CK_PLUS):
        raise NetcfgError(
            f"{shown_path(files[0])} holds `{text}`, and expressions are numbers from 0 to {len(CK_PLUS) - 1}",
            code="NC505",
        )
    return CK_PLUS[int(number)]


# --- BU-3DFE ----------------------------------------------------------------------------------------------


def bu_3dfe_faces(folder: Path, strengths: Sequence[int]) -> list[Face]:
    """The frontal pictures, by their names."""
    _expect_folder(folder)
    faces = []
    for subject in _folders(folder):
        for path in visible(subject):
            if not path.match("*_F2D.*") or path.suffix.lower() not in PICTURES:
                continue
            name = _BU_3DFE_NAME.match(path.stem)
            if name is None or name["expression"] not in BU_3DFE:
                raise NetcfgError(
                    f"{shown_path(path)} is not named as a picture of BU-3DFE\n"
                    f"help: such as F0001_HA03WH_F2D.bmp, with one of {', '.join(BU_3DFE)}",
                    code="NC505",
                )
            if name["expression"] == "NE" or int(name["strength"]) in strengths:
                faces.append(Face(path, BU_3DFE[name["expression"]], name["subject"]))
    if not faces:
        raise NetcfgError(
            f"{shown_path(folder)} holds no picture such as F0001/F0001_HA03WH_F2D.bmp", code="NC506"
        )
    return faces


# --- AffectNet --------------------------------------------------------------------------------------------


def affectnet_faces(
    folder: Path, split: Split, images: Path | None, validation_share: float, seed: int, emotions: int
) -> list[Face]:
    """The pictures of a split's list."""
    _expect_folder(folder)
    file = _list_file(folder, LISTS[split == "test"])
    places = [images] if images else [folder, *(place for place in _folders(folder))]
    places += [below for place in places if not images for below in _folders(place)]
    faces = list(_listed(file, places, emotions))
    if split == "test":
        return faces
    held_out = _held_out([face.emotion for face in faces], validation_share, seed)
    return [face for number, face in enumerate(faces) if (number in held_out) == (split == "validation")]


def _held_out(emotions: Sequence[str], share: float, seed: int) -> set[int]:
    """So many of each expression, drawn at random; one at least, and never all."""
    random, chosen = np.random.default_rng(seed), set()
    for emotion in EMOTIONS:
        numbers = [number for number, other in enumerate(emotions) if other == emotion]
        count = min(max(1, round(share * len(numbers))), len(numbers) - 1)
        chosen |= set(random.permutation(numbers)[: max(count, 0)].tolist())
    return chosen


def _list_file(folder: Path, name: str) -> Path:
    found = next(
        (path for path in (folder / name, *sorted(folder.glob(f"*/{name}"))) if path.is_file()), None
    )
    if found is None:
        raise NetcfgError(f"{shown_path(folder)} has no list `{name}`", code="NC506")
    return found


def _listed(file: Path, places: Sequence[Path], emotions: int) -> Iterator[Face]:
    with file.open(newline="", encoding="utf-8", errors="replace") as lines:
        reader = csv.DictReader(lines)
        for column in ("subDirectory_filePath", "expression"):
            if column not in (reader.fieldnames or ()):
                raise NetcfgError(f"{shown_path(file)} has no column `{column}`", code="NC505")
        rows = list(reader)
    names = [row["subDirectory_filePath"] for row in rows[:LOOKED_AT]]
    root = next((place for place in places if any((place / name).is_file() for name in names)), places[0])
    for number, row in enumerate(rows, 2):
        written = (row["expression"] or "").strip()
        if written in NO_EXPRESSION:
            continue
        if not written.isdecimal() or int(written) >= len(AFFECTNET):
            raise NetcfgError(
                f"{shown_path(file)}, line {number}: the expression is `{written}`, and those known are 0 to 10",
                code="NC505",
            )
        emotion = AFFECTNET[int(written)]
        if emotion in EMOTIONS[:emotions]:
            yield Face(root / row["subDirectory_filePath"], emotion, box=_box(row, file, number))


def _box(row: dict[str, str], file: Path, number: int) -> Box | None:
    written = [row.get(f"face_{part}") for part in ("x", "y", "width", "height")]
    if not all(written):
        return None
    try:
        x, y, width, height = (int(float(word or "")) for word in written)
    except (ValueError, OverflowError):
        raise NetcfgError(
            f"{shown_path(file)}, line {number}: the face is no box: {written}", code="NC505"
        ) from None
    return (y, y + height, x, x + width) if width > 0 and height > 0 else None
