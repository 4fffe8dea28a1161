"""The shape of a text: tokens of one or more lines, each told by its first character.

A block with its options is one token, split into lines by the tree builder: a tree of finer tokens would cost ten
times as much. Every line matches some kind of token, and tokens may follow each other in any order: a line that cannot
be read is a malformed one in its place, so that one mistake is one finding and the lines around it keep their meaning.
Values are typed later, by the schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_KINDS = {
    "INCLUDE": r"\{[ \t]*include[ \t][^{}\n]*\}[ \t\r]*(?:[#;][^\n]*)?\n",
    "GROUP": r"\{[^{}\n]*\}[ \t\r]*(?:[#;][^\n]*)?\n",
    "BLOCK": r"\[[^\[\]\n]*\][ \t\r]*(?:[#;][^\n]*)?\n(?:[ \t\r]*(?:[A-Za-z_][\w.\-]*[ \t]*=[^\n]*|[#;][^\n]*)?\n)*",
    "OPTIONS": r"(?:[A-Za-z_][\w.\-]*[ \t]*=[^\n]*\n[ \t\r]*)+",
    "WORD": r"[A-Za-z_]\w*[ \t\r]*(?:[ \t][#;][^\n]*)?\n",
    "MALFORMED_GROUP": r"\{[^\n]*\n",
    "MALFORMED_BLOCK": r"\[[^\n]*\n",
    "MALFORMED_LINE": r"[^\s\ufeff#;\[{][^\n]*\n",
}
_SKIPPED = r"[#;][^\n]*\n|[\s\ufeff]+"
# The first kind that fits is meant, so that their order counts: what is malformed comes last.
_TOKEN = re.compile("|".join([*(f"(?P<{kind}>{rule})" for kind, rule in _KINDS.items()), _SKIPPED]))


class Token(NamedTuple):
    """Some whole lines of a text, and where they begin, from 1."""

    kind: str
    text: str
    line: int
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text that ends with a line break; comments and blank lines are left out."""
    line, counted, line_start = 1, 0, 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        start = match.start()
        breaks = text.count("\n", counted, start)
        if breaks:
            line += breaks
            line_start = text.rfind("\n", counted, start) + 1
        counted = start
        yield Token(kind, match[0], line, start - line_start + 1)
