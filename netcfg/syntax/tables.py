"""The parser of `grammar.lark`, by tables that Lark worked out beforehand.

Lark takes a tenth of a whole `netcfg check` only to be imported, so that it is asked when the grammar changes and not
when a file is read: `python -c "from netcfg.syntax.tables import write; write()"` writes `table_data.py` anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from netcfg.syntax import table_data


class Token(str):
    """A piece of the text, which terminal of the grammar it is, and where it begins, counted from 1."""

    __slots__ = ("column", "line", "type")

    type: str
    line: int
    column: int


class _Run(list[Any]):
    """What a `*` of the grammar has matched so far; its items become those of the rule around it."""

    __slots__ = ()


def parse_by(rules: Mapping[str, Callable[..., Any]], text: str) -> Any:
    """What the first rule of the grammar makes of a text that ends in a line break.

    `rules` has a function for each rule, which is given what its parts have become.
    """
    states, values = [table_data.START], list[Any]()
    for token in _tokens(text):
        _reduce(rules, states, values, token.type)
        states.append(table_data.ACTIONS[states[-1]][token.type])
        values.append(token)
    _reduce(rules, states, values, _END)
    return values[0]


_END = "$END"


def _reduce(
    rules: Mapping[str, Callable[..., Any]], states: list[int], values: list[Any], ahead: str
) -> None:
    """Put together what is complete before this terminal."""
    while states[-1] != table_data.DONE and (action := table_data.ACTIONS[states[-1]][ahead]) < 0:
        name, length = table_data.RULES[-1 - action]
        parts = values[len(values) - length :]
        del values[len(values) - length :], states[len(states) - length :]
        values.append(_run(parts) if name.startswith("_") else rules[name](*_flat(parts)))
        states.append(table_data.ACTIONS[states[-1]][name])


def _run(parts: list[Any]) -> _Run:
    # The run so far comes first and is made longer, not copied: a group may have ten thousand sections.
    run = parts.pop(0) if isinstance(parts[0], _Run) else _Run()
    run.extend(parts)
    return run


def _flat(parts: list[Any]) -> Iterator[Any]:
    for part in parts:
        if isinstance(part, _Run):
            yield from part
        else:
            yield part


@cache
def _lexer() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in table_data.TERMINALS))


def _tokens(text: str) -> Iterator[Token]:
    """The terminals of a text, of which those that are tried first stand first; blanks and comments fall away."""
    match_at, place, line, line_start = _lexer().match, 0, 1, 0
    while found := match_at(text, place):
        kind, piece = found.lastgroup, found.group()
        if kind is not None and kind not in table_data.IGNORED:
            token = Token(piece)
            token.type, token.line, token.column = kind, line, place - line_start + 1
            yield token
        breaks = piece.count("\n")
        if breaks:
            line += breaks
            line_start = place + piece.rindex("\n") + 1
        place = found.end()
    assert place == len(text), "every line is some terminal of the grammar"


def grammar() -> str:
    """The grammar that the tables must be of."""
    return Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")


def write() -> None:
    """Let Lark work the tables out, and keep them."""
    from lark import Lark

    parts: Any = Lark(grammar(), parser="lalr", lexer="basic").parser
    table, lexer = parts.parser._parse_table, parts.lexer
    rules: dict[tuple[str, int], int] = {}
    actions: dict[int, dict[str, int]] = {}
    for state, row in sorted(table.states.items()):
        actions[state] = {}
        for symbol, (action, target) in sorted(row.items()):
            if action.name != "Shift":
                rule = str(target.origin.name), len(target.expansion)
                target = -1 - rules.setdefault(rule, len(rules))
            actions[state][str(symbol)] = target
    terminals = [(str(terminal.name), terminal.pattern.to_regexp()) for terminal in lexer.terminals]
    text = (
        '"""Written by `netcfg.syntax.tables.write`: the parser\'s tables. Not for reading."""\n\n'
        "# ruff: noqa\n# fmt: off\n\n"
        f"GRAMMAR = {grammar()!r}\nTERMINALS = {terminals!r}\nIGNORED = {sorted(map(str, lexer.ignore_types))!r}\n"
        f"START, DONE = {table.start_states['start']}, {table.end_states['start']}\nRULES = {list(rules)!r}\n"
        f"ACTIONS = {actions!r}\n"
    )
    Path(table_data.__file__).write_text(text, encoding="utf-8")
