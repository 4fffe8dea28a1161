"""A process that ends when the one that began it is gone, however that ended.

The parent holds one end of a pipe, and says nothing; the child waits at the other for it to close.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

_VARIABLE = "NETCFG_PARENT_PIPE"


class Leash(NamedTuple):
    """What a child must be given: a file descriptor, and a variable of its environment that tells which."""

    handle: int

    @property
    def environment(self) -> Mapping[str, str]:
        """To be added to the child's."""
        return {_VARIABLE: str(self.handle)}


@contextmanager
def held() -> Iterator[Leash]:
    """Inside, or as long as this process lives, children that were given the leash go on."""
    theirs, ours = os.pipe()
    try:
        yield Leash(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def end_with_parent() -> None:
    """From now on this process stops as by SIGTERM, with a checkpoint, when the parent that holds its leash is gone."""
    told = os.environ.pop(_VARIABLE, "")
    if told.isdecimal():
        threading.Thread(target=_wait_for_end, args=(int(told),), daemon=True).start()


def _wait_for_end(handle: int) -> None:
    with suppress(OSError):  # a number that is no handle: then nobody holds us
        while os.read(handle, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
