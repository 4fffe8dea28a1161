"""Clips in, folders of flow pictures out: what is to be written where, and the writing of one clip.

A flow picture has the name of the frame the motion starts from; the last frame has the picture of the one before it.
The folder's `flow.json` says how its pictures were made, so that a later call goes on in the same way or not at all.

Source: AUNets, which keeps flow in a folder beside that of the faces, under the same names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.picture_files import VIDEOS
from netcfg.datasets.flow.encoding import FlowPictures, grey
from netcfg.datasets.flow.samples import fitted
from netcfg.datasets.pictures.frames import FLOW_RECORD, Frames, find_clips, open_frames
from netcfg.datasets.pictures.reading import ORDINARY, Reading
from netcfg.files import write_beside
from netcfg.source import NetcfgError, shown_path

QUALITY = 95  # of JPEG


@dataclass(frozen=True)
class Recipe:
    """How pictures are made. `size` (height, width) scales them by nearest pixels; None: as large as the frames.

    `turn`: frames are turned as they say.
    """

    method: str = "dis"
    encoding: str = "per_frame"
    limit: float | None = None
    size: tuple[int, int] | None = None
    format: str = "png"
    turn: bool = True

    @property
    def ending(self) -> str:
        """`.png`."""
        return f".{self.format}"

    def pictures(self) -> FlowPictures:
        """From two frames to the picture of their flow. Raises `NetcfgError` where this OpenCV lacks the method."""
        limit = {} if self.limit is None else {"limit": self.limit}
        return FlowPictures(self.method, self.encoding, **limit)

    def as_written(self) -> dict[str, Any]:
        """As `flow.json` has it."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]  # tuples become lists


@dataclass(frozen=True)
class Clip:
    """The frames of a clip, and the folder for their flow."""

    frames: Frames
    target: Path

    def place(self, name: str, recipe: Recipe) -> Path:
        """The file for the flow that starts from a frame."""
        return self.target / f"{name}{recipe.ending}"

    def is_complete(self, recipe: Recipe) -> bool:
        """Whether every frame has its picture."""
        return all(self.place(name, recipe).is_file() for name in self.frames.names or ("",))


@dataclass(frozen=True)
class Outcome:
    """What came of a clip: pictures written, pictures that were there, and what went wrong."""

    written: int = 0
    kept: int = 0
    error: str = ""


class Watch(Protocol):
    """Who looks on while clips are written, maybe from another process."""

    @property
    def is_stopped(self) -> bool:
        """Whether to write nothing more."""
        ...

    def advance(self, frames: int) -> None:
        """So many frames are done."""
        ...

    def stop(self) -> None:
        """No clip can be written any more."""
        ...


# --- what is to be done -----------------------------------------------------------------------------------


def plan(inputs: Sequence[Path], output: Path, reading: Reading = ORDINARY) -> tuple[list[Clip], list[str]]:
    """The clips of the inputs, each with its folder, and what is wrong with clips that cannot be read.

    The folder is `output` for a single clip, else one in it by the clip's name.
    Errors: `NetcfgError` where there is no clip, two would share a folder, or flow would lie among the frames.
    """
    clips: list[Clip] = []
    refused: list[NetcfgError] = []
    for path in inputs:
        for place, name in _clips_of(path, len(inputs) > 1):
            try:
                clips.append(Clip(_open(place, reading), output / name))
            except NetcfgError as error:
                refused.append(error)
    if not clips:
        raise refused[0]
    _check_targets(clips)
    return clips, [error.told() for error in refused]


def _clips_of(path: Path, several: bool) -> list[tuple[Path, Path]]:
    """The clips at a path, each with its name; the path itself where there is none, to say what is wrong with it."""
    own = Path(_clip_name(path.resolve()).name if several else "")
    if not path.is_dir():
        return [(path, own)]
    return [(clip, own / _clip_name(clip.relative_to(path))) for clip in find_clips(path)] or [(path, own)]


