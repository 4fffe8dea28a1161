"""Frames of a folder of pictures, a video or a single picture, read one at a time.

Whatever the length of a clip, one frame is in memory. Frames are uint8 H×W×3, RGB, all of one size unless asked
otherwise.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.picture_files import PICTURES, UNREAD_PICTURES, VIDEOS
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading, read_picture, what_is_wrong_with
from netcfg.files import expect_regular
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

FLOW_RECORD = "flow.json"  # lies in what `netcfg flow` wrote

_CAMERA = re.compile(r"camera:(\d{1,3})\Z")
_CUT_SHARE = 0.9  # a video that ends before this part of the frames it announces is damaged; others estimate


class Frame(NamedTuple):
    """One frame of a clip.

    `name` is its file's name without ending, or in a video its number: `000001`. `number` counts from 1.
    `seconds` is when it is shown, in a video; None elsewhere. `path` is the file it comes from.
    """

    name: str
    number: int
    seconds: float | None
    image: NDArray[np.uint8]
    path: Path


@dataclass(frozen=True)
class Frames:
    """The frames of one clip, read anew in each iteration.

    `count` is how many there are; a video's is what its header says, which some files only estimate.
    `same_size`: whether a frame of another size than the first is an error. `on_error` is called with what is wrong
    with a picture that cannot be read, which then is left out; without it, that is raised.

    Errors: `NetcfgError`, while iterating, that names the file.
    """

    path: Path
    files: tuple[Path, ...]
    count: int
    same_size: bool = True
    on_error: Callable[[NetcfgError], None] | None = None
    reading: Reading = ORDINARY
    camera: int | None = None
    """The number of the camera whose picture it is; its frames have no end, and `count` is 0."""

    @property
    def is_video(self) -> bool:
        """Whether the frames come out of a video."""
        return not self.files

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the frames; a video's as far as its header knows how many there are."""
        if self.is_video:
            return tuple(map(_number_name, range(1, self.count + 1)))
        return tuple(file.stem for file in self.files)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Frame]:
        if self.camera is not None:
            frames = _of_camera(self.path, self.camera)
        else:
            frames = _of_video(self.path, self.reading.turns) if self.is_video else self._of_files()
        return self._checked(frames) if self.same_size else frames

    def _of_files(self) -> Iterator[Frame]:
        for number, path in enumerate(self.files, 1):
            image = read_picture(path, self.reading)
            if image is not None:
                yield Frame(path.stem, number, None, image, path)
                continue
            why, help = what_is_wrong_with(path, self.reading)
            error = NetcfgError(f"{shown_path(path)} cannot be read: {why}\nhelp: {help}", code="NC504")
            if self.on_error is None:
                raise error
            self.on_error(error)

    def _checked(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        first: Frame | None = None
        for frame in frames:
            first = first or frame
            if frame.image.shape != first.image.shape:
                raise NetcfgError(
                    f"{shown_path(self.path)}: frame `{frame.name}` is {size_of(frame)} (height×width), and "
                    f"`{first.name}` is {size_of(first)}\nhelp: bring the frames of a clip to one size",
                    code="NC504",
                )
            yield frame


def open_frames(
    path: str | Path,
    *,
    same_size: bool = True,
    on_error: Callable[[NetcfgError], None] | None = None,
    reading: Reading = ORDINARY,
) -> Frames:
    """The frames of a folder of pictures, a video, or a single picture.

    Pictures of a folder come in the order of the numbers in their names: 2 before 10. Nothing is decoded yet.
    Errors: `NetcfgError` for what is missing, holds no pictures, or is neither picture nor video.
    """
    place = Path(path)
    if place.is_dir():
        files = tuple(picture_files(place))
        if not files:
            raise _no_pictures(place)
        return Frames(place, files, len(files), same_size, on_error, reading)
    if not place.exists():
        raise NetcfgError(
            f"there is no {shown_path(place)}\nhelp: name a folder of frames, a video or a picture",
            code="NC802",
        )
    if place.suffix.lower() in PICTURES:
        return Frames(place, (place,), 1, same_size, on_error, reading)
    if place.suffix.lower() in VIDEOS:
        return Frames(place, (), _announced(place), same_size, on_error, reading)
    known = ", ".join((*PICTURES, *VIDEOS))
    raise NetcfgError(
        f"{shown_path(place)} is neither a picture nor a video by its ending\nhelp: known are {known}",
        code="NC504",
    )


def camera_of(name: str) -> int | None:
    """The number of the camera that a name such as `camera:0` means; None for any other name."""
    match = _CAMERA.match(name)
    return int(match[1]) if match and not os.path.exists(name) else None


def open_camera(number: int) -> Frames:
    """The frames of a camera, until somebody stops. Raises `NetcfgError` where OpenCV has none of that number."""
    with _camera(number):
        return Frames(Path(f"camera:{number}"), (), 0, camera=number)


def picture_files(folder: Path) -> list[Path]:
    """The pictures that lie directly in a folder, in natural order; hidden files are no pictures.

    Links to nowhere or to themselves, pipes and the like, and pictures of formats that are not read are left out,
    which is said once.
    Errors: `NetcfgError` where the folder cannot be read.
    """
    names: list[str] = []
    lost: list[str] = []
    special: list[str] = []
    unread: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                ending = _ending(entry.name)
                if entry.name.startswith("."):
                    continue
                if ending in PICTURES:
                    kind = _kind(entry)
                    if kind == stat.S_IFREG:
                        names.append(entry.name)
                    elif kind is None:
                        lost.append(entry.name)
                    elif kind != stat.S_IFDIR:
                        special.append(entry.name)
                elif ending in UNREAD_PICTURES:
                    unread.append(entry.name)
    except OSError as error:
        _refuse_folder(error)
    _say_left_out(folder, "links to files that are not there", lost)
    _say_left_out(folder, "no ordinary files (pipes, sockets, devices)", special)
    _say_left_out(folder, "of a format that is not read", unread)
    return [folder / name for name in sorted(names, key=natural)]


def _kind(entry: os.DirEntry[str]) -> int | None:
    """What an entry is, links followed, as `stat.S_IFMT` has it; none where a link leads nowhere or to itself."""
    try:
        return stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return None


def _say_left_out(folder: Path, why: str, names: list[str]) -> None:
    if names:
        listed = named(sorted(names, key=natural))
        say(f"{shown_path(folder)}: left out, {why}: {counted(len(names), 'picture')}, {listed}")


def find_clips(root: Path) -> list[Path]:
    """All clips at and below a folder: folders that hold pictures, and videos; in natural order.

    Links are followed, each folder is visited once, and what `netcfg flow` wrote below the root is left out.
    Errors: `NetcfgError` where a folder cannot be read.
    """
    clips: list[Path] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, onerror=_refuse_folder, followlinks=True):
        place = os.path.realpath(folder)
        # Links may lead in circles. Flow is left out below the root; the root itself was asked for.
        if place in seen or (FLOW_RECORD in names and len(seen) > 0):
            folders.clear()
            continue
        seen.add(place)
        # In place, as `os.walk` goes on with what is left in its list.
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = [name for name in names if not name.startswith(".")]
        clips += [Path(folder, name) for name in shown if _ending(name) in VIDEOS]
        if any(_ending(name) in PICTURES for name in shown):
            clips.append(Path(folder))
    return sorted(clips, key=lambda clip: natural(str(clip)))


