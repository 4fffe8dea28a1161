"""Places in the text of a program, and what is found wrong there.

A *finding* is a value: a code, a place, a sentence, and the next step. Passes collect findings and go on;
only the entry points raise, once, with all of them (`ProgramError`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from netcfg.codes import CODES, Code
from netcfg.spelling import did_you_mean as did_you_mean
from netcfg.spelling import nearest as nearest

FINDINGS_FORMAT_VERSION = 1


class NetcfgError(Exception):
    """Anything netcfg refuses, in one sentence for the person who asked, and by the code of what it means.

    `code` is None where the sentence holds codes already. What a section of one's own refuses needs none to be given.
    """

    def __init__(self, message: str, code: str | None = "NC701") -> None:
        super().__init__(message)
        self.code = code

    @property
    def codes(self) -> tuple[str, ...]:
        """Those of all that it says, as far as it knows them."""
        return () if self.code is None else (self.code,)

    def told(self) -> str:
        """The sentence with its code, as a command prints it."""
        return str(self) if self.code is None else f"error[{self.code} {CODES[self.code].name}]: {self}"


class ProgramError(NetcfgError):
    """A program with errors. `findings` holds all of them (and the warnings), in file order."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = sorted_findings(findings)
        super().__init__("\n\n".join(render(finding) for finding in self.findings), code=None)

    @property
    def codes(self) -> tuple[str, ...]:
        """Those of its errors."""
        return error_codes(self.findings)


@dataclass(frozen=True, eq=False, slots=True)
class SourceFile:
    """A text and the name a reader knows it by. Compared by identity: one object per read.

    `included_at` is the line that includes it; None for the file a person named.
    """

    name: str
    text: str
    included_at: Span | None = None
    _lines: list[str] = field(default_factory=list, repr=False)

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its line end; empty where there is none."""
        if not self._lines:
            self._lines.extend(self.text.split("\n"))
        return self._lines[number - 1].rstrip("\r") if 0 < number <= len(self._lines) else ""


class Span(NamedTuple):
    """A stretch of one line. Lines and columns count from 1; `length` is in characters."""

    file: SourceFile
    line: int
    column: int = 1
    length: int = 1

    @property
    def text(self) -> str:
        """What is written there."""
        return self.file.line(self.line)[self.column - 1 : self.column - 1 + self.length]

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}:{self.column}"

    def to_json(self) -> dict[str, Any]:
        """The place as data; `end_column` is the first column after it."""
        return {
            "file": self.file.name,
            "line": self.line,
            "column": self.column,
            "end_column": self.column + self.length,
        }


class Note(NamedTuple):
    """A second place, and what it has to do with the first."""

    span: Span
    message: str


Severity = Literal["error", "warning"]


ROW = "\n  "
"""What begins a row of a list in a message."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake (or warning): what, where, and what to do about it."""

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity = "error"

    def __post_init__(self) -> None:
        """What it quotes may hold anything: it is shown, never obeyed, and cut where it would fill the screen."""
        # The rows of a list, which are indented, stay rows.
        rows = (shown_text(row) for row in self.message.split(ROW))
        object.__setattr__(self, "message", ROW.join(rows))
        if self.help is not None:
            object.__setattr__(self, "help", shown_text(self.help))

    @property
    def name(self) -> str:
        """The readable half of the code, e.g. `unknown-option`."""
        return self.definition.name

    @property
    def definition(self) -> Code:
        """What the code means in general."""
        return CODES[self.code]

    def all_notes(self) -> Iterator[Note]:
        """Its own notes, then the includes that lead to its file."""
        yield from self.notes
        place = self.span.file.included_at if self.span else None
        while place is not None:
            yield Note(place, "included here")
            place = place.file.included_at

    def to_json(self) -> dict[str, Any]:
        """The finding as data (`netcfg check --format json`)."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "message": self.message,
            "primary": self.span.to_json() if self.span else None,
            "secondary": [
                {**note.span.to_json(), "message": shown_text(note.message)} for note in self.all_notes()
            ],
            "help": self.help,
        }


def findings_to_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """All findings as one JSON value with a format version."""
    return {
        "version": FINDINGS_FORMAT_VERSION,
        "findings": [finding.to_json() for finding in sorted_findings(findings)],
    }


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in reading order, each once (a template used twice repeats its own mistakes)."""
    unique: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.code, _place(finding), finding.message), finding)
    return sorted(unique.values(), key=_place)


def _place(finding: Finding) -> tuple[str, int, int]:
    span = finding.span
    return (span.file.name, span.line, span.column) if span else ("", 0, 0)


def error_codes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The codes of those that are errors, each once."""
    return tuple(dict.fromkeys(finding.code for finding in findings if finding.severity == "error"))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding stops the program (warnings do not)."""
    return any(finding.severity == "error" for finding in findings)


def render(finding: Finding) -> str:
    """A finding as a person reads it: place, sentence, the line underlined, notes, help."""
    where = f"{finding.span}: " if finding.span else ""
    rows = [f"{where}{finding.severity}[{finding.code} {finding.name}]: {finding.message}"]
    if finding.span:
        rows += _underlined(finding.span)
    for note in finding.all_notes():
        rows.append(f"{note.span}: note: {shown_text(note.message)}")
        rows += _underlined(note.span)
    if finding.help:
        rows.append(f"help: {finding.help}")
    return "\n".join(rows)


def _underlined(span: Span) -> list[str]:
    """The line and its carets. Tabs are kept in the gap, so that the carets stand under the text."""
    line = span.file.line(span.line)
    if not line.strip():
        return []
    shown = line[:200]
    start = min(span.column - 1, len(shown))
    gap = "".join("\t" if character == "\t" else " " for character in shown[:start])
    length = max(1, min(span.length, len(shown) - start))
    return [f"    {shown_text(shown, lines=True)}", f"    {gap}{'^' * length}"]


MAX_SHOWN = 2_000


def shown_text(text: str, lines: bool = False) -> str:
    """A text as it may reach a terminal or a picture: control characters become signs; `lines`: but for line ends."""
    if not text.isprintable():
        kept = "\n\t" if lines else ""
        text = "".join(letter if letter in kept else sign_of(letter) for letter in text)
    if len(text) > MAX_SHOWN and not lines:
        text = f"{text[: MAX_SHOWN // 2]}…{text[-MAX_SHOWN // 2 :]}"
    return text


def sign_of(letter: str) -> str:
    """The letter itself, or the sign that stands for one that is not printable: `␛` for an escape."""
    if letter.isprintable():
        return letter
    code = ord(letter)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path as a reader knows it: relative where it lies below the working folder."""
    text = os.fspath(path)
    relative = os.path.relpath(text) if os.path.isabs(text) else text
    return shown_text(text if relative.startswith("..") else relative)
