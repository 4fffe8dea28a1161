"""One text through the commands that look at a file, in this process: all they may raise is a finding."""

from __future__ import annotations

import argparse
import io
import re
import signal
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from mutants import mutant
from schema_programs import program

from netcfg import compile as compiler
from netcfg.source import Finding, NetcfgError

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check", "FILE"), ("summary", "FILE"), ("plan", "FILE"), ("fmt", "--check", "FILE"),
    ("graph", "FILE", "-o", "OUT.svg"),
)  # fmt: skip
KINDS = {"mutant": mutant, "program": program}
SECONDS = 60
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Slow(BaseException):  # no `except Exception` on its way may take it for an author's mistake
    """A command took longer than `SECONDS`."""


def text_of(kind: str, seed: int) -> str:
    """The text of that number; the same each time."""
    return KINDS[kind](Random(f"{kind} {seed}"))


def faults_of(text: str) -> list[str]:
    """What went wrong that is no finding: a command, and what it raised or printed."""
    with tempfile.TemporaryDirectory(prefix="netcfg-fuzz-") as folder:
        path = Path(folder, "a.cfg")
        path.write_text(text, encoding="utf-8", newline="")
        with _compiled_once():
            faults = [(command, _fault(command, path)) for command in COMMANDS]
    return [f"{' '.join(command)}: {fault}" for command, fault in faults if fault]


@contextmanager
def _compiled_once() -> Iterator[None]:
    """Inside, a file is compiled for the first command that asks: what the others would find is the same."""
    compiled, known = compiler._compile, dict[str, tuple[Any, list[Finding]]]()

    def once(*given: Any) -> tuple[Any, list[Finding]]:
        key = repr(given)
        if key not in known:
            known[key] = compiled(*given)
        program, findings = known[key]
        return program, list(findings)

    compiler._compile = once
    try:
        yield
    finally:
        compiler._compile = compiled


def _fault(command: tuple[str, ...], path: Path) -> str | None:
    names = {"FILE": str(path), "OUT.svg": str(path.with_suffix(".svg"))}
    parser, module = _command(command[0])
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said), _time_limit():
            module.run(parser.parse_args([names.get(word, word) for word in command[1:]]))
    except NetcfgError as refusal:
        said.write(str(refusal))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "".join(traceback.format_exception(error)[-3:]).strip()
    found = _CONTROL.search(said.getvalue())
    return f"prints U+{ord(found[0]):04X}" if found else None


@cache
def _command(name: str) -> tuple[argparse.ArgumentParser, Any]:
    module = import_module(f"netcfg.cli.{name}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser, module


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Slow(f"more than {SECONDS} s")

    # The processor's time, not the clock's: beside other work a small program is no slow one.
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
