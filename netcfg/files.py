"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

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
        reason = (
            f"there is no folder {path.parent}" if isinstance(error, FileNotFoundError) else error.strerror
        )
        raise NetcfgError(f"cannot write {path}: {reason}") from None


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
