"""Samples of faces that lie in files: the tables of a split, and the pictures behind them.

What differs between databases is how clips and labels are found; from there on they are the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.audetnet_folder import ENDINGS, read_picture
from netcfg.datasets.databases import Clip
from netcfg.datasets.face_boxes import (
    Box,
    Picture,
    clipped_box,
    cut_out,
    jittered_box,
    middle_square,
    read_box,
    square_around,
)
from netcfg.datasets.face_crop import levelling, read_landmarks
from netcfg.source import NetcfgError, shown_path

Crop = Literal["face", "levelled", "none"]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """What is known of the frames of a split without their pictures, in the order of the samples.

    Shapes: labels N×units; subjects and clips N, whole numbers that no other subject or clip of the database has.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.float32]
    subjects: NDArray[np.int64]
    clips: NDArray[np.int64]

    def rows(self, chosen: Sequence[int]) -> FrameTable:
        """The table of some of the frames."""
        ids = tuple(self.ids[row] for row in chosen)
        places = np.asarray(chosen, np.intp)
        return FrameTable(ids, self.labels[places], self.subjects[places], self.clips[places])


class Pictures(Protocol):
    """The pictures of a split's frames; `jitter` asks for the face box moved in one of six ways."""

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The face, uint8 S×S×3, RGB."""

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Its motion to the next frame, as a picture."""


class FaceSamples:
    """Map-style data set of one split: dicts of the asked-for fields.

    `image` and `flow` uint8 S×S×3; `labels` float32, divided by `scale`; `intensities` as stored; `subject` and
    `clip` int64. `jittered` gives a sample with its face box moved. `has_copies` says that moved or mirrored copies
    are among them already.
    """

    def __init__(
        self,
        table: FrameTable,
        pictures: Pictures,
        fields: Sequence[str],
        scale: float = 1.0,
        has_copies: bool = False,
    ) -> None:
        self.table = table
        self.pictures = pictures
        self.fields = tuple(fields)
        self.has_copies = has_copies
        self._scale = np.float32(scale)

    def __len__(self) -> int:
        return len(self.table.ids)

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        return self.jittered(index, None)

    @property
    def ids(self) -> tuple[str, ...]:
        """The frames' names, in the order of the samples."""
        return self.table.ids

    def only(self, fields: Sequence[str]) -> FaceSamples:
        """The same samples with other fields."""
        return FaceSamples(self.table, self.pictures, fields, float(self._scale), self.has_copies)

    def clip_of(self, index: int) -> int:
        """The number of a sample's clip; a clip's samples stand together, in the order of time, but in training."""
        return int(self.table.clips[index])

    def jittered(self, index: int, jitter: int | None) -> dict[str, NDArray[Any]]:
        """The sample, its face box moved (0 to 5) or as it is (None)."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return {name: np.asarray(self._value(name, index, jitter)) for name in self.fields}

    def _value(self, name: str, index: int, jitter: int | None) -> Any:
        table = self.table
        values: dict[str, Callable[[], Any]] = {
            "image": lambda: self.pictures.image(index, jitter),
            "flow": lambda: self.pictures.flow(index, jitter),
            "labels": lambda: table.labels[index] / self._scale,
            "intensities": lambda: table.labels[index].copy(),
            "subject": lambda: table.subjects[index],
            "clip": lambda: table.clips[index],
        }
        return values[name]()


# --- pictures of clips --------------------------------------------------------------------------------------


@dataclass
class ClipPictures:
    """Frames out of the folders of clips, cut to the face.

    `places` are each sample's clip and the number of its frame; `files` the frames of each clip by number, `flows`
    their flow pictures.
    """

    clips: Sequence[Clip]
    places: Sequence[tuple[int, int]]
    files: Sequence[Mapping[int, Path]]
    flows: Sequence[Mapping[int, Path]]
    size: int
    crop: Crop = "face"
    _boxes: dict[tuple[int, int], Box | None] = field(default_factory=dict, repr=False)

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The face at the size that is asked for; black where its frame is missing and that was allowed."""
        clip, number = self.places[index]
        path = self.files[clip].get(number)
        if path is None:
            return black(self.size)
        frame = self.whole(clip, number, path)
        return cut_out(frame, self.box(clip, number, frame, jitter), self.size)

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """The flow picture of the same name in the folder of flow, cut by the same box."""
        clip, number = self.places[index]
        path = self.flows[clip].get(number)
        if path is None:
            return black(self.size)
        frame = expect_picture(path)
        return cut_out(frame, self.box(clip, number, frame, jitter), self.size, nearest=True)

    def whole(self, clip: int, number: int, path: Path) -> Picture:
        """A whole frame; turned until the eyes of frame `number` are level, where faces are to be levelled."""
        frame = expect_picture(path)
        landmarks = self.clips[clip].landmarks.get(number)
        if self.crop != "levelled" or landmarks is None:
            return frame
        from netcfg.datasets.faces.opencv import cv2

        matrix = levelling(read_landmarks(landmarks))
        return np.asarray(
            cv2.warpAffine(
                frame, matrix, frame.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        )

    def box(self, clip: int, number: int, frame: Picture, jitter: int | None = None) -> Box | None:
        """Where the face is in a frame (a whole one, or its flow); None: all of it."""
        if (clip, number) not in self._boxes:
            self._boxes[clip, number] = self._found_box(self.clips[clip], number, frame)
        box = self._boxes[clip, number]
        height, width = frame.shape[:2]
        if box is None and jitter is not None:
            box = (0, height, 0, width)
        if box is None:
            return None
        moved = clipped_box(box if jitter is None else jittered_box(box, jitter), height, width)
        if moved is None:
            raise NetcfgError(
                f"the face box of {self.clips[clip].name} frame {number} lies outside its frame of "
                f"{height}×{width} (height×width): rows {box[0]} to {box[1]}, columns {box[2]} to {box[3]}"
            )
        return moved

    def _found_box(self, clip: Clip, number: int, frame: Picture) -> Box | None:
        height, width = frame.shape[:2]
        if self.crop == "none":
            return None
        if number in clip.boxes and self.crop == "face":
            return read_box(clip.boxes[number])
        if number not in clip.landmarks:
            return middle_square(height, width)
        points = read_landmarks(clip.landmarks[number])
        if self.crop == "levelled":
            matrix = levelling(points)
            points = points @ matrix[:, :2].T + matrix[:, 2]
        return square_around(points, height, width)


def black(size: int) -> Picture:
    """The picture that stands in for one that is missing."""
    return np.zeros((size, size, 3), np.uint8)


def expect_picture(path: Path) -> Picture:
    """A picture, RGB. Raises `NetcfgError` where it cannot be read."""
    picture = read_picture(path)
    if picture is None:
        raise NetcfgError(
            f"{shown_path(path)} cannot be read: it is empty, cut short, or no picture\n"
            "help: put a good copy in its place; `on_error = skip` goes on without such pictures"
        )
    return picture


def numbered_pictures(folder: Path) -> dict[int, Path]:
    """The pictures of a folder by the last number in their names, in the order of these.

    Raises `NetcfgError` where two have the same number.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        numbers = re.findall(r"\d+", path.stem)
        if path.suffix.lower() not in ENDINGS or not numbers:
            continue
        number = int(numbers[-1])
        if number in found:
            raise NetcfgError(
                f"{shown_path(folder)} has frame {number} twice: `{found[number].name}` and `{path.name}`"
            )
        found[number] = path
    return dict(sorted(found.items()))
