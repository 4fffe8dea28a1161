"""The files of pictures in a folder and below, by their names: folders may hold very many, so none is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from netcfg.blocks.picture_files import PICTURES, UNREAD_PICTURES
from netcfg.datasets.pictures.frames import natural
from netcfg.source import NetcfgError, shown_path


def pictures_below(folder: Path) -> tuple[list[str], int]:
    """The pictures in a folder and below, by their names from there in natural order, and how many nothing here reads.

    Raises `NetcfgError` for a folder that may not be read.
    """
    found, unread = [], 0
    for name in _files(str(folder), ""):
        ending = os.path.splitext(name)[1].lower()
        if ending in PICTURES:
            found.append(name)
        elif ending in UNREAD_PICTURES:
            unread += 1
    return sorted(found, key=natural), unread


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
