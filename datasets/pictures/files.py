"""The files of pictures in a folder and below, by their names: folders may hold very many, so none is opened."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from netcfg.blocks.picture_files import PICTURES, UNREAD_PICTURES
from netcfg.datasets.pictures.frames import natural
from netcfg.source import NetcfgError, shown_path

_SETTLED = 2_000_000_000
"""Nanoseconds after which a folder's time of change tells that it is as it was."""


def pictures_below(folder: Path) -> tuple[list[str], int]:
    """The pictures in a folder and below, by their names from there in natural order, and how many nothing here reads.

    Raises `NetcfgError` for a folder that may not be read.
    """
    try:
        changed = os.stat(folder).st_mtime_ns
    except OSError:
        changed = time.time_ns()
    # All splits ask for the same names. What has just changed may change again within one tick of the clock.
    if time.time_ns() - changed > _SETTLED:
        names, unread, is_flat = _kept(str(folder), changed)
        if is_flat:
            return list(names), unread
    found, unread = _sorted(_files(str(folder), ""))
    return list(found), unread


@lru_cache(maxsize=4_096)
def _kept(folder: str, changed: int) -> tuple[Sequence[str], int, bool]:
    """The pictures right in a folder; whether there is no folder in it, whose changes it would not show."""
    names = list(_files(folder, ""))
    if any("/" in name for name in names):
        return (), 0, False
    return (*_sorted(names), True)


def _sorted(names: Iterable[str]) -> tuple[Sequence[str], int]:
    found, unread = [], 0
    for name in names:
        ending = os.path.splitext(name)[1].lower()
        if ending in PICTURES:
            found.append(name)
        elif ending in UNREAD_PICTURES:
            unread += 1
    return tuple(sorted(found, key=natural)), unread


def _files(folder: str, before: str) -> Iterator[str]:
    """The names of files below a folder, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "__")):
                    continue
                if entry.is_dir(follow_symlinks=not before):  # a link may lead back
                    yield from _files(entry.path, f"{before}{entry.name}/")
                else:
                    yield before + entry.name
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise NetcfgError(f"cannot read {shown_path(Path(folder))}: {error.strerror}", "NC804") from None
