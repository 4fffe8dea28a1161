"""The parser of the grammar, out of tables that were computed beforehand.

Lark takes 30 ms to work them out, a sixth of a whole `netcfg check`. They are kept as a Python literal in
`table_data.py`; after a change of the grammar `python -c "from netcfg.syntax.tables import write; write()"` writes it
anew. Tables of another grammar or another Lark are not used: then they are worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import lark
from lark import Lark, Transformer

from netcfg.syntax import table_data

_OPTIONS: dict[str, Any] = {"parser": "lalr", "lexer": "basic"}


def parser_with(transformer: Transformer[Any, Any]) -> Lark:
    """The parser of `grammar.lark` with a tree builder inside."""
    if table_data.MADE_FOR == key():
        load = cast("Callable[..., Lark]", Lark._load_from_dict)  # what Lark's own stand-alone parsers call
        return load(table_data.DATA, table_data.MEMO, transformer=transformer)
    return Lark(_grammar(), transformer=transformer, **_OPTIONS)


def key() -> tuple[str, str]:
    """What tables are made for: a version of Lark, and a grammar."""
    return lark.__version__, _grammar()


def _grammar() -> str:
    return files("netcfg.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")


def write() -> None:
    """Work the tables out and keep them."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = Lark(_grammar(), **_OPTIONS).memo_serialize([TerminalDef, Rule])
    text = (
        '"""Written by `netcfg.syntax.tables.write`: the parser\'s tables. Not for reading."""\n\n'
        "# ruff: noqa\n# fmt: off\nfrom typing import Any\n\n"
        f"MADE_FOR = {key()!r}\nDATA: dict[str, Any] = {data!r}\nMEMO: dict[int, Any] = {memo!r}\n"
    )
    Path(table_data.__file__).write_text(text, encoding="utf-8")
