"""Where an error went through somebody's own files: the part of a traceback that its author can mend."""

from __future__ import annotations

import linecache
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from netcfg.source import Note, SourceFile, Span, shown_path

if TYPE_CHECKING:
    from traceback import FrameSummary, StackSummary

SHOWN_CALLS = 5


def _calls(error: BaseException) -> StackSummary:
    import traceback  # nothing has gone wrong yet in most runs

    return traceback.extract_tb(error.__traceback__)


def notes_in(error: BaseException, files: Collection[str]) -> tuple[Note, ...]:
    """A note for each call that the error passed in these files, outermost first; the last few of many."""
    calls = [call for call in _calls(error) if call.filename in files]
    return tuple(_note(call) for call in calls[-SHOWN_CALLS:])


def line_in(error: BaseException, file: str) -> int | None:
    """The line of a file at which an error arose; None where it never went there."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [call.lineno for call in _calls(error) if call.filename == file]
    return lines[-1] if lines else None


def said(error: BaseException) -> str:
    """An error in one line: its kind, and what it says."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # the text is the file's own code, too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def span_in(file: str, line: int, column: int = 1, length: int = 1) -> Span:
    """A place in a Python file."""
    text = "".join(linecache.getlines(file))
    return Span(SourceFile(shown_path(os.fspath(file)), text), line, column, length)


def _note(call: FrameSummary) -> Note:
    line, column = call.lineno or 1, (call.colno or 0) + 1
    ends_here = call.end_lineno == call.lineno and call.end_colno is not None
    length = max(1, call.end_colno - column + 1) if ends_here and call.end_colno is not None else 1
    where = "here" if call.name == "<module>" else f"in `{call.name}`"
    return Note(span_in(call.filename, line, column, length), where)
