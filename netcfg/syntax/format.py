"""The canonical form of a text: one way to space, comments kept.

Lines keep their order. A blank line stands before every header that something else stands above, none between
options; runs of comments keep a blank line above them. Comments behind neighbouring lines
stand in one column, and so do the cells of a table.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from netcfg.syntax.parser import CELL, TABLE, split_comment

_HEADER = re.compile(r"(?:\[([^\]]*)\]|\{([^}]*)\})[ \t]*(.*)\Z")
_INCLUDE = re.compile(r"include[ \t]+(.*)\Z")


def format_text(text: str) -> str:
    """The canonical form of a text without syntax errors; the empty text stays empty."""
    rows: list[tuple[str, str]] = []
    blank = in_table = False
    table: list[int] = []
    for line in text.lstrip("\ufeff").split("\n"):
        stripped = line.strip()
        if not stripped:
            blank = True
            continue
        code, comment = (
            split_comment(stripped) if in_table and stripped[0] not in "[{#;" else _canonical(stripped)
        )
        if code[:1] in ("[", "{"):
            _align(rows, table)
            in_table, table = code.startswith(f"{{{TABLE} "), []
        elif in_table and code:
            table.append(len(rows))
        if rows and _starts_paragraph(code, rows[-1], blank):
            rows.append(("", ""))
        rows.append((code, comment))
        blank = False
    _align(rows, table)
    return "".join(f"{line}\n" for line in _with_comments(rows))


def _align(rows: list[tuple[str, str]], table: list[int]) -> None:
    """Put the cells of a table's rows into columns; `table` says which rows these are."""
    cells = [CELL.findall(rows[index][0]) for index in table]
    widths = [max(map(len, column), default=0) for column in zip_longest(*cells, fillvalue="")]
    for index, row in zip(table, cells, strict=True):
        code = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        rows[index] = code.rstrip(), rows[index][1]


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
