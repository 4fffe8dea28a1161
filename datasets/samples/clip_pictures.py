"""Frames out of the folders of clips, cut to the face, and how stored numbers become labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import FramePair
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
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading, expect_picture
from netcfg.datasets.samples.clips import Clip
from netcfg.datasets.samples.table_samples import black
from netcfg.source import NetcfgError, shown_path
from netcfg.words import named

Crop = Literal["face", "levelled", "none"]


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
    reading: Reading = ORDINARY
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
        frame = expect_picture(path, self.reading)
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
            # By the files as they are now, and how they are turned: flow of anything else is another entry of
            # the cache.
            key=" ".join([*map(_state, paths), self._turn_key(clip, number)]),
            first=partial(self.whole, clip, number, paths[0]),
            second=partial(self.whole, clip, number, paths[1]),
            crop=self.box(clip, number, self._frame_size(clip, paths[0]), jitter),
        )

    def _frame_size(self, clip: int, path: Path) -> tuple[int, int]:
        """Height and width of a clip's frames: a picture is only decoded for it where none of the clip was yet."""
        if clip not in self._sizes:
            height, width = expect_picture(path, self.reading).shape[:2]
            self._sizes[clip] = height, width
        return self._sizes[clip]

    def _turn_key(self, clip: int, number: int) -> str:
        """What tells turned frames from the files they come from."""
        landmarks = self.clips[clip].landmarks.get(number)
        return _state(landmarks) if self.crop == "levelled" and landmarks is not None else ""

    def whole(self, clip: int, number: int, path: Path) -> Picture:
        """A whole frame; turned until the eyes of frame `number` are level, where faces are to be levelled."""
        frame = expect_picture(path, self.reading)
        landmarks = self.clips[clip].landmarks.get(number)
        if self.crop != "levelled" or landmarks is None:
            return frame
        from netcfg.datasets.pictures.opencv import cv2

        # For both frames of a pair that of one: levelled each by itself, their turns would look like motion.
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
                f"{size[0]}×{size[1]} (height×width): rows {box[0]} to {box[1]}, columns {box[2]} to {box[3]}",
                code="NC505",
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


def numbered_pictures(folder: Path) -> dict[int, Path]:
    """The pictures of a folder by the last number in their names, in the order of these.

    Where no name has a number, or two have the same, pictures count from 1 in the order of their names. Those without
    a number among others that have one are no frames (a cover, say): they are left out, which is said.
    """
    files = picture_files(folder)
    numbers = [re.findall(r"\d+", path.stem)[-1:] for path in files]
    found = {int(number[0]): path for number, path in zip(numbers, files, strict=True) if number}
    others = [path.name for number, path in zip(numbers, files, strict=True) if not number]
    if not found or len(found) + len(others) < len(files):
        return dict(enumerate(files, 1))
    if others:
        say(f"{shown_path(folder)}: left out, as their names have no number: {named(others)}")
    return dict(sorted(found.items()))
