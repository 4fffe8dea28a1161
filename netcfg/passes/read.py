"""Pass: a path or a text becomes groups, with every include in its place.

Ensures: each file is read once; what cannot be read is a finding at the line that asked for it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from netcfg.extensions import leave_files, load_extension
from netcfg.passes.told_apart import told_apart
from netcfg.source import Finding, Note, SourceFile, Span, did_you_mean, shown_path, sign_of
from netcfg.syntax import Group, Include, Option, Section, parse

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64
MAX_AGAIN = 1_000
"""So many files may be read under names: one that includes two which include two … is read very often."""
RENAMED = ("Define", "Table")
"""First words of the groups that an include under a name gives."""
TEXT_NAME = "<text>"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n|\Z)")
"""What a terminal would obey rather than show; a text may hold tabs and line ends."""


@dataclass(slots=True, eq=False, repr=False)
class ReadGroup:
    """A group and how deep its file is included: 0 for the file a person named."""

    group: Group
    depth: int


def renamed_groups(groups: Sequence[ReadGroup], alias: str) -> list[ReadGroup]:
    """The templates and tables of a file as `alias.name`, wherever they name each other, and its variables."""
    words = [read.group.name.split(maxsplit=1) for read in groups]
    templates, tables = (
        {rest[0] for first, *rest in filter(None, words) if first == keyword and rest} for keyword in RENAMED
    )
    kept = []
    for read in groups:
        first, _, name = read.group.name.partition(" ")
        if first in RENAMED and name:
            sections = [_renamed(section, alias, templates, tables) for section in read.group.sections]
            group = replace(read.group, name=f"{first} {alias}.{name.strip()}", sections=sections)
            kept.append(replace(read, group=group))
        elif read.group.name == "General":
            sections = [section for section in read.group.sections if section.name == "variables"]
            kept.append(replace(read, group=replace(read.group, sections=sections)))
    return kept


def _renamed(section: Section, alias: str, templates: Set[str], tables: Set[str]) -> Section:
    """A block of a template, with what it names of the same file."""
    names_tables = section.name in templates or section.name in ("parameters", "defaults")
    options = []
    for option in section.options:
        if option.value in tables and (option.key == "rows" or names_tables):
            option = option.with_value(f"{alias}.{option.value}")
        if section.name == "defaults" and option.key.rpartition(".")[0] in templates:
            option = Option(option.file, option.line, f"{alias}.{option.key}", option.value)
        options.append(option)
    name = f"{alias}.{section.name}" if section.name in templates else section.name
    return replace(section, name=name, options=options)


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """All groups of a program in reading order, and the Python files it includes.

    `folders` are those an include may not leave; None: it may lie anywhere.
    """

    name: str
    folders: tuple[Path, ...] | None
    groups: list[ReadGroup] = field(default_factory=list)
    extensions: list[Path] = field(default_factory=list)
    files: dict[Path, Span | None] = field(default_factory=dict)
    again: dict[tuple[Path, str], None] = field(default_factory=dict)
    """The files that were read under a name (`as`), once more for each."""
    includes: dict[str, list[str]] = field(default_factory=dict)
    """What each file includes, by their names."""
    alias: str = ""
    """The name under which what is read is included, that of a file around it before its own."""


def read_program(
    path_or_text: str | os.PathLike[str], findings: list[Finding], allow_outside: bool = False
) -> Reading:
    """The groups of a file (a path) or of a text (a string with a line break or a brace in it).

    Includes lie below the file, the working folder or the shipped files, or anywhere if `allow_outside`.
    """
    leave_files()
    reading = _read_whole(path_or_text, findings, allow_outside)
    _tell_apart(reading, reading.name, findings)
    return reading


def _tell_apart(reading: Reading, main: str, findings: list[Finding]) -> None:
    """Give the templates and tables that two files call alike names of their own."""
    groups = told_apart([read.group for read in reading.groups], reading.includes, main, findings)
    for read, group in zip(reading.groups, groups, strict=True):
        read.group = group


def _read_whole(
    path_or_text: str | os.PathLike[str], findings: list[Finding], allow_outside: bool
) -> Reading:
    if isinstance(path_or_text, str) and ("\n" in path_or_text or "{" in path_or_text):
        reading = Reading(TEXT_NAME, None if allow_outside else _folders(Path.cwd()))
        source = _checked(SourceFile(TEXT_NAME, path_or_text), findings)
        _add(source, Path.cwd(), 0, reading, [], findings)
        return reading
    path = Path(path_or_text)
    reading = Reading(shown_path(path), None)
    text = read_file(path, findings)
    if text is not None:
        path = path.resolve()
        reading.folders = None if allow_outside else _folders(path.parent)
        reading.files[path] = None
        _add(_checked(SourceFile(reading.name, text), findings), path.parent, 0, reading, [path], findings)
    return reading


def _folders(own: Path) -> tuple[Path, ...]:
    return tuple(folder.resolve() for folder in (own, Path.cwd(), shipped_folder()))


def _checked(source: SourceFile, findings: list[Finding]) -> SourceFile:
    """The text without control characters, which are reported once, and shown by signs of their own from here on."""
    found = CONTROL.search(source.text)
    if found is None:
        return source
    visible = SourceFile(
        source.name, CONTROL.sub(lambda match: sign_of(match[0]), source.text), source.included_at
    )
    before = source.text[: found.start()]
    span = Span(visible, before.count("\n") + 1, found.start() - before.rfind("\n"))
    message = f"the control character U+{ord(found[0]):04X}, which a terminal would obey"
    findings.append(Finding("NC013", message, span, help="take it out"))
    return visible


def _add(
    source: SourceFile, folder: Path, depth: int, reading: Reading, stack: list[Path], findings: list[Finding]
) -> None:
    """Append the groups of one text, and of what it includes, in reading order."""
    of_text: list[Finding] = []
    items = parse(source, of_text).items
    if of_text and not items and source.name != TEXT_NAME and not source.name.endswith(".cfg"):
        place = Span(SourceFile(source.name, "", source.included_at), 1)
        message = "this is no .cfg file: it holds no group, and its lines are not shown"
        of_text = [Finding("NC005", message, place, help="a network begins with `{Name}`, then `[net]`")]
    findings += of_text
    for item in items:
        if isinstance(item, Group):
            reading.groups.append(ReadGroup(item, depth))
        else:
            _include(item, folder, depth + 1, reading, stack, findings)


def _include(
    include: Include, folder: Path, depth: int, reading: Reading, stack: list[Path], findings: list[Finding]
) -> None:
    path = find_include(include, folder, reading, findings)
    if path is None:
        return
    if path in stack:
        findings.append(_cycle(path, include, stack, reading))
        return
    if include.alias is not None:
        _include_as(include.alias, include, path, depth, reading, stack, findings)
        return
    reading.includes.setdefault(include.span.file.name, []).append(shown_path(path))
    if path in reading.files or path in reading.extensions:
        return
    if depth > MAX_DEPTH:
        message = f"more than {MAX_DEPTH} files, each included by the one before"
        findings.append(Finding("NC015", message, include.span, help="include the files side by side"))
        return
    if path.suffix == ".py":
        reading.extensions.append(path)
        load_extension(path, include.span, findings)
        return
    text = read_file(path, findings, include.span)
    if text is not None:
        reading.files[path] = include.span
        source = _checked(SourceFile(shown_path(path), text, include.span), findings)
        _add(source, path.parent, depth, reading, [*stack, path], findings)


def _include_as(
    alias: str,
    include: Include,
    path: Path,
    depth: int,
    reading: Reading,
    stack: list[Path],
    findings: list[Finding],
) -> None:
    """What an include under a name gives: the templates and tables of the file as `NAME.template`, and its variables.

    Its networks, data and training stay behind.
    """
    if path.suffix == ".py":
        message = f"`as {alias}` renames templates and tables, and a Python file has none"
        findings.append(Finding("NC005", message, include.span, help=f"leave `as {alias}` out"))
        return
    whole = f"{reading.alias}.{alias}"
    if (path, whole) in reading.again:
        return
    if depth > MAX_DEPTH or len(reading.again) >= MAX_AGAIN:
        # Once: each of a thousand includes would say it.
        if not any(finding.code == "NC015" for finding in findings):
            message = f"more than {MAX_AGAIN} files included under names, or {MAX_DEPTH} one inside the other"
            findings.append(Finding("NC015", message, include.span, help="include the files side by side"))
        return
    text = read_file(path, findings, include.span)
    if text is None:
        return
    # Those around it alone: a file must not include itself, but may be read under several names.
    files = {part: reading.files.get(part) for part in stack} | {path: include.span}
    reading.again[path, whole] = None
    inner = Reading(reading.name, reading.folders, [], reading.extensions, files, reading.again, alias=whole)
    source = _checked(SourceFile(shown_path(path), text, include.span), findings)
    _add(source, path.parent, depth, inner, [*stack, path], findings)
    _tell_apart(inner, source.name, findings)
    reading.groups += renamed_groups(inner.groups, alias)


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


def find_include(include: Include, folder: Path, reading: Reading, findings: list[Finding]) -> Path | None:
    """The included file: beside the including one, else among the shipped ones."""
    for base in (folder, shipped_folder()):
        path = base / include.path
        if os.path.isfile(path):  # unlike `Path.is_file`, never raises
            path = path.resolve()
            refused = _refused(path, include, reading)
            findings += [refused] if refused else []
            return None if refused else path
    beside = folder / include.path
    if os.path.exists(beside):
        what = "is a folder" if beside.is_dir() else "is a pipe or a device, not a regular file"
        findings.append(Finding("NC007", f"`{include.path}` {what}", include.span, help="name a .cfg file"))
        return None
    findings.append(
        Finding(
            "NC007",
            f"no file `{include.path}` in {shown_path(folder)} or among the shipped ones",
            include.span,
            help=did_you_mean(include.path, _candidates(include.path, folder, reading)),
        )
    )
    return None


def _refused(path: Path, include: Include, reading: Reading) -> Finding | None:
    """Why a file that is there is not read: nothing of it may be shown before this is known."""
    if not _is_inside(path, reading):
        message = f"`{include.path}` lies outside the folder of {reading.name}, the current one and the shipped files"
        return Finding("NC014", message, include.span, help="`--allow-outside`, if you trust both files")
    if path.suffix not in (".cfg", ".py"):
        message = f"`{include.path}` is neither a .cfg file nor a Python file of blocks"
        return Finding("NC005", message, include.span, help="includes end in `.cfg` or `.py`")
    return None


def _is_inside(path: Path, reading: Reading) -> bool:
    return reading.folders is None or any(path.is_relative_to(folder) for folder in reading.folders)


def shipped_folder() -> Path:
    """The folder of the shipped `.cfg` files."""
    beside = Path(__file__).parent.parent / "cfg"
    if beside.is_dir():
        return beside
    from importlib.resources import files  # in a tree without links that is installed for editing

    return Path(str(files("netcfg.cfg")))


@cache
def is_shipped(name: str) -> bool:
    """Whether a file, by the name a reader knows it by, is one of the shipped ones."""
    return Path(name).resolve().is_relative_to(shipped_folder().resolve())


def _candidates(path: str, folder: Path, reading: Reading) -> list[str]:
    """Files a writer may have meant: the `.cfg` files of the folders the path points into."""
    inner = os.path.dirname(path)
    found = []
    for base in (folder / inner, shipped_folder() / inner):
        if os.path.isdir(base) and _is_inside(base.resolve(), reading):
            found += [
                os.path.join(inner, entry.name) for entry in base.iterdir() if entry.suffix in (".cfg", ".py")
            ]
    return found


def read_file(path: Path, findings: list[Finding], asked_at: Span | None = None) -> str | None:
    """The text of a file, or None and a finding that says why not. Only regular files: a pipe might never end."""
    name = shown_path(path)
    try:
        data = _bytes_of(path)
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


def _bytes_of(path: Path) -> bytes:
    """What a regular file holds, one byte above the limit at most. Raises `OSError` for anything else."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(21, "it is a folder")
    if not stat.S_ISREG(kind):
        raise OSError(22, "it is a pipe or a device, not a regular file")
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _reason(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


def _decoded(data: bytes, name: str, asked_at: Span | None, findings: list[Finding]) -> str | None:
    try:
        # Some editors put a byte order mark before the text.
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
    if os.path.exists(path):
        return None
    if not folder.is_dir():
        return f"there is no folder {shown_path(folder)} either"
    return did_you_mean(path.name, [entry.name for entry in folder.iterdir() if entry.suffix == ".cfg"])
