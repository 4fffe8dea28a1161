"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
