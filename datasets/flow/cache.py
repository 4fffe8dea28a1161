"""Flow pictures that were found once, kept on disk.

Entries are named by what they are made of, so that none is ever out of date. Each is written beside its place and
renamed, and carries a checksum: processes may share a folder, and what is damaged counts as absent.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import struct
import sys
import zlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.flow.encoding import picture_of
from netcfg.datasets.pictures.cache_limit import make_room
from netcfg.files import user_cache, write_beside
from netcfg.source import NetcfgError, shown_path

_HEADER = struct.Struct("<4sIII")  # mark, height, width, checksum; then the red plane and the green one
_MARK = b"nfl1"


def _flag() -> Any:
    """A `value` of 0, common to forked workers."""
    try:
        return multiprocessing.RawValue("b", 0)
    except OSError:  # it lies in a file: on a full disk each process finds out for itself what it can write
        return SimpleNamespace(value=0)


class FlowCache:
    """A folder of flow pictures, uint8 H×W×3 with an empty blue channel.

    Where it cannot be written to, that is said once, by one of the processes that share the object, and nothing is
    kept from then on; what is in it can still be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_closed = _flag()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._close(error.strerror or str(error))

    def read(self, key: str) -> NDArray[np.uint8] | None:
        """The picture of this key; None where it is not there, or damaged."""
        try:
            data = self._place(key).read_bytes()
        except OSError:
            return None
        if len(data) < _HEADER.size:
            return None
        mark, height, width, checksum = _HEADER.unpack_from(data)
        planes = memoryview(data)[_HEADER.size :]
        if mark != _MARK or len(planes) != 2 * height * width or zlib.crc32(planes) != checksum:
            return None
        red, green = np.frombuffer(planes, np.uint8).reshape(2, height, width)
        return picture_of(red, green)

    def write(self, key: str, picture: NDArray[np.uint8]) -> None:
        """Keep a picture; where that fails, go on without."""
        if self._is_closed.value:
            return
        # The blue channel is empty: see `picture_of`.
        planes = np.moveaxis(picture[..., :2], -1, 0).tobytes()
        header = _HEADER.pack(_MARK, *picture.shape[:2], zlib.crc32(planes))
        place = self._place(key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)  # the folder may have been removed
            write_beside(place, header + planes)
        except NetcfgError as error:
            self._close(str(error).rpartition(": ")[2])
        except OSError as error:
            self._close(error.strerror or str(error))

    def _place(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        # 256 folders, as one with a million files is slow on many disks.
        return self.folder / name[:2] / name[2:]

    def _close(self, reason: str) -> None:
        if not self._is_closed.value:
            self._is_closed.value = 1
            print(
                f"warning: optical flow cannot be kept in {shown_path(self.folder)} ({reason}); training goes on, and "
                "later runs find it anew\nhelp: `cache` in [optical_flow] names another folder, or None",
                file=sys.stderr,
            )


def open_cache(written: str | None) -> FlowCache | None:
    """The cache of an option: a folder, `auto` for the user's own, None for none. One object for each folder."""
    if written is None:
        return None
    if written == "auto":
        make_room()
    return _opened(user_cache() / "flow" if written == "auto" else Path(written).expanduser())


@cache
def _opened(folder: Path) -> FlowCache:
    return FlowCache(folder)
