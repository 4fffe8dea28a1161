"""Pass: a path or a text becomes groups, with every include in its place.

Ensures: each file is read once; what cannot be read is a finding at the line that asked for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from netcfg.extensions import leave_files, load_extension
from netcfg.source import Finding, Note, SourceFile, Span, did_you_mean, shown_path
from netcfg.syntax import Group, Include, parse

MAX_BYTES = 64 * 1024 * 1024
TEXT_NAME = "<text>"


@dataclass(slots=True, eq=False, repr=False)
class ReadGroup:
    """A group and how deep its file is included: 0 for the file a person named."""

    group: Group
    depth: int


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """All groups of a program in reading order, and the Python files it includes."""

    name: str
    groups: list[ReadGroup] = field(default_factory=list)
    extensions: list[Path] = field(default_factory=list)
    files: dict[Path, Span | None] = field(default_factory=dict)


def read_program(path_or_text: str | os.PathLike[str], findings: list[Finding]) -> Reading:
    """The groups of a file (a path) or of a text (a string with a line break or a brace in it)."""
    leave_files()
    if isinstance(path_or_text, str) and ("\n" in path_or_text or "{" in path_or_text):
        reading = Reading(TEXT_NAME)
        _add(SourceFile(TEXT_NAME, path_or_text), Path.cwd(), 0, reading, [], findings)
        return reading
    path = Path(path_or_text)
    reading = Reading(shown_path(path))
    text = read_file(path, findings)
    if text is not None:
        reading.files[path.resolve()] = None
        _add(SourceFile(reading.name, text), path.resolve().parent, 0, reading, [path.resolve()], findings)
    return reading


def _add(
    source: SourceFile, folder: Path, depth: int, reading: Reading, stack: list[Path], findings: list[Finding]
) -> None:
    """Append the groups of one text, and of what it includes, in reading order."""
    for item in parse(source, findings).items:
        if isinstance(item, Group):
            reading.groups.append(ReadGroup(item, depth))
        else:
            _include(item, folder, depth + 1, reading, stack, findings)


def _include(
    include: Include, folder: Path, depth: int, reading: Reading, stack: list[Path], findings: list[Finding]
) -> None:
    path = _find(include, folder, findings)
    if path is None:
        return
    if path in stack:
        findings.append(_cycle(path, include, stack, reading))
        return
    if path in reading.files or path in reading.extensions:
        return
    if path.suffix == ".py":
        reading.extensions.append(path)
        load_extension(path, include.span, findings)
        return
    text = read_file(path, findings, include.span)
    if text is not None:
        reading.files[path] = include.span
        source = SourceFile(shown_path(path), text, include.span)
        _add(source, path.parent, depth, reading, [*stack, path], findings)


def _cycle(path: Path, include: Include, stack: list[Path], reading: Reading) -> Finding:
    chain = stack[stack.index(path) :]
    notes = tuple(
        Note(span, f"{part.name} is included here") for part in chain[1:] if (span := reading.files[part])
    )
    names = " → ".join(part.name for part in [*chain, path])
    return Finding(
        "NC008",
        f"{path.name} includes itself: {names}",
        include.span,
        notes,
        help="take one of the includes out",
    )


def _find(include: Include, folder: Path, findings: list[Finding]) -> Path | None:
    """The included file: beside the including one, else among the shipped ones."""
    for base in (folder, shipped_folder()):
        path = base / include.path
        if os.path.isfile(path):  # unlike `Path.is_file`, never raises
            return path.resolve()
    findings.append(
        Finding(
            "NC007",
            f"no file `{include.path}` in {shown_path(folder)} or among the shipped ones",
            include.span,
            help=did_you_mean(include.path, _candidates(include.path, folder)),
        )
    )
    return None


def shipped_folder() -> Path:
    """The folder of the shipped `.cfg` files."""
    return Path(str(files("netcfg.cfg")))


def _candidates(path: str, folder: Path) -> list[str]:
    """Files a writer may have meant: the `.cfg` files of the folders the path points into."""
    inner = os.path.dirname(path)
    found = []
    for base in (folder / inner, shipped_folder() / inner):
        if base.is_dir():
            found += [
                os.path.join(inner, entry.name) for entry in base.iterdir() if entry.suffix in (".cfg", ".py")
            ]
    return found


def read_file(path: Path, findings: list[Finding], asked_at: Span | None = None) -> str | None:
    """The text of a file, or None and a finding that says why not."""
    name = shown_path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else _reason(error)
        findings.append(Finding("NC004", f"cannot read {name}: {reason}", asked_at, help=_nearby(path)))
        return None
    place = Span(SourceFile(name, "", asked_at), 1)
    if len(data) > MAX_BYTES:
        findings.append(Finding("NC005", f"the file is larger than {MAX_BYTES // 2**20} MiB", place))
    elif b"\0" in data:
        findings.append(
            Finding("NC005", "this is a binary file, not a .cfg text", place, help="is it a checkpoint?")
        )
    else:
        return _decoded(data, name, asked_at, findings)
    return None


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _decoded(data: bytes, name: str, asked_at: Span | None, findings: list[Finding]) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        text = data.decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        place = Span(SourceFile(name, text, asked_at), line, column)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        findings.append(Finding("NC005", message, place, help="save the file as UTF-8"))
        return None


def _nearby(path: Path) -> str | None:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {shown_path(folder)} either"
    return did_you_mean(path.name, [entry.name for entry in folder.iterdir() if entry.suffix == ".cfg"])
