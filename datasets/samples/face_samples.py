"""Samples of faces that lie in files: the tables of a split, and the pictures behind them.

What differs between databases is how clips and labels are found; from there on they are the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.face_boxes import (
    Box,
    Picture,
    clipped_box,
    cut_out,
    jittered_box,
    middle_square,
    read_box,
    square_around,
)
from netcfg.datasets.pictures.face_crop import levelling, read_landmarks
from netcfg.datasets.pictures.frames import picture_files
from netcfg.datasets.pictures.reading import read_picture
from netcfg.datasets.samples.clips import Clip
from netcfg.datasets.samples.frame_pairs import FramePair
from netcfg.source import NetcfgError, shown_path

Crop = Literal["face", "levelled", "none"]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """What is known of the frames of a split without their pictures, in the order of the samples.

    Shapes: labels N×units; subjects and clips N, whole numbers that no other subject or clip of the database has;
    numbers N, of the frames.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.float32]
    subjects: NDArray[np.int64]
    clips: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def rows(self, chosen: Sequence[int]) -> FrameTable:
        """The table of some of the frames."""
        ids = tuple(self.ids[row] for row in chosen)
        places = np.asarray(chosen, np.intp)
        return FrameTable(
            ids, self.labels[places], self.subjects[places], self.clips[places], self.numbers[places]
        )


@dataclass(frozen=True)
class Labelling:
    """How stored numbers become labels: 1 from `threshold` on, or else divided by `scale`."""

    scale: float = 1.0
    threshold: float | None = None

    def __call__(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        """The labels."""
        if self.threshold is not None:
            return (stored >= self.threshold).astype(np.float32)
        return stored / np.float32(self.scale)


class Pictures(Protocol):
    """The pictures of a split's frames; `jitter` asks for the face box moved in one of six ways."""

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The face, uint8 S×S×3, RGB."""

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Its motion to the next frame, as a picture."""

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The whole frames between which that motion is found."""


class FaceSamples:
    """Map-style data set of one split: dicts of the asked-for fields.

    `image` and `flow` uint8 S×S×3; `labels` float32, by `labelling`; `intensities` as stored; `subject` and `clip`
    int64. `jittered` gives a sample with its face box moved. `has_copies` says that moved or mirrored copies
    are among them already; `with_flow` gives them with flow pictures out of files, where there are such; `with_frames`
    with the picture, where that takes more than another `only`: a video must be unpacked first.
    """

    def __init__(
        self,
        table: FrameTable,
        pictures: Pictures,
        fields: Sequence[str],
        labelling: Labelling = Labelling(),
        has_copies: bool = False,
        with_flow: Callable[[], FaceSamples] | None = None,
    ) -> None:
        self.table = table
        self.pictures = pictures
        self.fields = tuple(fields)
        self.has_copies = has_copies
        self.with_flow = with_flow
        self.with_frames: Callable[[], FaceSamples] | None = None
        self.labelling = labelling

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
        return FaceSamples(self.table, self.pictures, fields, self.labelling, self.has_copies, self.with_flow)

    def clip_of(self, index: int) -> tuple[object, ...]:
        """Subject, clip and frame of a sample."""
        table = self.table
        return int(table.subjects[index]), int(table.clips[index]), int(table.numbers[index])

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample."""
        return self.pictures.pair(index, jitter)

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
            "labels": lambda: self.labelling(table.labels[index]),
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
    _boxes: dict[tuple[int, int], Box | None] = field(default_factory=dict, repr=False)  # as found, once
    _sizes: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False)

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The face at the size that is asked for; black where its frame is missing and that was allowed."""
        clip, number = self.places[index]
        path = self.files[clip].get(number)
        if path is None:
            return black(self.size)
        frame = self.whole(clip, number, path)
        return cut_out(frame, self.box(clip, number, frame.shape[:2], jitter), self.size)

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """The flow picture of the same name in the folder of flow, cut by the same box."""
        clip, number = self.places[index]
        path = self.flows[clip].get(number)
        if path is None:
            return black(self.size)
        frame = expect_picture(path)
        return cut_out(frame, self.box(clip, number, frame.shape[:2], jitter), self.size, nearest=True)

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """A frame and the one after it in its folder, labelled or not; the last frame has the pair before it.

        A frame that is missing, and that alone in its clip, have no motion.
        """
        clip, number = self.places[index]
        files = self.files[clip]
        if number not in files:
            still = partial(black, self.size)
            return FramePair("missing", still, still)
        numbers = list(files)
        place = max(0, min(numbers.index(number), len(numbers) - 2))
        paths = [files[numbers[place]], files[numbers[min(place + 1, len(numbers) - 1)]]]
        return FramePair(
            key=" ".join([*map(_state, paths), self._turn_key(clip, number)]),
            first=partial(self.whole, clip, number, paths[0]),
            second=partial(self.whole, clip, number, paths[1]),
            crop=self.box(clip, number, self._frame_size(clip, paths[0]), jitter),
        )

    def _frame_size(self, clip: int, path: Path) -> tuple[int, int]:
        """Height and width of a clip's frames: a picture is only decoded for it where none of the clip was yet."""
        if clip not in self._sizes:
            height, width = expect_picture(path).shape[:2]
            self._sizes[clip] = height, width
        return self._sizes[clip]

    def _turn_key(self, clip: int, number: int) -> str:
        """What tells turned frames from the files they come from."""
        landmarks = self.clips[clip].landmarks.get(number)
        return _state(landmarks) if self.crop == "levelled" and landmarks is not None else ""

    def whole(self, clip: int, number: int, path: Path) -> Picture:
        """A whole frame; turned until the eyes of frame `number` are level, where faces are to be levelled."""
        frame = expect_picture(path)
        landmarks = self.clips[clip].landmarks.get(number)
        if self.crop != "levelled" or landmarks is None:
            return frame
        from netcfg.datasets.pictures.opencv import cv2

        matrix = levelling(read_landmarks(landmarks))
        return np.asarray(
            cv2.warpAffine(
                frame, matrix, frame.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        )

    def box(self, clip: int, number: int, size: tuple[int, int], jitter: int | None = None) -> Box | None:
        """Where the face is in a frame of a size (height, width), or in its flow; None: all of it."""
        self._sizes.setdefault(clip, size)
        if (clip, number) not in self._boxes:
            self._boxes[clip, number] = self._found_box(self.clips[clip], number, *size)
        box = self._boxes[clip, number]
        if box is None:
            if jitter is None:
                return None
            box = (0, size[0], 0, size[1])
        moved = clipped_box(box if jitter is None else jittered_box(box, jitter), *size)
        if moved is None:
            raise NetcfgError(
                f"the face box of {self.clips[clip].name} frame {number} lies outside its frame of "
                f"{size[0]}×{size[1]} (height×width): rows {box[0]} to {box[1]}, columns {box[2]} to {box[3]}"
            )
        return moved

    def _found_box(self, clip: Clip, number: int, height: int, width: int) -> Box | None:
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


def _state(path: Path) -> str:
    """A file's path and state, which is another one after a change."""
    state = path.stat()
    return f"{path.resolve()} {state.st_size} {state.st_mtime_ns}"


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

    Where names have no numbers, or not different ones, pictures count from 1 in the order of their names.
    """
    files = picture_files(folder)
    numbers = [re.findall(r"\d+", path.stem)[-1:] for path in files]
    found = {int(number[0]): path for number, path in zip(numbers, files, strict=True) if number}
    return dict(sorted(found.items())) if len(found) == len(files) else dict(enumerate(files, 1))
