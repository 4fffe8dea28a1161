"""The one door to OpenCV, so that a machine without it reads one clear line, and its decoders keep silent.

What decoders print themselves says nothing to a person: a file that cannot be read is told of by netcfg, with its name.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read when it is loaded

try:
    import cv2 as _cv2
except ImportError as error:
    raise ImportError(
        f"OpenCV cannot be loaded ({error}); on a machine without OpenGL's library use "
        "`pip install opencv-python-headless`"
    ) from error

cv2: Any = _cv2  # its type stubs lack functions that exist, and know no element types
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_STDERR = 2


class _Silence:
    """Sends file descriptor 2 nowhere while any thread asks for it: C libraries print there without being asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = 0
        self._kept = -1
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._anew)

    def begin(self) -> None:
        with self._lock:
            self._asked += 1
            if self._asked == 1:
                self._kept = os.dup(_STDERR)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, _STDERR)
                os.close(nowhere)

    def end(self) -> None:
        with self._lock:
            self._asked -= 1
            if self._asked == 0:
                self._put_back()

    def _put_back(self) -> None:
        os.dup2(self._kept, _STDERR)
        os.close(self._kept)

    def _anew(self) -> None:
        """In a forked process no thread but this one goes on, and nobody asks any more."""
        if self._asked:
            self._put_back()
        self._lock, self._asked = threading.Lock(), 0


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, what decoders print by themselves goes nowhere."""
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
