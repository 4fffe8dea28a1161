"""A user's own blocks: Python files that a `.cfg` file includes.

`{include my_blocks.py}` runs the file, and the `Block` subclasses in it become block types. Only include files
you would run yourself.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType

from netcfg.blocks.registry import GROUPS, forget, sections
from netcfg.source import Finding, Span

_loaded: dict[Path, int] = {}


def load_extension(path: Path, asked_at: Span, findings: list[Finding]) -> None:
    """Run a Python file once (again when it has changed), so that its blocks are known.

    Whatever it raises is a finding; only a Ctrl-C while it runs goes on, saying what ran.
    """
    changed = path.stat().st_mtime_ns
    if _loaded.get(path) == changed:
        return
    name = f"netcfg_extension_{path.stem}_{abs(hash(path)) % 10**8}"
    _forget(name)
    for group in GROUPS:
        sections(
            group
        )  # so that a name used twice is found in the user's file, not in ours when that is read
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with (
            _interrupts() as interrupts,
            redirect_stdout(sys.stderr),
        ):  # what is printed is no part of our answer
            spec.loader.exec_module(module)
    except BaseException as error:  # whatever the user's file raises is the user's to read, `SystemExit` too
        _forget(name)
        if interrupts:
            raise KeyboardInterrupt(f"while {path.name} ran, which is included at {asked_at}") from None
        findings.append(_failed(path, error, asked_at))
        return
    _loaded[path] = changed


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Gathers the interrupts from outside, to tell them from a `KeyboardInterrupt` that the file raises itself."""
    interrupts: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield interrupts
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _failed(path: Path, error: BaseException, asked_at: Span) -> Finding:
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f"{path.name}, line {line}" if line else path.name
    return Finding("NC012", f"{where}: {_said(error)}", asked_at, help="mend the Python file")


def _said(error: BaseException) -> str:
    """The error's kind and text, in one line, if it has one that can be had."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # the text is the file's own code, too
        text = ""
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def _forget(module_name: str) -> None:
    sys.modules.pop(module_name, None)
    forget(module_name)
