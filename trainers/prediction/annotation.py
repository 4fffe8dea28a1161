"""Frames with bars that show what was predicted of them, as pictures in a folder or as a video."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.frames import Frames, open_video
from netcfg.datasets.pictures.opencv import cv2, quiet
from netcfg.files import write_beside
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.prediction.answers import Answer
from netcfg.trainers.prediction.prediction import Prediction
from netcfg.words import counted

Picture = NDArray[np.uint8]

STILL_RATE = 25.0  # frames a second of a video made of pictures
VIDEO_ENDINGS = {".mp4": "mp4v", ".avi": "MJPG"}
LEAST_HEIGHT = 240  # smaller frames are enlarged: the writing beside them keeps its size
ROW, MARGIN, PANEL, BAR = 20, 10, 210, 84
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_PAPER, _INK, _EMPTY, _PRESENT, _ABSENT = (
    (250, 250, 250),
    (45, 45, 45),
    (226, 226, 226),
    (214, 96, 32),
    (130, 160, 196),
)


def annotated(picture: Picture, answers: Sequence[tuple[Answer, NDArray[np.float64]]]) -> Picture:
    """A frame (uint8 RGB H×W×3), and to its right a bar for every confidence; a present unit's is darker."""
    rows = [row for answer, values in answers for row in _rows(answer, values)]
    least = max(LEAST_HEIGHT, 2 * MARGIN + ROW * len(rows))
    scale = max(1, -(-least // len(picture)))
    frame = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    panel = np.full((len(frame), PANEL, 3), _PAPER, np.uint8)
    for place, (name, value, is_present) in enumerate(rows):
        _draw_row(panel, MARGIN + place * ROW, name, value, is_present)
    return np.concatenate([frame, panel], axis=1)


def _rows(answer: Answer, values: NDArray[np.float64]) -> list[tuple[str, float, bool]]:
    """Name, confidence, and whether it counts: of a class only the likeliest does."""
    above = answer.present_above or (float(np.nextafter(values.max(), 0.0)),) * len(values)
    return [
        (name, float(value), bool(value > least))
        for name, value, least in zip(answer.names, values, above, strict=True)
    ]


def _draw_row(panel: Picture, top: int, name: str, value: float, is_present: bool) -> None:
    base, left = top + ROW - 6, MARGIN + 68
    cv2.putText(panel, name[:9], (MARGIN, base), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)
    cv2.rectangle(panel, (left, top + 3), (left + BAR, top + ROW - 4), _EMPTY, cv2.FILLED)
    colour = _PRESENT if is_present else _ABSENT
    cv2.rectangle(panel, (left, top + 3), (left + round(BAR * value), top + ROW - 4), colour, cv2.FILLED)
    cv2.putText(panel, f"{value:.2f}", (left + BAR + 8, base), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)


def fitted(picture: Picture, width: int, height: int) -> Picture:
    """A picture (uint8 RGB) as `height`×`width`: an odd last line is cut, else scaled to fit, the rest paper."""
    rows, columns = picture.shape[:2]
    if (columns // 2 * 2, rows // 2 * 2) == (width, height):
        return picture[:height, :width]
    scale = min(width / columns, height / rows)
    inner = max(1, min(width, round(scale * columns))), max(1, min(height, round(scale * rows)))
    page = np.full((height, width, 3), _PAPER, np.uint8)
    page[: inner[1], : inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    return page


class AnnotatedFolder:
    """A PNG for every frame. Raises `NetcfgError` where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NetcfgError(f"cannot make the folder {folder}: {error.strerror}", code="NC804") from None
        if any(folder.iterdir()):
            raise NetcfgError(
                f"{shown_path(folder)} is not empty, and nothing is overwritten\nhelp: name a new folder",
                code="NC803",
            )
        self._folder = folder

    def write(self, prediction: Prediction) -> None:
        """The frame under its name, which in a video is its number."""
        target = self._folder / f"{prediction.frame.name}.png"
        picture = cv2.cvtColor(annotated(prediction.frame.image, prediction.answers), cv2.COLOR_RGB2BGR)
        write_beside(target, cv2.imencode(".png", picture)[1].tobytes())

    def close(self) -> None:
        """Every picture is complete already."""


class AnnotatedVideo:
    """A video of the frames at their own rate. It appears under its name when it is closed."""

    def __init__(self, path: Path, frames_per_second: float) -> None:
        if not path.parent.is_dir():
            raise NetcfgError(f"cannot write {path}: there is no folder {path.parent}", code="NC804")
        if path.is_dir():
            raise NetcfgError(f"cannot write {path}: it is a folder", code="NC804")
        if not os.access(path.parent, os.W_OK):  # OpenCV does not say why
            raise NetcfgError(f"cannot write {path}: {os.strerror(errno.EACCES)}", code="NC804")
        self._path = path
        self._beside = path.with_name(f".{path.stem}.new{path.suffix}")
        self._rate = frames_per_second
        self._size = 0, 0
        self._written = 0
        self._video: Any = None

    def write(self, prediction: Prediction) -> None:
        """The next frame; one of another size than the first is scaled to fit, as a video has one size."""
        picture = annotated(prediction.frame.image, prediction.answers)
        if self._video is None:
            self._size = picture.shape[1] // 2 * 2, len(picture) // 2 * 2  # codecs want even sides
            self._video = self._open(*self._size)
        self._video.write(cv2.cvtColor(fitted(picture, *self._size), cv2.COLOR_RGB2BGR))
        self._written += 1

    def _open(self, width: int, height: int) -> Any:
        code = cv2.VideoWriter_fourcc(*VIDEO_ENDINGS[self._path.suffix.lower()])
        video = cv2.VideoWriter(str(self._beside), code, self._rate, (width, height))
        if not video.isOpened():
            raise NetcfgError(
                f"OpenCV cannot write {self._path}\nhelp: `--annotate NAME.avi`, or a folder for single frames",
                code="NC804",
            )
        return video

    def close(self) -> None:
        """Finish the file and give it its name, once all its frames were read back: a writer of videos never fails."""
        if self._video is None:
            return
        with quiet():
            self._video.release()
        self._video = None
        readable = _readable_frames(self._beside)
        if readable < self._written:
            self._beside.unlink(missing_ok=True)
            raise NetcfgError(
                f"cannot write {shown_path(self._path)}: of {counted(self._written, 'frame')} {readable} can be read "
                "again\nhelp: is the disk full?",
                code="NC804",
            )
        self._beside.replace(self._path)


def _readable_frames(path: Path) -> int:
    """How many frames of a video that was just written are there."""
    try:
        with open_video(path) as video:
            return sum(1 for _ in iter(video.grab, False))
    except NetcfgError:
        return 0


def open_annotation(path: Path, frames: Frames) -> AnnotatedFolder | AnnotatedVideo:
    """A video where the name ends like one, else a folder of pictures."""
    if path.suffix.lower() in VIDEO_ENDINGS:
        _expect_another(path, frames.path)
        return AnnotatedVideo(path, _rate(frames))
    if path.suffix:
        kinds = " or ".join(VIDEO_ENDINGS)
        raise NetcfgError(
            f"{path}: frames are annotated into a folder, or into a {kinds} video", code="NC801"
        )
    return AnnotatedFolder(path)


def _expect_another(path: Path, read: Path) -> None:
    if path.exists() and path.samefile(read):
        raise NetcfgError(
            f"{path} is what is read, and would be lost\nhelp: another name for `--annotate`", code="NC803"
        )


def _rate(frames: Frames) -> float:
    """Frames a second: the video's own."""
    if not frames.is_video:
        return STILL_RATE
    with open_video(frames.path) as video:
        return float(video.get(cv2.CAP_PROP_FPS)) or STILL_RATE
