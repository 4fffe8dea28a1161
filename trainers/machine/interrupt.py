"""Ctrl-C while training, or another request to end: once, and the batch is finished first; twice, and it stops at once.

A batch can be a single call into C++ of many seconds, in which Python runs no signal handler, and after which it
runs it once for however many signals came. So signals are read from a wakeup pipe by a thread, which is free then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

EXIT_CODE = 130  # what shells report for a program that Ctrl-C ended
STOPPED_CODES = frozenset({130, 143, 129})
"""With what a training ends that a signal asked to: SIGINT, SIGTERM or SIGHUP, as shells report them."""

_NOTICES = {
    signal.SIGINT: b"\nstopping after this batch; press Ctrl-C again to stop at once\n",
    signal.SIGTERM: b"\nasked to end (SIGTERM): stopping after this batch; a second signal stops at once\n",
}
_NOTICE_OF_HANG_UP = b"\nthe terminal has gone (SIGHUP): stopping after this batch\n"
_FAREWELL = b"\nstopped at once; what the last checkpoint holds can be continued with --resume\n"
_SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(Exception):
    """Training was asked to stop, and stopped at a batch's end."""


class Interrupt:
    """Within the context, SIGINT, SIGTERM and SIGHUP are requests; `check` raises `Interrupted` once there is one.

    One that was ignored before (as by `nohup`) stays so. A second signal ends the process where it stands. Off the
    main thread, which no signal reaches, it does nothing. `code` is what the process ends with. `is_told`: whether this
    process says so; of several that train together one does.
    """

    _signals = tuple(
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    )

    def __init__(self, is_told: bool = True) -> None:
        self.requested = False
        self.code = EXIT_CODE
        self._is_told = is_told
        self._previous: dict[int, Any] = {}
        self._writable: int | None = None

    def check(self) -> None:
        """Raise `Interrupted` where a stop was asked for."""
        if self.requested:
            raise Interrupted

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            readable, self._writable = os.pipe()
            # Python takes no wakeup pipe that could block.
            os.set_blocking(self._writable, False)
            self._previous_wakeup = signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
            self._previous = {
                number: signal.signal(number, _leave_it_to_the_thread)
                for number in self._signals
                if signal.getsignal(number) != signal.SIG_IGN
            }
            threading.Thread(target=self._watch, args=(readable,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writable is not None:
            # Handlers first, then the pipe: a signal in between finds it open.
            for number, handler in self._previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._previous_wakeup)
            os.close(self._writable)
            self._writable = None  # the thread reads the end, and ends

    def _watch(self, readable: int) -> None:
        """Answer each signal as it comes; the pipe holds a byte for each, its number."""
        while arrived := os.read(readable, 1):
            # The pipe tells of all signals with a handler, also of those that are somebody else's.
            if arrived[0] not in self._previous:
                continue
            if self.requested:
                _stop_at_once(128 + arrived[0])
            self.code = 128 + arrived[0]
            self.requested = True
            if self._is_told:
                _tell(_NOTICES.get(signal.Signals(arrived[0]), _NOTICE_OF_HANG_UP))
        os.close(readable)


def _leave_it_to_the_thread(number: int, frame: object) -> None:
    """A handler must exist for the pipe to be written to."""


def _tell(notice: bytes) -> None:
    """Where somebody is left to tell."""
    with suppress(OSError, ValueError):
        os.write(_stderr(), notice)


def _stderr() -> int:
    """Its file descriptor: of the stream in use, for the second may be silenced while pictures are decoded."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return 2


def _stop_at_once(code: int) -> None:
    """End the process without any clean-up: files are whole at any moment, and workers notice by themselves."""
    _tell((_SHOW_CURSOR if sys.stderr.isatty() else b"") + _FAREWELL)
    os._exit(code)
