"""Pass: a name belongs to its file, where two files give it to a template or table.

A name is looked up where it is written, then in what that file includes. Where two files of a program define one, each
is called `FILE.name` from here on, as by an include under that name, and every use follows its own file; the file that
was named keeps its names. A use that could mean either is an error that names both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from netcfg.source import Finding, Note, Span
from netcfg.syntax import Group, Option, Section

Files = dict[str, list[str]]
"""What each file includes, by the names that a reader knows them by."""


@dataclass(slots=True, eq=False, repr=False)
class _Names:
    """The names of one kind that several files define: the group of each, by name and file, and what it is called."""

    places: dict[str, dict[str, Span]] = field(default_factory=dict)
    called: dict[tuple[str, str], str] = field(default_factory=dict)


def told_apart(groups: list[Group], includes: Files, main: str, findings: list[Finding]) -> list[Group]:
    """The groups, in which no two files define one name."""
    kinds = {kind: _shared(groups, kind, main) for kind in ("Define", "Table")}
    if not any(names.places for names in kinds.values()):
        return groups
    walk = _Walk(kinds["Define"], kinds["Table"], includes, findings)
    return [walk.group(group) for group in groups]


def _shared(groups: list[Group], kind: str, main: str) -> _Names:
    found: dict[str, dict[str, Span]] = {}
    for group in groups:
        first, _, name = group.name.partition(" ")
        if first == kind and name and not group.malformed:
            found.setdefault(name.strip(), {}).setdefault(group.span.file.name, group.span)
    names = _Names({name: places for name, places in found.items() if len(places) > 1})
    signs = _signs(sorted({file for places in names.places.values() for file in places}))
    for name, places in names.places.items():
        for file in places:
            names.called[name, file] = name if file == main else f"{signs[file]}.{name}"
    return names


def _signs(files: list[str]) -> dict[str, str]:
    """A word for each file, by its name, and a number where several are called so."""
    signs: dict[str, str] = {}
    for file in files:
        word = re.sub(r"\W+", "_", PurePath(file).stem).strip("_") or "file"
        word, number = f"f{word}" if word[0].isdigit() else word, 1
        sign = word
        # Until it is free, as a file may be called just like another's word and number.
        while sign in signs.values():
            number += 1
            sign = f"{word}{number}" if not word[-1].isdigit() else f"{word}_{number}"
        signs[file] = sign
    return signs


@dataclass(slots=True, eq=False, repr=False)
class _Walk:
    templates: _Names
    tables: _Names
    includes: Files
    findings: list[Finding]
    _said: set[tuple[str, str]] = field(default_factory=set)

    def group(self, group: Group) -> Group:
        """With its own name, and those that it uses, as its file means them."""
        first, _, name = group.name.partition(" ")
        names = {"Define": self.templates, "Table": self.tables}.get(first)
        own = names.called.get((name.strip(), group.span.file.name)) if names else None
        sections = [self._section(section) for section in group.sections]
        return replace(group, name=f"{first} {own}" if own else group.name, sections=sections)

    def _section(self, section: Section) -> Section:
        options = [self._option(option, section) for option in section.options]
        if section.name not in self.templates.places:
            return replace(section, options=options)
        meant = self._meant(self.templates, section.name, section.file.name)
        if meant is None:
            self._say("template", self.templates, section.name, section.span)
            return replace(section, options=options, malformed=True)
        return replace(section, name=meant, options=options)

    def _option(self, option: Option, section: Section) -> Option:
        if section.name == "defaults":
            kind, dot, key = option.key.rpartition(".")
            if kind in self.templates.places:
                meant = self._meant(self.templates, kind, option.file.name)
                if meant is not None:
                    return Option(option.file, option.line, f"{meant}{dot}{key}", option.value)
                self._say("template", self.templates, kind, option.span)
            return option
        is_named = (
            option.key == "rows" or section.name == "parameters" or section.name in self.templates.places
        )
        if option.value not in self.tables.places or not is_named:
            return option
        meant = self._meant(self.tables, option.value, option.file.name)
        if meant is None:
            self._say("table", self.tables, option.value, option.value_span)
            # The first one, so that nothing is said of what only follows.
            meant = self.tables.called[option.value, next(iter(self.tables.places[option.value]))]
        return option.with_value(meant)

    def _meant(self, names: _Names, name: str, file: str) -> str | None:
        """What a name is called that stands in a file; None where it might be either."""
        places = names.places[name]
        if file in places:
            return names.called[name, file]
        below = [place for place in self._below(file) if place in places]
        own = [place for place in places if names.called[name, place] == name]
        meant = below or own
        return names.called[name, meant[0]] if len(meant) == 1 else None

    def _below(self, file: str) -> Iterator[str]:
        """What a file includes, and that in turn, each once."""
        seen, waiting = {file}, [file]
        while waiting:
            for inner in self.includes.get(waiting.pop(), ()):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
                    yield inner

    def _say(self, what: str, names: _Names, name: str, span: Span) -> None:
        if (name, span.file.name) in self._said:
            return
        self._said.add((name, span.file.name))
        places = names.places[name]
        notes = tuple(
            Note(place, "one is defined here" if not at else "another here")
            for at, place in enumerate(places.values())
        )
        first = next(iter(places.values())).file.name
        help = f"include a file under a name: `{{include {PurePath(first).name} as a}}` gives `a.{name}`"
        message = f"the {what} `{name}` is defined in {len(places)} files, and this may mean each of them"
        self.findings.append(Finding("NC109", message, span, notes, help=help))
