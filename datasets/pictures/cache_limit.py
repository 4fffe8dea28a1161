"""How much of the disk netcfg's cache may take: decoded pictures and flow together, the least lately used go first.

The limit is `$NETCFG_CACHE_LIMIT`, in gigabytes; 20 where it is not set. Folders that a file names by itself have none.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from netcfg.files import user_cache
from netcfg.source import NetcfgError

DEFAULT_LIMIT = 20.0
VARIABLE = "NETCFG_CACHE_LIMIT"
_LOOKED = ".looked"
_SECONDS_BETWEEN = 600.0  # of looking without a need: a million files take a while


class Entry(NamedTuple):
    """What can go: a file of flow, or a folder of pictures, its bytes on disk and when it was last used."""

    used: float
    size: int
    path: Path


def limit_in_bytes() -> int:
    """The limit. Raises `NetcfgError` where the variable holds no number from 0."""
    text = os.environ.get(VARIABLE, "")
    try:
        limit = float(text) if text else DEFAULT_LIMIT
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise NetcfgError(
            f"{VARIABLE} is a number of gigabytes from 0, found `{text}`\nhelp: {VARIABLE}=20", code="NC801"
        )
    return int(limit * 1e9)


def free_space(folder: Path) -> int:
    """Bytes that the disk of a folder has left."""
    return shutil.disk_usage(folder).free


def used_now(folder: Path) -> None:
    """Note that an entry is of use."""
    os.utime(folder)


def make_room(needed: int = 0) -> bool:
    """Take away what was not used for longest, until the rest and `needed` bytes keep to the limit; whether they do.

    Without a need it looks once in ten minutes at most. What a running process has open it keeps until its end.
    """
    cache = user_cache()
    stamp = cache / _LOOKED
    if not needed and stamp.exists() and time.time() - stamp.stat().st_mtime < _SECONDS_BETWEEN:
        return True
    limit = limit_in_bytes()
    if needed > limit:
        return False
    entries = sorted(_entries(cache))
    left = sum(entry.size for entry in entries)
    for entry in entries:
        if left + needed <= limit:
            break
        if _removed(entry.path):
            left -= entry.size
    try:
        stamp.touch()
    except OSError:
        pass
    return left + needed <= limit


def _removed(path: Path) -> bool:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:  # another process may have it open, or have taken it away
        return not path.exists()
    return True


def _entries(cache: Path) -> Iterator[Entry]:
    """All that may go."""
    for folder in _below(cache / "pictures"):
        if folder.is_dir():
            # What was never written takes no room yet, but will: its whole length counts.
            sizes = [status.st_size for path in _below(folder) if (status := _status(path)) is not None]
            status = _status(folder)
            if status is not None:
                yield Entry(status.st_mtime, sum(sizes), folder)
    for folder in _below(cache / "flow"):
        for path in _below(folder) if folder.is_dir() else ():
            status = _status(path)
            if status is not None:
                yield Entry(max(status.st_atime, status.st_mtime), status.st_size, path)


def _below(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
