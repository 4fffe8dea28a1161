"""Sections that netcfg does not ship: Python files that a `.cfg` file includes, and what installed packages bring.

`{include my_blocks.py}` runs the file, and the sections in it are known to the program that includes it, to no other.
Only include files you would run yourself. A package brings sections to every program by an entry point of the group
`netcfg.sections` that names a module; it is imported when a name is not known otherwise, or for a list of all.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from netcfg.blocks.registry import FILE_MODULE, GROUPS, Clash, forget, recorded, register, sections
from netcfg.source import Finding, Span, shown_path
from netcfg.tracebacks import line_in, notes_in, said

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from netcfg.blocks.base import Section

ENTRY_POINTS = "netcfg.sections"

_INSTALLED_AS = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Packages that are installed under another name than they are imported by."""


class _Loaded(NamedTuple):
    changed: int
    brought: list[type[Section]]


_loaded: dict[Path, _Loaded] = {}
_included: dict[Path, Span] = {}


def leave_files() -> None:
    """Forget what included files have brought: the next program has its own, perhaps under the same names."""
    for path in _included:
        if path in _loaded:
            forget(_loaded[path].brought)
    _included.clear()


def included_files() -> dict[str, Span]:
    """The Python files of the program that was read last, and where each is included."""
    return {str(path): span for path, span in _included.items()}


def brought_by(path: Path) -> list[type[Section]]:
    """The sections of a Python file that has been loaded."""
    return list(_loaded[path].brought) if path in _loaded else []


def load_extension(path: Path, asked_at: Span, findings: list[Finding]) -> None:
    """Make the sections of a Python file known. It is run once, and again when it has changed."""
    read_packages()
    _included[path] = asked_at
    changed = path.stat().st_mtime_ns
    with _interrupts() as interrupts:
        try:
            if path in _loaded and _loaded[path].changed == changed:
                for section in _loaded[path].brought:
                    register(section)
            else:
                _loaded[path] = _Loaded(changed, _run(path))
        except BaseException as error:  # whatever it raises, SystemExit among it, is its author's to read
            if interrupts:
                message = f"while {shown_path(path)} was run, which {asked_at} includes"
                raise KeyboardInterrupt(message) from None
            findings.append(_failed(path, error, asked_at))


def _run(path: Path) -> list[type[Section]]:
    """The sections that a file defines. What it prints goes where it is in nobody's way."""
    name = f"{FILE_MODULE}{path.stem}_{abs(hash(path)) % 10**8}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with recorded() as brought, redirect_stdout(sys.stderr), _exits():
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return brought


@contextmanager
def _exits() -> Iterator[None]:
    """Lets a file that ends the process at once (`os._exit`) be told of, as one that raises `SystemExit`."""
    at_once, process = os._exit, os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() == process:
            raise SystemExit(status)
        at_once(status)  # a process that the file has started

    os._exit = end
    try:
        yield
    finally:
        os._exit = at_once


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
    line = line_in(error, str(path))
    where = f"{path.name}, line {line}" if line else path.name
    notes = notes_in(error, {str(path)})
    return Finding("NC012", f"{where}: {_reason(error)}", asked_at, notes, _remedy(error, path.parent))


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it ends the program ({said(error)})"
    return str(error) if isinstance(error, Clash) else said(error)


def _remedy(error: BaseException, folder: Path | None = None) -> str:
    """What to do about an extension that cannot be read."""
    if isinstance(error, Clash):
        return "give one of them another name"
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return "mend the Python file"
    package = error.name.partition(".")[0]
    if folder is not None and (folder / f"{package}.py").is_file():
        return f"an included file is run by itself: put what it needs of {package}.py into it"
    return f"`pip install {_INSTALLED_AS.get(package, package)}`"


# --- packages


class Broken(NamedTuple):
    """An installed package whose sections cannot be had, and why."""

    package: str
    finding: Finding


@cache
def read_packages() -> tuple[Broken, ...]:
    """Import what installed packages bring, once; those that fail are left out, and told."""
    from importlib.metadata import entry_points  # a tenth of a second, which few programs need

    found = entry_points(group=ENTRY_POINTS)
    if found:
        for group in GROUPS:
            sections(group)  # so that a name used twice is found in the package, not in ours
    return tuple(broken for point in found if (broken := _broken(point)) is not None)


def brings_more() -> bool:
    """Whether installed packages, which nobody has asked for yet, bring anything."""
    before = [len(sections(group)) for group in GROUPS]
    read_packages()
    return before != [len(sections(group)) for group in GROUPS]


def _broken(point: EntryPoint) -> Broken | None:
    try:
        with recorded(), redirect_stdout(sys.stderr):
            point.load()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"while {point.value} was imported, which {_named(point)} brings") from None
    except BaseException as error:
        message = f"{_named(point)} brings no sections: {_reason(error)}"
        help = _remedy(error) if isinstance(error, Clash | ModuleNotFoundError) else "mend or uninstall it"
        return Broken(_named(point), Finding("NC703", message, help=help, severity="warning"))
    return None


def _named(point: EntryPoint) -> str:
    if point.dist is None:
        return f"the entry point `{point.name}`"
    return f"the package {point.dist.name} {point.dist.version}"


__all__: list[str] = [
    "Broken", "brings_more", "brought_by", "included_files", "leave_files", "load_extension", "read_packages",
]  # fmt: skip
