"""What the page's side panel shows: sections, their files and reference pages, each written once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from netcfg.blocks.base import Section
from netcfg.blocks.values import show_value
from netcfg.draw.entry import Entry, file_name
from netcfg.draw.links import Links
from netcfg.reference import origin
from netcfg.source import SourceFile, Span


class Table:
    """Values by number; equal values have one number."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[str, int] = {}

    def add(self, value: Any) -> int:
        """The number of a JSON value."""
        key = json.dumps(value, sort_keys=True)
        number = self._numbers.setdefault(key, len(self.rows))
        if number == len(self.rows):
            self.rows.append(value)
        return number


class Entries:
    """The entries of all parts, and the files and section types they speak of."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.bodies = Table()
        self.files: list[dict[str, Any]] = []
        self.types: list[dict[str, Any]] = []
        self._file_numbers: dict[int, int] = {}
        self._type_numbers: dict[type[Section], int] = {}

    def add(self, entries: Sequence[Entry]) -> list[list[Any]]:
        """Title and body's number of each."""
        return [[entry.title, self.bodies.add(self._body(entry))] for entry in entries]

    def _body(self, entry: Entry) -> dict[str, Any]:
        body: dict[str, Any] = {"facts": dict(entry.facts)}
        if entry.section is not None:
            options = {key: show_value(value) for key, value in entry.section.options().items()}
            body |= {"type": self._type(type(entry.section)), "options": options}
        if entry.span is not None:
            chain = [[*self._place(note.span), note.message] for note in entry.chain]
            chain += [[*self._place(span), "included here"] for span in entry.spans[1 + len(chain) :]]
            body |= {"at": self._place(entry.span), "chain": chain, "href": self.links.href(entry.spans)}
        return body

    def _place(self, span: Span) -> list[int]:
        return [self._file(span.file), span.line]

    def _file(self, file: SourceFile) -> int:
        number = self._file_numbers.setdefault(id(file), len(self.files))
        if number == len(self.files):
            self.files.append({"name": file_name(file), "text": file.text})
        return number

    def _type(self, section: type[Section]) -> int:
        number = self._type_numbers.setdefault(section, len(self.types))
        if number == len(self.types):
            rows = [[key, kind.replace("\\|", "|"), *rest] for key, kind, *rest in section.option_rows()]
            page = {"name": section.type_name, "page": section.describe(), "rows": rows}
            self.types.append({**page, "origin": origin(section)})
        return number
