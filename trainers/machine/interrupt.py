"""Ctrl-C while training: once, and the batch is finished first; twice, and it stops at once.

A batch can be a single call into C++ of many seconds, in which Python runs no signal handler, and after which it
runs it once for however many signals came. So signals are read from a wakeup pipe by a thread, which is free then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import TracebackType
from typing import Any

EXIT_CODE = 130  # what shells report for a program that Ctrl-C ended

_NOTICE = b"\nstopping after this batch; press Ctrl-C again to stop at once\n"
_FAREWELL = b"\nstopped at once; what the last checkpoint holds can be continued with --resume\n"
_SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(Exception):
    """Training was asked to stop, and stopped at a batch's end."""


class Interrupt:
    """Within the context, SIGINT and SIGTERM are requests; `check` raises `Interrupted` once there is one.

    A second signal ends the process where it stands. Off the main thread, which no signal reaches, it does nothing.
    `is_told`: whether this process says so; of several that train together one does.
    """

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, is_told: bool = True) -> None:
        self.requested = False
        self._is_told = is_told
        self._previous: dict[int, Any] = {}

    def check(self) -> None:
        """Raise `Interrupted` where a stop was asked for."""
        if self.requested:
            raise Interrupted

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            readable, self._writable = os.pipe()
            os.set_blocking(self._writable, False)
            self._previous_wakeup = signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
            self._previous = {
                number: signal.signal(number, _leave_it_to_the_thread) for number in self._signals
            }
            threading.Thread(target=self._watch, args=(readable,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous:
            for number, handler in self._previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._previous_wakeup)
            os.close(self._writable)  # the thread reads the end, and ends

    def _watch(self, readable: int) -> None:
        """Answer each signal as it comes; the pipe holds a byte for each, its number."""
        while arrived := os.read(readable, 1):
            if arrived[0] not in self._signals:
                continue
            if self.requested:
                _stop_at_once()
            self.requested = True
            if self._is_told:
                os.write(2, _NOTICE)
        os.close(readable)


def _leave_it_to_the_thread(number: int, frame: object) -> None:
    """A handler must exist for the pipe to be written to."""


def _stop_at_once() -> None:
    """End the process without any clean-up: files are whole at any moment, and workers notice by themselves."""
    os.write(2, (_SHOW_CURSOR if sys.stderr.isatty() else b"") + _FAREWELL)
    os._exit(EXIT_CODE)
