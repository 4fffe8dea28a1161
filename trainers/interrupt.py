"""Ctrl-C while training: once, and the batch is finished first; twice, and it stops at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_NOTICE = b"\nstopping after this batch; press Ctrl-C again to stop at once\n"


class Interrupted(Exception):
    """Training was asked to stop, and stopped at a batch's end."""


class Interrupt:
    """Within the context, SIGINT and SIGTERM are requests; `check` raises `Interrupted` once there is one.

    A second signal raises `KeyboardInterrupt` where the program stands. Off the main thread, which no signal
    reaches, it does nothing.
    """

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def check(self) -> None:
        """Raise `Interrupted` where a stop was asked for."""
        if self.requested:
            raise Interrupted

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._handle) for number in self._signals}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        os.write(2, _NOTICE)  # not print: a handler may run in the middle of another print
