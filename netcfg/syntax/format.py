"""The canonical form of a text: one way to space, comments kept.

Lines keep their order. A blank line stands before every header that something else stands above, none between
options; runs of comments keep a blank line above them. Comments behind neighbouring lines stand in one column.
"""

from __future__ import annotations

import re

from netcfg.syntax.parser import split_comment

_HEADER = re.compile(r"(?:\[([^\]]*)\]|\{([^}]*)\})[ \t]*(.*)\Z")
_INCLUDE = re.compile(r"include[ \t]+(.*)\Z")


def format_text(text: str) -> str:
    """The canonical form of a text without syntax errors; the empty text stays empty."""
    rows: list[tuple[str, str]] = []
    blank = False
    for line in text.lstrip("\ufeff").split("\n"):
        stripped = line.strip()
        if not stripped:
            blank = True
            continue
        code, comment = _canonical(stripped)
        if rows and _starts_paragraph(code, rows[-1], blank):
            rows.append(("", ""))
        rows.append((code, comment))
        blank = False
    return "".join(f"{line}\n" for line in _with_comments(rows))


def _canonical(line: str) -> tuple[str, str]:
    """A line's code and comment, each in its own form."""
    if line[0] in "#;":
        return "", line
    header = _HEADER.match(line)
    if header:
        block, group, rest = header.groups()
        if block is not None:
            return f"[{' '.join(block.split())}]", rest
        include = _INCLUDE.match(group.strip())
        name = f"include {include.group(1)}" if include else " ".join(group.split())
        return f"{{{name}}}", rest
    key, equals, rest = line.partition("=")
    if not equals:
        word, comment = split_comment(line)
        return word.strip(), comment
    value, comment = split_comment(rest)
    return f"{key.strip()} = {value.strip()}", comment


def _starts_paragraph(code: str, above: tuple[str, str], blank: bool) -> bool:
    """Whether a blank line belongs above this line."""
    above_code, above_comment = above
    if above == ("", ""):
        return False
    alone_above = not above_code and bool(above_comment)
    if code.startswith("["):
        return not above_code.startswith("{") and (not alone_above or blank)
    if code.startswith("{"):
        both_includes = code.startswith("{include") and above_code.startswith("{include")
        return blank if both_includes or alone_above else True
    return blank and not code


def _with_comments(rows: list[tuple[str, str]]) -> list[str]:
    """Join code and comments; the comments of a run of lines stand in one column."""
    lines: list[str] = []
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and rows[end][0]:
            end += 1
        if end == start:
            lines.append(rows[start][1])
            start += 1
            continue
        run = rows[start:end]
        column = max((len(code) for code, comment in run if comment), default=0) + 2
        lines += [f"{code.ljust(column)}{comment}" if comment else code for code, comment in run]
        start = end
    return lines
