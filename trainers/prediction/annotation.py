"""Frames with bars that show what was predicted of them, as pictures in a folder or as a video."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.frames import open_video
from netcfg.datasets.pictures.opencv import cv2, quiet
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.cells import areas, measured
from netcfg.trainers.prediction.drawn import drawn_in, heat_sheet, png_of, seen_part
from netcfg.trainers.prediction.files import expect_new
from netcfg.trainers.prediction.folder import Places, make_new, write_picture
from netcfg.trainers.prediction.inputs import Inputs
from netcfg.trainers.prediction.prediction import Prediction
from netcfg.trainers.prediction.strips import strip
from netcfg.trainers.reporting.examples import class_colour
from netcfg.words import counted

Picture = NDArray[np.uint8]

STILL_RATE = 25.0  # frames a second of a video made of pictures
VIDEO_ENDINGS = {".mp4": "mp4v", ".avi": "MJPG"}
LEAST_HEIGHT = 240  # smaller frames are enlarged: the writing beside them keeps its size
MOST_WIDTH = 4096  # of a frame that is enlarged
MOST_ROWS = 24
ROW, MARGIN, PANEL, BAR = 20, 10, 210, 84
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_PAPER, _INK, _EMPTY, _PRESENT, _ABSENT = (
    (250, 250, 250),
    (45, 45, 45),
    (226, 226, 226),
    (214, 96, 32),
    (130, 160, 196),
)


def annotated(prediction: Prediction) -> Picture:
    """A frame, uint8 RGB H×W×3, its masks and points drawn in, and to its right a bar for every confidence.

    A present unit's is darker; a number is written, and a mask's classes have bars of how much they take. Below stands
    the frame once for each map of an answer, with that laid over it.
    """
    picture = prediction.frame.image
    sheets = [
        heat_sheet(seen_part(picture, answer.box), answer.names, values)
        for answer, values in prediction.answers
        if answer.kind == "map"
    ]
    return _stacked([_with_bars(prediction), *sheets])


def _stacked(pictures: list[Picture]) -> Picture:
    """Pictures one below the other, narrow ones on paper."""
    width = max(picture.shape[1] for picture in pictures)
    pages = [
        cv2.copyMakeBorder(
            picture, 0, 0, 0, width - picture.shape[1], cv2.BORDER_CONSTANT, value=[*map(float, _PAPER)]
        )
        for picture in pictures
    ]
    return np.asarray(np.concatenate(pages), np.uint8)


def _with_bars(prediction: Prediction) -> Picture:
    picture = drawn_in(prediction)
    rows = [row for answer, values in prediction.answers for row in _rows(answer, values)]
    least = max(LEAST_HEIGHT, 2 * MARGIN + ROW * len(rows))
    scale = max(1, min(-(-least // len(picture)), MOST_WIDTH // picture.shape[1]))
    frame = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    if len(frame) < least:  # a very flat picture stays as flat
        frame = cv2.copyMakeBorder(
            frame, 0, least - len(frame), 0, 0, cv2.BORDER_CONSTANT, value=[*map(float, _PAPER)]
        )
    if not rows:
        return np.asarray(frame, np.uint8)
    panel = np.full((len(frame), PANEL, 3), _PAPER, np.uint8)
    for place, row in enumerate(rows):
        _draw_row(panel, MARGIN + place * ROW, row)
    return np.concatenate([frame, panel], axis=1)


class Row(NamedTuple):
    """A line beside a frame: a name, a number, the length of its bar from 0 to 1 (None: no bar) and its colour."""

    name: str
    text: str
    bar: float | None
    colour: tuple[int, int, int]


def _rows(answer: Answer, values: Values) -> list[Row]:
    match answer.kind:
        case "labels":
            return [
                Row(name, f"{value:.2f}", float(value), _PRESENT if value > least else _ABSENT)
                for name, value, least in zip(answer.names, values, answer.present_above, strict=True)
            ]
        case "class":  # only the likeliest counts
            kept = np.argsort(-values, kind="stable")[:MOST_ROWS]
            order = sorted(kept) if len(kept) == len(values) else kept
            return [
                Row(
                    answer.names[i],
                    f"{values[i]:.2f}",
                    float(values[i]),
                    _PRESENT if i == kept[0] else _ABSENT,
                )
                for i in order
            ]
        case "number":
            return [
                Row(name, measured(answer, float(value)), None, _PRESENT)
                for name, value in zip(answer.names[:MOST_ROWS], values, strict=False)
            ]
        case "mask":
            found = areas(values, len(answer.names))
            seen = [i for i in np.argsort(-found, kind="stable").tolist() if i and found[i] > 0]
            return [
                Row(answer.names[i], f"{found[i]:.0%}", float(found[i]), class_colour(i))
                for i in seen[:MOST_ROWS]
            ]
    return []


def _draw_row(panel: Picture, top: int, row: Row) -> None:
    base, left = top + ROW - 6, MARGIN + 68
    cv2.putText(panel, row.name[:9], (MARGIN, base), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)
    if row.bar is not None:
        length = round(BAR * row.bar)
        cv2.rectangle(panel, (left, top + 3), (left + BAR, top + ROW - 4), _EMPTY, cv2.FILLED)
        cv2.rectangle(panel, (left, top + 3), (left + length, top + ROW - 4), row.colour, cv2.FILLED)
    cv2.putText(panel, row.text, (left + BAR + 8, base), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)


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
    """A PNG for every frame, or for every clip that is answered as a whole.

    Raises `NetcfgError` where the folder cannot be written.
    """

    def __init__(self, folder: Path, of_several: bool = True) -> None:
        make_new(folder, "--annotate")
        self._folder = folder
        self._places = Places(of_several)

    def write(self, prediction: Prediction) -> None:
        """The frame under its name, which in a video is its number."""
        picture = annotated(prediction) if prediction.clip is None else strip(prediction)
        write_picture(self._folder / self._places.of(prediction), png_of(picture))

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
        picture = annotated(prediction)
        if self._video is None:
            self._size = picture.shape[1] // 2 * 2, len(picture) // 2 * 2  # codecs want even sides
            self._video = self._open(*self._size)
        self._video.write(cv2.cvtColor(fitted(picture, *self._size), cv2.COLOR_RGB2BGR))
        self._written += 1

    def _open(self, width: int, height: int) -> Any:
        code = cv2.VideoWriter_fourcc(*VIDEO_ENDINGS[self._path.suffix.lower()])
        with quiet():
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
        with open_video(path) as video, quiet():
            return sum(1 for _ in iter(video.grab, False))
    except NetcfgError:
        return 0


def open_annotation(
    path: Path, inputs: Inputs, overwrite: bool = False, of_clips: bool = False
) -> AnnotatedFolder | AnnotatedVideo:
    """A video where the name ends like one, else a folder of pictures."""
    if path.suffix.lower() in VIDEO_ENDINGS and not of_clips:
        _expect_another(path, inputs)
        if not overwrite:
            expect_new(path, "--annotate")
        return AnnotatedVideo(path, _rate(inputs))
    if path.suffix:
        kinds = " or ".join(VIDEO_ENDINGS)
        where = (
            "whole clips are drawn into a folder, a picture each"
            if of_clips
            else f"frames are annotated into a folder, or into a {kinds} video"
        )
        raise NetcfgError(f"{path}: {where}", code="NC801")
    return AnnotatedFolder(path, len(inputs.clips) > 1)


def _expect_another(path: Path, inputs: Inputs) -> None:
    if path.exists() and any(path.samefile(clip.path) for clip in inputs.clips if clip.path.exists()):
        raise NetcfgError(
            f"{path} is what is read, and would be lost\nhelp: another name for `--annotate`", code="NC803"
        )


def _rate(inputs: Inputs) -> float:
    """Frames a second: the first video's own."""
    first = next((clip for clip in inputs.clips if clip.is_video), None)
    if first is None or first.camera is not None:
        return STILL_RATE
    with open_video(first.path) as video:
        return float(video.get(cv2.CAP_PROP_FPS)) or STILL_RATE
