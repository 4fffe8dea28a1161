"""The syntax tree: files, groups, sections and options as written, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from netcfg.source import SourceFile, Span


class Option:
    """A line `key = value`. `value` is the raw text, without comment; the schema of the section types it.

    Columns are worked out from the line when a finding asks for them: most options are never wrong.
    """

    __slots__ = ("file", "key", "line", "value")

    def __init__(self, file: SourceFile, line: int, key: str, value: str) -> None:
        self.file = file
        self.line = line
        self.key = key
        self.value = value

    @property
    def span(self) -> Span:
        """The key."""
        text = self.file.line(self.line)
        return Span(self.file, self.line, len(text) - len(text.lstrip(" \t\ufeff")) + 1, len(self.key))

    @property
    def value_span(self) -> Span:
        """The value as written, before variables were replaced."""
        text = self.file.line(self.line)
        after = text.partition("=")[2].lstrip(" \t")
        column = len(text) - len(after) + 1
        length = len(self.value) if after.startswith(self.value) else len(_before_comment(after))
        return Span(self.file, self.line, column, max(1, length))

    def item_span(self, item: str) -> Span:
        """The place of an item of a comma list, or of some words of a text; the whole value where it is not found."""
        value = self.value_span
        start = 0
        for part in self._written(value).split(","):
            if part.strip() == item:
                return Span(self.file, self.line, value.column + start + part.index(item), len(item))
            start += len(part) + 1
        found = re.search(rf"(?<!\w){re.escape(item)}(?!\w)", self._written(value))
        return Span(self.file, self.line, value.column + found.start(), len(item)) if found else value

    def _written(self, span: Span) -> str:
        return self.file.line(self.line)[span.column - 1 :][: span.length]

    def with_value(self, value: str) -> Option:
        """The same option at the same place with its variables replaced."""
        return Option(self.file, self.line, self.key, value)

    def __repr__(self) -> str:
        return f"Option({self.key} = {self.value})"


class Cell(Option):
    """A cell of a table, at its own column; as an option it is called like the table's column."""

    __slots__ = ("column", "length")

    def __init__(self, file: SourceFile, line: int, key: str, value: str, column: int, length: int) -> None:
        super().__init__(file, line, key, value)
        self.column = column
        self.length = length

    @property
    def span(self) -> Span:
        """The cell."""
        return Span(self.file, self.line, self.column, self.length)

    @property
    def value_span(self) -> Span:
        """The cell."""
        return self.span

    def item_span(self, item: str) -> Span:
        """The cell."""
        return self.span

    def with_value(self, value: str) -> Cell:
        """The same cell with its variables replaced."""
        return Cell(self.file, self.line, self.key, value, self.column, self.length)

    def called(self, key: str) -> Cell:
        """The same cell as an option of this name."""
        return Cell(self.file, self.line, key, self.value, self.column, self.length)


def _before_comment(text: str) -> str:
    return text.split(" #")[0].split(" ;")[0].rstrip()


@dataclass(slots=True, eq=False)
class Section:
    """A header in brackets and its options. `words` are bare keys (only `[parameters]` may have them).

    `malformed`: a finding already says that its header or a line of it cannot be read, so that nothing which
    only follows from that is reported.
    """

    name: str
    file: SourceFile
    line: int
    column: int
    length: int
    options: list[Option] = field(default_factory=list)
    words: list[Option] = field(default_factory=list)
    malformed: bool = False
    has_variables: bool = False

    @property
    def span(self) -> Span:
        """The header, brackets included."""
        return Span(self.file, self.line, self.column, self.length)

    def with_options(self, options: list[Option]) -> Section:
        """The same section at the same place with other options."""
        return Section(
            self.name,
            self.file,
            self.line,
            self.column,
            self.length,
            options,
            self.words,
            self.malformed,
            self.has_variables,
        )

    def option(self, key: str) -> Option | None:
        """The first option with this key."""
        for option in self.options:
            if option.key == key:
                return option
        return None


@dataclass(slots=True, eq=False)
class Group:
    """A header in braces and the sections below it, up to the next header in braces; of a table, its `rows`."""

    name: str
    span: Span
    sections: list[Section]
    malformed: bool = False
    rows: list[list[Cell]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Include:
    """`{include PATH}` or `{include PATH as NAME}`, and where it stands."""

    path: str
    span: Span
    alias: str | None = None


@dataclass(slots=True, eq=False)
class File:
    """One file: includes and groups in the order they are written."""

    source: SourceFile
    items: list[Include | Group]
