"""Writing files so that a reader never sees half of one; what of a folder is there to be read."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from netcfg.source import NetcfgError


def write_beside(path: Path, data: bytes) -> None:
    """Write beside the target, then rename. Raises `NetcfgError` (the target is as it was) where that fails."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from None


def expect_regular(path: Path | str) -> None:
    """Refuse what would be waited for: opening a pipe waits for who writes to it.

    Raises `OSError`, also where nothing is there.
    """
    kind = os.stat(path).st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a regular file")


class Beside:
    """A text file that is written bit by bit beside its target, and takes its place when it is kept.

    Raises `NetcfgError` where it cannot be written. Not kept, it is gone at the end, and the target is as it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        except OSError as error:
            raise _cannot_write(path, error) from None
        self._temporary = Path(name)
        self._discard = weakref.finalize(self, self._temporary.unlink, missing_ok=True)
        self.stream: TextIO = os.fdopen(handle, "w", encoding="utf-8", newline="")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Inside, the disk's refusals become a `NetcfgError`."""
        try:
            yield
        except OSError as error:
            raise _cannot_write(self.path, error) from None

    def keep(self) -> None:
        """Close the file and give it its name."""
        with self.guard():
            self.stream.close()
            os.chmod(self._temporary, 0o666 & ~_umask())
            os.replace(self._temporary, self.path)
        self._discard.detach()


def _cannot_write(path: Path, error: OSError) -> NetcfgError:
    reason = f"there is no folder {path.parent}" if isinstance(error, FileNotFoundError) else error.strerror
    return NetcfgError(f"cannot write {path}: {reason}", code="NC804")


def user_cache() -> Path:
    """The folder for what netcfg can make again: `$NETCFG_CACHE`, or `netcfg` where the system keeps such things."""
    if os.environ.get("NETCFG_CACHE"):
        return Path(os.environ["NETCFG_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"], "netcfg")
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"], "netcfg")
    return Path("~/Library/Caches" if sys.platform == "darwin" else "~/.cache", "netcfg").expanduser()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def visible(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without what is hidden: a disk that a Mac has written holds a `._NAME` beside
    each file, with the same ending and nothing of what that says. Raises `OSError` where it cannot be read.
    """
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
