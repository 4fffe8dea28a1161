"""Clips of a database of faces: their frames, in a folder of pictures or a video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.picture_files import PICTURES
from netcfg.datasets.pictures.face_crop import crop_face, read_landmarks
from netcfg.datasets.pictures.frames import open_video
from netcfg.datasets.pictures.reading import ORDINARY, Reading, expect_picture
from netcfg.datasets.samples.pairing import NUMBERS, Numbers, Pairing, expect_fit
from netcfg.words import counted


@dataclass(frozen=True, eq=False)
class Frame:
    """A face and its labels; the id begins with the subject: `SN001_12`."""

    id: str
    picture: NDArray[np.uint8]
    labels: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Clip:
    """A stretch of frames of one subject: where its pictures are, labels, landmarks and face boxes by frame number.

    `place` is where its parts lie below folders of boxes or flow: `F001/T1`.
    """

    subject: str
    name: str
    pictures: Path
    labels: dict[int, NDArray[np.float32]]
    landmarks: dict[int, Path]
    boxes: dict[int, Path] = field(default_factory=dict)
    place: str = ""

    def frames(
        self, numbers: set[int], pairing: Pairing = NUMBERS, reading: Reading = ORDINARY
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The pictures of these labels, out of a folder or a video, with the numbers of the labels."""
        if self.pictures.is_dir():
            files = pairing.keyed(self.files(), self.labels)
            return (
                (number, expect_picture(files[number], reading)) for number in sorted(numbers & files.keys())
            )
        shift = pairing.shift
        found = _video(self.pictures, {number + shift for number in numbers}, reading)
        return ((number - shift, picture) for number, picture in found)

    def files(self) -> dict[int, Path]:
        """The pictures of a folder by their numbers, in the order of these."""
        return dict(sorted(files_by_number(self.pictures, PICTURES).items()))


@dataclass
class Database:
    """The clips of a database, and what a person should know about them."""

    units: tuple[int, ...]
    clips: list[Clip]
    notes: list[str] = field(default_factory=list)

    @property
    def subjects(self) -> list[str]:
        """Everybody in it."""
        return sorted({clip.subject for clip in self.clips})

    def count(self, every: int) -> int:
        """How many frames `frames` gives at most."""
        return sum(len(_every(clip.labels, every)) for clip in self.clips)

    def expect_pairs(self, pairing: Pairing) -> None:
        """Refuse pictures whose numbers fit the labels better in another reading. Raises `NetcfgError`."""
        expect_fit(
            pairing,
            [
                Numbers(frozenset(clip.labels), frozenset(clip.files()), clip.pictures)
                for clip in self.clips
                if clip.pictures.is_dir()
            ],
        )

    def frames(
        self, size: int, every: int, pairing: Pairing = NUMBERS, reading: Reading = ORDINARY
    ) -> Iterator[Frame]:
        """Each clip's first labelled frame and every so many after it, cut out to `size`×`size`."""
        unfound = without = 0
        for clip in self.clips:
            wanted = _every(clip.labels, every)
            for number, picture in clip.frames(wanted, pairing, reading):
                wanted = wanted - {number}
                landmarks = clip.landmarks.get(number)
                unfound += landmarks is None
                points = None if landmarks is None else read_landmarks(landmarks)
                yield Frame(f"{clip.name}_{number}", crop_face(picture, points, size), clip.labels[number])
            without += len(wanted)
        if without:
            self.notes.append(f"without a picture, and left out: {counted(without, 'labelled frame')}")
        if unfound:
            self.notes.append(
                f"without landmarks: {counted(unfound, 'frame')}; their middle was taken, not levelled"
            )


def _every(labels: dict[int, Any], every: int) -> set[int]:
    return set(sorted(labels)[::every])


def files_by_number(folder: Path, endings: tuple[str, ...]) -> dict[int, Path]:
    """The files below a folder by the last number in their names."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        numbers = re.findall(r"\d+", path.stem)
        if path.suffix.lower() in endings and numbers and not path.name.startswith("."):
            found[int(numbers[-1])] = path
    return found


def _video(path: Path, numbers: set[int], reading: Reading) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Frames of a video, counted from 1. Raises `NetcfgError` where it cannot be read."""
    from netcfg.datasets.pictures.opencv import cv2, quiet

    with open_video(path) as video:
        if not reading.turns:
            video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        for number in range(1, max(numbers, default=0) + 1):
            # A video only plays forward; frames that nobody asked for are passed over, and no picture is made
            # of them.
            with quiet():
                found = video.grab()
                good, picture = video.retrieve() if found and number in numbers else (False, None)
            if not found:
                return
            if good:
                yield number, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
