"""Text to syntax tree, with all syntax findings of the text in one pass."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from netcfg.source import Finding, SourceFile, Span
from netcfg.syntax.tables import Token, parse_by
from netcfg.syntax.tree import Cell, File, Group, Include, Option, Section

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))[#;].*")
_QUOTED_THEN_COMMENT = re.compile(r"((?:\"[^\"]*\"|'[^']*'|[^\"'])*?)(?:(?:^|(?<=[ \t]))[#;].*)?\Z")
TABLE = "Table"
"""The first word of a group that holds rows."""
CELL = re.compile(r"(?:\"[^\"]*\"|'[^']*'|\$\{[^{}]*\}|\S)+")
"""A cell of a table: no spaces but in quotes and expressions."""
_ALIAS = re.compile(r"(.*\S)[ \t]+as[ \t]+([A-Za-z_]\w*)\Z", re.ASCII)
"""What an include may say behind its path."""
DARKNET_FIRST_SECTIONS = ("net", "network")


def parse(source: SourceFile, findings: list[Finding]) -> File:
    """The tree of one text. What cannot be read is reported to `findings`, once per mistake."""
    builder = _TreeBuilder(source, findings)
    with _collector_paused():
        items = cast("list[Include | Group]", parse_by(builder.rules(), source.text + "\n"))
    if not builder.saw_anything:
        findings.append(
            Finding(
                "NC006",
                "the file says nothing",
                Span(source, 1),
                help="open a network: `{Name}`, then `[net]`",
            )
        )
    return File(source, items)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python's garbage collector from walking the growing tree again and again (half the time)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _TreeBuilder:
    """Builds the tree bottom-up and reports what the grammar only marks."""

    def __init__(self, source: SourceFile, findings: list[Finding]) -> None:
        self.source = source
        self.findings = findings
        self.saw_anything = False

    def rules(self) -> dict[str, Callable[..., Any]]:
        """What becomes of each rule of the grammar."""
        return {"start": self.start, "loose": self.loose, "group": self.group, "section": self.section}

    # --- rules

    def start(self, *items: list[Any] | Group | Token) -> list[Include | Group]:
        self.saw_anything = any(item for item in items)
        kept: list[Include | Group] = []
        for item in items:
            if isinstance(item, Group):
                kept.append(item)
            elif isinstance(item, Token):
                kept.append(self._include(item))
            else:
                self._report_loose(item, darknet=not kept)
        return kept

    def loose(self, *items: Token | Section) -> list[Token | Section]:
        return list(items)

    def group(self, header: Token, *items: Token | Section) -> Group:
        sections = [item for item in items if isinstance(item, Section)]
        lines = [item for item in items if isinstance(item, Token)]
        malformed = header.type == "MALFORMED_GROUP"
        name, span = self._header(header, str(header), "{", "}", malformed)
        if name.split()[:1] == [TABLE]:
            return Group(name, span, sections, malformed, self._rows(lines))
        if lines and not malformed:
            self._report_outside_block(lines[0], name)
        return Group(name, span, sections, malformed or not name)

    def section(self, header: Token, *lines: Token) -> Section:
        malformed = header.type == "MALFORMED_BLOCK"
        head, _, body = header.partition("\n")
        name, span = self._header(header, head, "[", "]", malformed)
        section = Section(
            name, self.source, span.line, span.column, span.length, malformed=malformed or not name
        )
        self._options(section, body, span.line + 1)
        for line in lines:
            if line.type == "OPTIONS":
                self._options(section, str(line), line.line)
            elif line.type == "WORD":
                section.words.append(self._word(line))
            else:
                section.malformed = True
                self._report_malformed_line(line)
        if section.words:
            self._check_words(section)
        return section

    # --- pieces

    def _options(self, section: Section, text: str, line: int) -> None:
        """Split lines into options; comments and blank lines fall away."""
        if "$" in text:
            section.has_variables = True
        source, options = self.source, section.options
        is_plain = not ("#" in text or ";" in text or '"' in text or "'" in text)
        for number, row in enumerate(text.split("\n"), line):
            key, equals, value = row.partition("=")
            if not equals or (not is_plain and key.lstrip()[:1] in "#;"):
                continue
            value = value.strip() if is_plain else _without_comment(value).strip()
            option = Option(source, number, key.strip(), value)
            if not value:
                section.malformed = True
                self._report_empty_value(option)
            options.append(option)

    def _rows(self, tokens: list[Token]) -> list[list[Cell]]:
        """The lines of a table as cells."""
        rows = []
        for token in tokens:
            first = token.line
            for number in range(first, first + len(token.rstrip().split("\n"))):
                text = _without_comment(self.source.line(number))
                cells = [
                    Cell(self.source, number, "", match[0], match.start() + 1, len(match[0]))
                    for match in CELL.finditer(text)
                ]
                rows += [cells] if cells else []
        return rows

    def _word(self, token: Token) -> Option:
        word = str(token).split()[0].split("#")[0].split(";")[0]
        return Option(self.source, token.line, word, "")

    def _header(
        self, token: Token, text: str, opening: str, closing: str, malformed: bool
    ) -> tuple[str, Span]:
        inner = re.split(r"[ \t][#;]", text)[0].rstrip() if malformed else text[: text.index(closing) + 1]
        span = Span(self.source, token.line, token.column, len(inner))
        name = " ".join(inner.partition(closing)[0].strip("{}[] \t").split())
        if malformed:
            self._report_header(inner, span, opening, closing, name)
        elif not name:
            self.findings.append(
                Finding(
                    "NC002",
                    f"`{inner}` names nothing",
                    span,
                    help=f"write a name between `{opening}` and `{closing}`",
                )
            )
        return name, span

    def _include(self, token: Token) -> Include:
        text = str(token)
        inner = text[: text.index("}") + 1]
        words = inner.strip("{} \t").removeprefix("include").strip()
        named = _ALIAS.match(words)
        path = (named[1] if named else words).strip("\"'")
        start = inner.rfind(words) + words.find(path)
        span = Span(self.source, token.line, token.column + start, max(1, len(path)))
        return Include(path, span, named[2] if named else None)

    # --- findings

    def _report_empty_value(self, option: Option) -> None:
        remedy = f"write `{option.key} = …`, or leave the line out"
        self.findings.append(Finding("NC010", f"`{option.key}` has no value", option.span, help=remedy))

    def _check_words(self, section: Section) -> None:
        if section.name == "parameters" or section.malformed:
            return
        section.malformed = True
        for word in section.words:
            self.findings.append(
                Finding(
                    "NC001",
                    f"`{word.key}` stands alone: an option is `key = value`",
                    word.span,
                    help=f"write `{word.key} = …`",
                )
            )

    def _report_header(self, text: str, span: Span, opening: str, closing: str, name: str) -> None:
        if closing not in text:
            message, remedy = (
                f"this header is not closed: `{closing}` is missing",
                f"write `{opening}{name}{closing}`",
            )
        else:
            after = text[text.index(closing) + 1 :].strip()
            message = f"nothing may stand after the `{closing}` of a header but a comment, found `{after}`"
            # Of marks alone nothing would be left to stand on a line: `{Net}:` of YAML, `[[block]]` of TOML.
            of_marks = not any(map(str.isalnum, after))
            remedy = f"write `{opening}{name}{closing}`" if of_marks else "put it on the next line"
        if name.startswith(('"', "'")):  # no name of ours does: JSON, or a dictionary of Python
            remedy = _HEADERS_AND_OPTIONS
        self.findings.append(Finding("NC002", message, span, help=remedy))

    def _report_malformed_line(self, token: Token) -> None:
        text = str(token).rstrip()
        span = Span(self.source, token.line, token.column, len(text))
        self.findings.append(
            Finding(
                "NC001",
                "this line is neither a header, an option nor a comment",
                span,
                help=_instead_of(text.strip()),
            )
        )

    def _report_outside_block(self, token: Token, group: str) -> None:
        if token.type == "MALFORMED_LINE":
            self._report_malformed_line(token)
            return
        span = self._first_line(token)
        self.findings.append(
            Finding(
                "NC003",
                f"an option of `{group}` outside any block",
                span,
                help="open a block before it: `[block]`",
            )
        )

    def _first_line(self, token: Token) -> Span:
        """Where a token of one or more lines begins: its first line, without the comment."""
        text = _without_comment(token.partition("\n")[0]).rstrip()
        return Span(self.source, token.line, token.column, len(text))

    def _report_loose(self, items: list[Token | Section], darknet: bool) -> None:
        """Report what stands outside any group: once, at its first line."""
        if not items:
            return
        first = items[0]
        if isinstance(first, Section):
            self._report_loose_section(first, darknet)
        elif first.type == "MALFORMED_LINE":
            self._report_malformed_line(first)
        else:
            span = self._first_line(first)
            self.findings.append(
                Finding(
                    "NC003",
                    "an option outside any group",
                    span,
                    help="open a group before it: `{Name}`, then `[block]`",
                )
            )

    def _report_loose_section(self, section: Section, darknet: bool) -> None:
        if darknet and section.name in DARKNET_FIRST_SECTIONS:
            finding = Finding(
                "NC011",
                "a darknet file (it opens with [net] outside any group), which netcfg cannot compile yet",
                section.span,
                help="put a network's name above it, `{Name}`, if it is written in netcfg's own blocks",
            )
        else:
            finding = Finding(
                "NC003",
                f"[{section.name}] stands outside any group",
                section.span,
                help=_OPEN_A_GROUP,
            )
        self.findings.append(finding)


def split_comment(text: str) -> tuple[str, str]:
    """What stands behind a `=` as value and comment; `#` and `;` inside quotes or a word belong to the value."""
    value = _without_comment(text)
    return value, text[len(value) :].strip()


def _without_comment(text: str) -> str:
    """A value without the comment after it; `#` and `;` inside quotes or inside a word belong to the value."""
    if '"' in text or "'" in text:
        quoted = _QUOTED_THEN_COMMENT.match(text)
        text = quoted.group(1) if quoted else text
    elif "#" in text or ";" in text:
        text = _COMMENT.sub("", text)
    return text


_OPEN_A_GROUP = (
    "open a group before it: `{Name}` of a network, or `{General}`, `{Data}`, `{Model}`, `{Loss}`, `{Optimizer}`, "
    "`{Metric}`"
)
_HEADERS_AND_OPTIONS = (
    "headers are `{Group}` or `[block]`, options `key = value`, comments start with `#` or `;`"
)
_YAML = re.compile(r"([A-Za-z_][\w.]*)\s*:\s+(\S.*)")


def _instead_of(text: str) -> str:
    """How a line is to be written that looks like one of another language."""
    if text.startswith(("//", "--", "/*")):
        return "comments start with `#` or `;`"
    pair = _YAML.fullmatch(text)
    if pair is not None:
        return f"write `{pair[1]} = {pair[2]}`"
    if text.endswith(":") and text[:-1].isidentifier():  # what YAML and Python put below a line that ends so
        return f"a group is written `{{{text[:-1]}}}`, a block in it `[{text[:-1]}]`"
    return _HEADERS_AND_OPTIONS