def natural(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """A sorting key by which numbers in names count as numbers: `f2` before `f10`."""
    # Marked as numbers or words, which cannot be compared with each other; the name last, for `01` beside
    # `1`.
    parts = [part for part in re.split(r"(\d+)", name) if part]
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], name


def size_of(frame: Frame) -> str:
    """`480×640`."""
    return f"{frame.image.shape[0]}×{frame.image.shape[1]}"


# --- videos -----------------------------------------------------------------------------------------------


@contextmanager
def open_video(path: Path) -> Iterator[Any]:
    """OpenCV's reader of a video, closed afterwards. Raises `NetcfgError` where the file cannot be read as one."""
    from netcfg.datasets.pictures.opencv import cv2, quiet

    _expect_file(path)
    with quiet():  # of several readers that are tried, some complain on stderr whatever the log's level is
        video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise NetcfgError(
                f"{shown_path(path)} cannot be read as a video: {_why_no_video(path)}", code="NC504"
            )
        yield video
    finally:
        video.release()


@contextmanager
def _camera(number: int) -> Iterator[Any]:
    from netcfg.datasets.pictures.opencv import cv2, quiet

    with quiet():
        camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise NetcfgError(
                f"there is no camera {number} that OpenCV could open\n"
                "help: cameras count from 0; another program may hold it, or this one may not be allowed to",
                code="NC802",
            )
        yield camera
    finally:
        camera.release()


def _of_camera(path: Path, number: int) -> Iterator[Frame]:
    """As they come: the time of each is that since the first one."""
    from netcfg.datasets.pictures.opencv import cv2

    count, start = 0, 0.0
    with _camera(number) as camera:
        while True:
            good, picture = camera.read()
            if not good:
                break
            count += 1
            start = start or time.monotonic()
            image = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            yield Frame(_number_name(count), count, time.monotonic() - start, image, path)
    if not count:
        raise NetcfgError(f"the camera {number} gives no picture\nhelp: another number", code="NC504")


def _of_video(path: Path, turns: bool) -> Iterator[Frame]:
    from netcfg.datasets.pictures.opencv import cv2, quiet

    number = 0
    with open_video(path) as video:
        announced = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if not turns:
            video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        while True:
            with quiet():
                good, picture = video.read()
            if not good:
                break
            number += 1
            seconds = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            image = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            yield Frame(_number_name(number), number, seconds, image, path)
    if number == 0 or number < int(_CUT_SHARE * announced):
        where = (
            f"ends after frame {number} of {announced}" if announced else "holds no frame that can be read"
        )
        raise NetcfgError(f"{shown_path(path)} {where}: it is cut short or damaged", code="NC504")


def _number_name(number: int) -> str:
    return f"{number:06d}"


def _announced(path: Path) -> int:
    """How many frames a video says it has."""
    from netcfg.datasets.pictures.opencv import cv2

    with open_video(path) as video:
        return max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))


def _expect_file(path: Path) -> None:
    try:
        expect_regular(path)
    except OSError as error:
        why = error.strerror or "it cannot be opened"
        raise NetcfgError(f"{shown_path(path)} cannot be read as a video: {why}", code="NC504") from None


def _why_no_video(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return "it is cut short, damaged, or no video" if file.read(1) else "it is empty"
    except OSError as error:
        return error.strerror or "it cannot be opened"


# --- words ------------------------------------------------------------------------------------------------


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _refuse_folder(error: OSError) -> NoReturn:
    raise NetcfgError(
        f"cannot read the folder {shown_path(error.filename)}: {error.strerror}", code="NC804"
    ) from None


def _no_pictures(folder: Path) -> NetcfgError:
    clips = find_clips(folder)
    help = f"{shown_path(clips[0])} is a clip" if clips else f"pictures end in {', '.join(PICTURES)}"
    return NetcfgError(f"the folder {shown_path(folder)} holds no pictures\nhelp: {help}", code="NC504")
