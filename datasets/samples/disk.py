"""Pictures that were decoded and scaled once, kept on disk: for more than fit into memory, for later runs.

A folder holds the samples of a split, a file of bytes for each field, all samples one after another, and one of
checksums, 0 for a sample that is not there. It is called by all that the pictures hang on: how they are read, their
files' names, sizes and times, and labels.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import FiledSamples, Sample, Samples
from netcfg.datasets.pictures.cache_limit import free_space, make_room, used_now
from netcfg.datasets.pictures.notes import say
from netcfg.files import user_cache
from netcfg.source import shown_path

VERSION = 1
"""Of how pictures are decoded and scaled: another one where their bytes are others."""
SHARE_OF_FREE_SPACE = 0.5
_FILLED = "filled"


class DiskPlaces:
    """Where the arrays of all samples lie in a folder; `filled` marks those that are there."""

    def __init__(self, folder: Path, count: int, example: Sample) -> None:
        self.kept = {
            name: _mapped(folder / f"{name}.bytes", (count, *array.shape), array.dtype)
            for name, array in example.items()
        }
        self.filled = _mapped(folder / _FILLED, (count,), np.dtype(np.uint32))


def places_on_disk(
    samples: Samples, split: Split, fields: Sequence[str], makes: bool, example: Sample
) -> DiskPlaces | None:
    """Room for all samples, with what an earlier run has left there; None where there is none, or nobody knows their
    files. Says where they are kept. Where it `makes` no room, there is only that of earlier runs.
    """
    if not isinstance(samples, FiledSamples) or not len(samples):
        return None
    files = samples.files()
    if files is None:
        return None
    try:
        folder = user_cache() / "pictures" / _key(samples, fields, example, files)
        needed = len(samples) * sum(array.nbytes for array in example.values())
        if not folder.is_dir() and not (makes and _made(folder, samples, example, needed)):
            return None
        used_now(folder)
        places = DiskPlaces(folder, len(samples), example)
    except (
        OSError,
        ValueError,
    ):  # the disk is full or may not be written to, or a file was cut: goes on without
        return None
    if makes:
        say(
            f"{split}: pictures are kept in {shown_path(folder)}, {needed / 1e9:.2g} GB, once they are decoded"
        )
    return places


def _made(folder: Path, samples: Samples, example: Sample, needed: int) -> bool:
    """Make a folder of empty places, whole or not at all; whether there is room for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if needed > SHARE_OF_FREE_SPACE * free_space(folder.parent) or not make_room(needed):
        return False
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    sizes = {f"{name}.bytes": len(samples) * array.nbytes for name, array in example.items()}
    for name, size in (sizes | {_FILLED: 4 * len(samples)}).items():
        with (beside / name).open("wb") as file:
            file.truncate(size)
    try:
        beside.rename(folder)
    except OSError:  # another run has made it meanwhile
        for path in beside.iterdir():
            path.unlink()
        beside.rmdir()
    return folder.is_dir()


def _key(samples: FiledSamples, fields: Sequence[str], example: Sample, files: Sequence[str]) -> str:
    from netcfg.datasets.pictures.opencv import cv2

    found = hashlib.sha256()
    shapes = {name: [str(array.dtype), *array.shape] for name, array in example.items()}
    # Not what the source is told otherwise: one that a run has settled says more, and means the same.
    told = [VERSION, cv2.__version__, samples.made_by(), list(fields), shapes]
    found.update(json.dumps(told, sort_keys=True).encode())
    for path in files:
        status = os.stat(path)
        found.update(
            f"{os.path.abspath(path)}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(
                "utf-8", "surrogateescape"
            )
        )
    table = samples.table
    numbers = {"subject": table.subjects, "clip": table.clips, "frame": table.frames}
    for name in sorted(fields):
        column = numbers.get(name) if name in numbers else table.labels.get(name)
        if column is not None:
            found.update(name.encode() + np.ascontiguousarray(column).tobytes())
    return found.hexdigest()[:32]


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """A file as an array that all processes share. Raises `ValueError` where it is of another length."""
    if path.stat().st_size != int(np.prod(shape)) * dtype.itemsize:
        raise ValueError(f"{path} was cut")  # numpy would make it longer, and say nothing
    return np.memmap(path, dtype, "r+", shape=shape)
