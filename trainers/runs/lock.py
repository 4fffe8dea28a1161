"""One process trains in a run folder at a time. The lock ends with the process that holds it, however that ends.

A lock of the record kind (POSIX): processes that prepare data do not inherit it, so that it does not outlive a killed
training in them, and file systems over a network know it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import IO

from netcfg.source import Finding, NetcfgError, ProgramError, shown_path


class Lock:
    """Holds a run folder within a context; `eval` and `predict` need none.

    Raises `ProgramError` (NC406) that says who holds it, and since when. Where the system or a network's file system
    knows no such locks, nothing is held.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> Lock:
        try:
            import fcntl
        except ImportError:
            return self
        try:
            file = (self._folder / ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise NetcfgError(
                f"cannot write to {shown_path(self._folder)}: {error.strerror}\n"
                "help: `eval` and `predict` read a run where it lies; to train on, copy it to where you may write",
                code="NC804",
            ) from None
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            holder = file.read()
            file.close()
            raise _taken(self._folder, holder) from None
        except OSError:  # a file system without locks
            file.close()
            return self
        self._file = file
        self._sign()
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _sign(self) -> None:
        """Say who holds it, for others' messages."""
        assert self._file is not None
        who = {"process": os.getpid(), "machine": socket.gethostname(), "since": time.strftime("%F %T")}
        self._file.truncate(0)
        self._file.write(json.dumps(who))
        self._file.flush()


def _taken(folder: Path, holder: str) -> ProgramError:
    try:
        who = json.loads(holder)
        known = f" (process {who['process']} on {who['machine']}, since {who['since']})"
    except (ValueError, TypeError, KeyError):
        known = ""
    message = f"another process trains in {shown_path(folder)}{known}"
    return ProgramError(
        [Finding("NC406", message, help="wait for it or stop it; a new run needs no `--resume`")]
    )
