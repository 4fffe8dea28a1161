"""One text of a file and what it includes, comments and all, for a person to go on with.

A variable that several of the files set stands where the innermost one has it, with the value of the outermost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netcfg.passes.read import Reading, find_include, read_file
from netcfg.source import Finding, ProgramError, SourceFile, Span, shown_path
from netcfg.syntax import File, Group, Include, Option, Section, parse
from netcfg.syntax.format import format_text


def inlined(path: Path, without: Sequence[str] = ()) -> str:
    """The text, in its canonical form; `without` are the beginnings of lines that included files lose.

    Raises `ProgramError` where a file cannot be read.
    """
    inliner = _Inliner(Reading(shown_path(path), None), tuple(without))
    text = "\n".join(inliner.lines(path.resolve(), None, {}))
    if inliner.findings:
        raise ProgramError(inliner.findings)
    return format_text(text + "\n")


@dataclass(slots=True, eq=False, repr=False)
class _Inliner:
    reading: Reading
    without: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)

    def lines(self, path: Path, asked_at: Span | None, outer: Mapping[str, str]) -> list[str]:
        """The lines of a file with those of its includes in their places; none where it stands already.

        `outer` are the variables that files around it set.
        """
        text = None if path in self.reading.files else read_file(path, self.findings, asked_at)
        if text is None:
            return []
        self.reading.files[path] = asked_at
        file = parse(SourceFile(shown_path(path), text, asked_at), self.findings)
        own = {option.key: option for option in _settings(file)}
        values = {key: option.value for key, option in own.items()}
        # What a file around it sets wins, over all levels, as when the file itself is read.
        included = self._included(file, path.parent, {**values, **outer})
        lines: list[str | None] = [
            None if asked_at and line.startswith(self.without) else line for line in text.splitlines()
        ]
        for key in own.keys() & outer.keys():
            number = own[key].line - 1
            lines[number] = _with_value(lines[number], own[key], outer[key])
        _drop(file, self.declared, lines)
        self.declared |= own.keys()
        whole = (included.get(number, [line]) for number, line in enumerate(lines))
        return [line for part in whole for line in part if line is not None]

    def _included(
        self, file: File, folder: Path, settings: Mapping[str, str]
    ) -> dict[int, Sequence[str | None]]:
        """The lines of each include, by the number of its line, from 0."""
        found: dict[int, Sequence[str | None]] = {}
        for item in file.items:
            if isinstance(item, Include) and item.alias is None:
                path = find_include(item, folder, self.reading, self.findings)
                found[item.span.line - 1] = self.lines(path, item.span, settings) if path else []
        return found


def _variables(file: File) -> Iterator[tuple[Group, Section]]:
    for group in file.items:
        if isinstance(group, Group) and group.name == "General":
            yield from ((group, section) for section in group.sections if section.name == "variables")


def _settings(file: File) -> Iterator[Option]:
    for _, section in _variables(file):
        yield from section.options


def _with_value(line: str | None, option: Option, value: str) -> str | None:
    """A line `key = value  # comment` with another value."""
    if line is None:
        return None
    before, equals, after = line.partition("=")
    return f"{before}{equals}{after.replace(option.value, value, 1)}"


def _drop(file: File, known: Collection[str], lines: list[str | None]) -> None:
    """Take out the variables that an included file has with the right value, and headers that are left with nothing."""
    for group, section in _variables(file):
        moved = [option for option in section.options if option.key in known]
        for option in moved:
            lines[option.line - 1] = None
        if moved and len(moved) == len(section.options):
            lines[section.line - 1] = None
            if len(group.sections) == 1:
                lines[group.span.line - 1] = None
