"""What the commands write to: a stdout that may be full, closed, or know no more than ASCII.

A command whose output is its result is refused in a sentence when it is lost. One that writes files, as trainings do,
goes on: the loss is said once on stderr, which itself may be lost without a word.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from netcfg.source import NetcfgError

GOING_ON = frozenset({"train", "sweep"})
"""Commands that go on without their stdout: what they are for stands in files."""
_PLAIN = {
    "×": "x",
    "–": "-",
    "—": "-",
    "…": "...",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "·": ".",
    "²": "2",
    "█": "#",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}
_ERRORS = "netcfg.plain"


class OutputLost(NetcfgError):
    """What a command has to say can be written nowhere."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="NC804")


class Output(io.TextIOBase):
    """A stream that tells in its own way when it can be written no more: `lost` gets the error, once.

    What is written afterwards is dropped. `stream` is None where there was none from the beginning.
    """

    def __init__(self, stream: TextIO | None, lost: Callable[[Exception], None]) -> None:
        self._stream = stream
        self._lost = lost
        self.is_lost = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return "utf-8" if self._stream is None else self._stream.encoding

    def write(self, text: str) -> int:
        """Write, or drop what can be written no more."""
        self._try(lambda stream: stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Hand on what is kept; a stream that is not there has nothing to lose yet."""
        if self._stream is not None:
            self._try(lambda stream: stream.flush())

    def isatty(self) -> bool:
        """Whether a person reads it."""
        try:
            return self._stream is not None and not self.is_lost and self._stream.isatty()
        except ValueError:  # closed, and asked by what a library does when the interpreter ends
            return False

    def fileno(self) -> int:
        """The stream's. Raises `io.UnsupportedOperation` where there is none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def _try(self, act: Callable[[TextIO], object]) -> None:
        if self.is_lost:
            return
        try:
            if self._stream is None:
                raise OSError(errno.EBADF, "it is closed")
            act(self._stream)
        except (OSError, ValueError) as error:
            self.is_lost = True
            self._drain()
            self._lost(error)

    def _drain(self) -> None:
        """Let what the stream still holds go nowhere, so that the interpreter does not fail over it when it ends."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


@contextmanager
def guarded(goes_on: bool) -> Iterator[None]:
    """Inside, stdout and stderr are such streams.

    Writing to a stdout that is lost raises `OutputLost`, or `BrokenPipeError` where its reader has gone, as `| head`
    does; with `goes_on` neither.
    """
    _fill_descriptors()
    streams = sys.stdout, sys.stderr
    own = _own(sys.stderr)
    for stream in (sys.stdout, own):
        _take_all_letters(stream)
    errors = Output(own, lambda error: None)

    def lost(error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is closed"
        if goes_on:
            print(
                f"note: stdout is lost ({reason}); the work goes on, and its files are written", file=errors
            )
        elif isinstance(error, BrokenPipeError):
            raise error
        else:
            raise OutputLost(f"the output cannot be written: {reason}")

    output = Output(streams[0], lost)
    sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)
    try:
        yield
    finally:
        with suppress(OutputLost, BrokenPipeError):  # of a command that was refused for something else
            output.flush()
        errors.flush()
        sys.stdout, sys.stderr = streams
        if own is not None and own is not sys.stderr:
            own.close()


def print_json(data: Any) -> None:
    """Print data, in letters that stdout knows."""
    import json

    knows_all = codecs.lookup(sys.stdout.encoding).name.startswith("utf")
    print(json.dumps(data, indent=2, ensure_ascii=not knows_all))


def _fill_descriptors() -> None:
    """Open what is closed of the first three, so that no file of ours takes the place of stdout."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _own(stream: TextIO | None) -> TextIO | None:
    """A stderr beside file descriptor 2, which decoders are kept from writing to."""
    try:
        if stream is None or stream.fileno() != 2:
            return stream
    except (OSError, ValueError):  # of a test, or a notebook
        return stream
    return open(os.dup(2), "w", encoding=stream.encoding, errors=stream.errors, buffering=1)


def _take_all_letters(stream: TextIO | None) -> None:
    """Letters that the stream's encoding lacks are written in others."""
    codecs.register_error(_ERRORS, _plain)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_ERRORS)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What stands for letters that an encoding lacks: lines for frames, else the number of the letter."""
    assert isinstance(error, UnicodeEncodeError)
    letters = error.object[error.start : error.end]
    return "".join(map(_sign, letters)), error.end


def _sign(letter: str) -> str:
    if "─" <= letter <= "╿":  # frames of tables, and bars
        return "-" if letter in "─━═╌╍╸╺╴╶╼╾" else "|" if letter in "│┃║" else "+"
    return _PLAIN.get(letter) or "".join(f"\\u{unit:04x}" for unit in _units(letter))


def _units(letter: str) -> list[int]:
    """The letter in UTF-16, in which JSON writes it too."""
    written = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(written[at : at + 2], "big") for at in range(0, len(written), 2)]