def _clip_name(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in VIDEOS else path


def _open(path: Path, reading: Reading) -> Frames:
    frames = open_frames(path, reading=reading)
    if not frames.is_video and len(frames) == 1:
        raise _too_short(path)
    twice = [name for name, count in Counter(frames.names).items() if count > 1]
    if twice:
        raise NetcfgError(
            f"{shown_path(path)} has two pictures of the name `{twice[0]}`, which flow goes by\n"
            "help: take one of them out",
            code="NC508",
        )
    return frames


def _check_targets(clips: Sequence[Clip]) -> None:
    taken: dict[Path, Path] = {}
    for clip in clips:
        place = clip.frames.path
        if clip.target.resolve() == place.resolve():
            raise NetcfgError(
                f"the flow of {shown_path(place)} would lie among its frames\nhelp: another folder as `-o`",
                code="NC803",
            )
        other = taken.setdefault(clip.target, place)
        if other is not place:
            raise NetcfgError(
                f"{shown_path(other)} and {shown_path(place)} would both be written to {shown_path(clip.target)}\n"
                "help: a call for each, with an `-o` of its own",
                code="NC803",
            )


def begin(output: Path, recipe: Recipe, clips: Sequence[Clip], overwrite: bool) -> None:
    """Make the folder ready: new, or one that an earlier call filled in the same way.

    With `overwrite`, the clips' pictures of earlier calls are removed. Errors: `NetcfgError` where anything else is
    there.
    """
    earlier = _earlier(output)
    if earlier is None and _holds_files(output):
        raise NetcfgError(
            f"{shown_path(output)} holds files that `netcfg flow` did not write, and nothing is overwritten\n"
            "help: name a new folder",
            code="NC803",
        )
    if earlier is not None and overwrite:
        _clear(clips, str(earlier.get("format", "")))
    elif earlier is not None and earlier != recipe.as_written():
        raise NetcfgError(
            f"{shown_path(output)} holds flow that was made in another way: {_differences(earlier, recipe)}\n"
            "help: another folder as `-o`, or `--overwrite`",
            code="NC803",
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NetcfgError(
            f"cannot make the folder {shown_path(output)}: {error.strerror}", code="NC804"
        ) from None
    # Before any picture, so that what is cut short can be taken up.
    write_beside(output / FLOW_RECORD, (json.dumps(recipe.as_written(), indent=2) + "\n").encode())


def _holds_files(folder: Path) -> bool:
    try:
        return folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise NetcfgError(
            f"cannot read the folder {shown_path(folder)}: {error.strerror}", code="NC804"
        ) from None


def _earlier(output: Path) -> dict[str, Any] | None:
    """How the pictures in a folder were made; None where it has no record."""
    if output.exists() and not output.is_dir():
        raise NetcfgError(f"{shown_path(output)} is a file, and flow goes into a folder", code="NC803")
    try:
        record = json.loads((output / FLOW_RECORD).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise NetcfgError(
            f"{shown_path(output / FLOW_RECORD)} cannot be read\nhelp: name a new folder", code="NC804"
        )
    return {"turn": True} | record  # which older ones do not say


def _differences(earlier: dict[str, Any], recipe: Recipe) -> str:
    asked = recipe.as_written()
    changed = [key for key in asked if earlier.get(key) != asked[key]]
    return ", ".join(
        f"`{key}` was {_said(earlier.get(key))}, and now is {_said(asked[key])}" for key in changed
    )


def _said(value: Any) -> str:
    if value is None:
        return "not given"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _clear(clips: Sequence[Clip], format: str) -> None:
    """Remove the clips' pictures, which the folder's record says are flow."""
    for clip in clips:
        for picture in clip.target.glob(f"*.{format}") if format in ("png", "jpg") else ():
            try:
                picture.unlink()
            except OSError as error:
                raise NetcfgError(
                    f"cannot remove {shown_path(picture)}: {error.strerror}", code="NC804"
                ) from None


# --- one clip ---------------------------------------------------------------------------------------------


def write_clip(clip: Clip, recipe: Recipe, watch: Watch) -> Outcome:
    """Write the flow of a clip, but for pictures that are there. What goes wrong becomes part of the outcome."""
    writer = _Writer(clip, recipe, watch)
    try:
        writer.run()
    except NetcfgError as error:
        return Outcome(writer.written, writer.kept, error.told())
    return Outcome(writer.written, writer.kept)


class _Writer:
    """Writes one clip, holding two grey frames at a time."""

    def __init__(self, clip: Clip, recipe: Recipe, watch: Watch) -> None:
        self.clip = clip
        self.recipe = recipe
        self.watch = watch
        self.written = self.kept = 0
        self._pictures = recipe.pictures()

    def run(self) -> None:
        """Raises `NetcfgError` where a frame cannot be read or a picture not be written."""
        self._make_folder()
        before: tuple[str, NDArray[np.uint8]] | None = None
        place: Path | None = None
        for frame in self.clip.frames:
            if self.watch.is_stopped:
                return
            image = grey(frame.image)
            if before is not None:
                place = self._write(*before, image)
            before = frame.name, image
        if before is None or place is None:
            raise _too_short(self.clip.frames.path)
        self._copy(place, before[0])

    def _make_folder(self) -> None:
        try:
            self.clip.target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.watch.stop()
            raise NetcfgError(
                f"cannot make the folder {shown_path(self.clip.target)}: {error.strerror}", code="NC804"
            ) from None

    def _write(self, name: str, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Path:
        """The file with the flow from frame `name` to the next one."""
        place = self.clip.place(name, self.recipe)
        if self._is_there(place):
            return place
        self._save(place, encoded(fitted(self._pictures(first, second), None, self.recipe.size), self.recipe))
        return place

    def _copy(self, place: Path, name: str) -> None:
        """The last frame has what the one before it has."""
        last = self.clip.place(name, self.recipe)
        if not self._is_there(last):
            self._save(last, place.read_bytes())

    def _is_there(self, place: Path) -> bool:
        if not place.is_file():
            return False
        self.kept += 1
        self.watch.advance(1)
        return True

    def _save(self, place: Path, data: bytes) -> None:
        try:
            write_beside(place, data)
        except NetcfgError:
            self.watch.stop()  # a full disk is full for every clip
            raise
        self.written += 1
        self.watch.advance(1)


def encoded(picture: NDArray[np.uint8], recipe: Recipe) -> bytes:
    """An RGB picture as the bytes of a file."""
    from netcfg.datasets.pictures.opencv import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if recipe.format == "jpg" else []
    _, data = cv2.imencode(recipe.ending, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()  # type: ignore[no-any-return]


def _too_short(path: Path) -> NetcfgError:
    return NetcfgError(
        f"{shown_path(path)} has one frame, and flow is between two\nhelp: a folder of frames in order, or a video",
        code="NC508",
    )
