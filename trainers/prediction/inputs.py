"""What is to be predicted: files, folders with all that lies below them, patterns and lists of names, videos."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netcfg.datasets.pictures.frames import Frame, Frames, camera_of, find_clips, open_camera, open_frames
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading
from netcfg.files import expect_regular
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

_ANIMATED = (".webp", ".png")
_HEAD = 256
LISTS = (".txt", ".lst")
"""Files of names, a line each."""


@dataclass(frozen=True)
class Inputs:
    """Clips in order (the pictures of a folder are one, and so is a single one), and the folder they all lie below."""

    root: Path
    clips: tuple[Frames, ...]

    def __len__(self) -> int:
        """How many frames there are, as far as videos say."""
        return sum(len(clip) for clip in self.clips)

    @property
    def is_live(self) -> bool:
        """Whether some come from a camera."""
        return any(clip.camera is not None for clip in self.clips)

    @property
    def is_counted(self) -> bool:
        """Whether that number is known: a video's header may not tell."""
        return all(len(clip) for clip in self.clips)

    def __iter__(self) -> Iterator[Frames]:
        return iter(self.clips)

    def named(self, frame: Frame) -> str:
        """What its file is called below the common folder."""
        return self.file(frame.path)

    def clip(self, clip: Frames) -> str:
        """What a clip is called: its video, or its folder."""
        file = self.file(clip.path)
        return self.root.name if file == "." else file

    def file(self, path: Path) -> str:
        """What a file of these is called below the common folder, with `/`."""
        return Path(os.path.relpath(os.path.abspath(path), self.root)).as_posix()


def open_inputs(
    names: Sequence[str],
    *,
    same_size: bool = False,
    on_error: Callable[[NetcfgError], None] | None = None,
    reading: Reading = ORDINARY,
) -> Inputs:
    """The clips of what is named on a command line. A file that is named twice is taken once.

    `*` and `?` in a name that is no file are a pattern, `**` goes through folders; a .txt file holds a name a line;
    `camera:0` is a camera, which comes last, as it has no end.
    Errors: `NetcfgError` for what is missing, holds no pictures, or is neither picture nor video.
    """
    clips: list[Frames] = []
    seen: set[str] = set()
    errors: list[NetcfgError] = []
    cameras = {number: name for name in names if (number := camera_of(name)) is not None}
    for place in _places(name for name in names if name not in cameras.values()):
        for path in _below(place) if place.is_dir() else [place]:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                try:
                    clips.append(open_frames(path, same_size=same_size, on_error=on_error, reading=reading))
                except NetcfgError as error:
                    if on_error is None:
                        raise
                    errors.append(error)
    clips += [open_camera(number) for number in cameras]
    if errors and not clips:
        raise errors[0]
    if on_error is not None:
        for known in errors:
            on_error(known)
    _say_animated(clips)
    return Inputs(_root(names, clips), tuple(_joined(clips)))


def _say_animated(clips: Sequence[Frames]) -> None:
    """A note on pictures that hold several: the first of them is read."""
    files = [file for clip in clips for file in clip.files if file.suffix.lower() in _ANIMATED]
    found = [str(file) for file in files if _is_animated(file)]
    if found:
        say(
            f"of animated pictures the first frame is taken: {counted(len(found), 'picture')}, {named(found)}"
        )


def _is_animated(file: Path) -> bool:
    """By the chunks that stand before the first frame of a WebP or PNG."""
    try:
        expect_regular(file)
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:  # reading it will say why
        return False
    if head.startswith(b"\x89PNG"):
        return b"acTL" in head.partition(b"IDAT")[0]
    return head[8:16] == b"WEBPVP8X" and bool(head[20] & 0x02)


def _places(names: Iterable[str]) -> Iterator[Path]:
    """Paths, with patterns and lists replaced by what they name."""
    for name in names:
        path = Path(name)
        if not path.exists() and glob.has_magic(name):
            found = sorted(glob.glob(name, recursive=True))
            if not found:
                raise NetcfgError(
                    f"nothing is called {shown_path(path)}\nhelp: `**/*.png` looks in all folders below",
                    code="NC802",
                )
            # A folder of the pattern `**` is taken by the files in it.
            yield from (Path(one) for one in found if "**" not in name or not Path(one).is_dir())
        elif path.suffix.lower() in LISTS and path.is_file():
            yield from _listed(path)
        else:
            yield path


def _listed(path: Path) -> Iterator[Path]:
    """The files that a list names, from its own folder or the current one; empty lines and `#` are passed over."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NetcfgError(f"cannot read {shown_path(path)}: {reason}", code="NC804") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    named = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not named:
        raise NetcfgError(f"the list {shown_path(path)} names no file", code="NC802")
    for number, line in named:
        beside = path.parent / line
        place = beside if beside.exists() else Path(line)
        if not place.exists():
            raise NetcfgError(
                f"{shown_path(path)}, line {number}: there is no {line}\n"
                "help: names are taken from the list's own folder, or from the current one",
                code="NC802",
            )
        yield place


def _below(folder: Path) -> Sequence[Path]:
    """The clips in a folder and below it; the folder itself where there is none, which then says so."""
    return find_clips(folder) or [folder]


def _joined(clips: Sequence[Frames]) -> Iterator[Frames]:
    """Single pictures of one folder that follow each other as one clip, as a pattern of a shell names frames."""
    waiting: Frames | None = None
    for clip in clips:
        if waiting is not None and _is_picture(clip) and clip.files[0].parent == waiting.files[0].parent:
            files = (*waiting.files, *clip.files)
            waiting = replace(waiting, path=files[0].parent, files=files, count=len(files))
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if _is_picture(clip):
            waiting = clip
        else:
            yield clip
    if waiting is not None:
        yield waiting


def _is_picture(clip: Frames) -> bool:
    return len(clip.files) == 1 and clip.path == clip.files[0]


def _root(names: Sequence[str], clips: Sequence[Frames]) -> Path:
    """The folder that was named, or the deepest that all files lie in."""
    if len(names) == 1 and Path(names[0]).is_dir():
        return Path(os.path.abspath(names[0]))
    folders = {os.path.abspath(file.parent) for clip in clips for file in (clip.files[:1] or (clip.path,))}
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on different drives
        return Path(os.path.abspath(os.sep))
