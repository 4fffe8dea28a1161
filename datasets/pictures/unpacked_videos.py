"""Videos as folders of pictures, made once: training shows frames in any order, and a video only plays forward."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.frames import open_frames
from netcfg.datasets.pictures.reading import ORDINARY, Reading
from netcfg.files import user_cache
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

QUALITY = 95  # of JPEG
_MOST_AT_ONCE = 8


def unpack(videos: Sequence[Path], cache: Path | None = None, reading: Reading = ORDINARY) -> list[Path]:
    """Each video's folder of frames, `000001.jpg` and so on; those that are not there yet are written.

    A folder is complete or not there: one that is interrupted is made anew. A changed video gets a new folder.
    Errors: `NetcfgError` for a video that cannot be read, and where there is no room.
    """
    folders = [_folder_of(video, cache, reading) for video in videos]
    todo = [pair for pair in zip(videos, folders, strict=True) if not pair[1].is_dir()]
    if todo:
        _unpack_new(todo, reading)
    return folders


def frame_count(video: Path, cache: Path | None = None, reading: Reading = ORDINARY) -> int:
    """How many frames a video has: those unpacked, or else as many as it says."""
    folder = _folder_of(video, cache, reading)
    if folder.is_dir():
        return sum(path.suffix == ".jpg" for path in folder.iterdir())
    return len(open_frames(video))


def _folder_of(video: Path, cache: Path | None, reading: Reading) -> Path:
    """A name that is another one for another video, or for this one changed."""
    try:
        state = video.stat()
    except OSError as error:
        raise NetcfgError(f"cannot read {shown_path(video)}: {error.strerror}", code="NC804") from None
    text = f"{video.resolve()} {state.st_size} {state.st_mtime_ns}" + ("" if reading.turns else " as stored")
    return (
        cache or user_cache() / "frames"
    ) / f"{video.stem}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _unpack_new(todo: Sequence[tuple[Path, Path]], reading: Reading) -> None:
    """Unpack several videos at once; where one fails or a person interrupts, the others stop, too."""
    from rich.console import Console
    from rich.progress import Progress

    stopping = threading.Event()
    title = f"unpacking {counted(len(todo), 'video')} to {shown_path(todo[0][1].parent)}"
    with (
        Progress(console=Console(stderr=True), transient=True) as progress,
        ThreadPoolExecutor(min(len(todo), os.cpu_count() or 1, _MOST_AT_ONCE)) as pool,
    ):
        task = progress.add_task(title, total=sum(len(open_frames(video)) for video, _ in todo))

        def unpack_one(pair: tuple[Path, Path]) -> None:
            with closing(_unpack_one(*pair, reading)) as steps:
                for _ in steps:
                    progress.advance(task)
                    if stopping.is_set():
                        return

        try:
            list(pool.map(unpack_one, todo))
        except BaseException:
            # Threads cannot be stopped from outside: each looks after every frame.
            stopping.set()
            pool.shutdown(cancel_futures=True)
            raise


def _unpack_one(video: Path, folder: Path, reading: Reading) -> Generator[None, None, None]:
    """Write a video's frames, a step each; the folder takes its place after the last one."""
    # By process: two that unpack one video do not write into each other's folder.
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for frame in open_frames(video, reading=reading):
            _write_frame(part / f"{frame.name}.jpg", frame.image)
            yield
        part.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was quicker
            raise NetcfgError(
                f"cannot unpack {shown_path(video)} to {shown_path(folder)}: {error.strerror or error}\n"
                "help: `cache = DIR` names a folder with more room",
                code="NC804",
            ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_frame(path: Path, image: NDArray[np.uint8]) -> None:
    from netcfg.datasets.pictures.opencv import cv2

    picture = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    path.write_bytes(data.tobytes())
