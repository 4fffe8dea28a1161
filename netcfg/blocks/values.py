"""Reading option values: text becomes a value by the type its schema declares, never by how it looks.

A reader takes the text of a value and returns it, or raises `ValueError` with the rest of the sentence
"`key` must be …".
"""

import re
import types
from collections.abc import Callable
from math import isinf
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from netcfg.blocks.changing import Scheduled, read_scheduled
from netcfg.blocks.formula_text import Formula, read_formula
from netcfg.blocks.initial import Initial, read_initial

Reader = Callable[[str], Any]
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_HEAD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_INTEGER = re.compile(r"[+-]?\d{1,40}\Z")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\Z")
_PLAIN = re.compile(r"(?!\s)[^,#;'\"]+(?<!\s)")
"""A text that needs no quotes."""
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Reference(NamedTuple):
    """How a block names another: by name, by position (>= 0) or by offset (< 0); `port` after a dot.

    `port` may itself be a dotted path that leads into a template's use.
    """

    target: str | int
    port: str = ""

    def __str__(self) -> str:
        return f"{self.target}.{self.port}" if self.port else str(self.target)


def read_int(text: str) -> int:
    """`3`, `-1`."""
    if text.isdecimal() and len(text) <= 40:
        return int(text)
    if not _INTEGER.match(text):
        raise ValueError(f"a whole number, found `{text}`")
    return int(text)


def read_float(text: str) -> float:
    """`0.5`, `1e-5`, `3`."""
    if not _FLOAT.match(text):
        raise ValueError(f"a number, found `{text}`")
    value = float(text)
    if isinf(value):
        raise ValueError(f"a number below 1.8e308, found `{text}`")
    return value


def number_in(text: str) -> float | None:
    """The number that a text is; None where it is none."""
    try:
        return read_float(text)
    except ValueError:
        return None


def read_bool(text: str) -> bool:
    """`True`, `1`, `yes` and their opposites, in any case."""
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise ValueError(f"`True` or `False` (or 1, 0, yes, no), found `{text}`")
    return value


def read_condition(text: str) -> bool:
    """What `if` says: `True` or `False`, or a number that is not 0."""
    if text.replace(".", "", 1).lstrip("-").isdigit():
        return bool(float(text))
    try:
        return read_bool(text)
    except ValueError:
        raise ValueError(f"`True`, `False` or a number, found `{text}`") from None


def read_literal_bool(text: str) -> bool:
    """`True` and `False` in words only, for options that also take numbers."""
    if text.lower() not in ("true", "false", "yes", "no"):
        raise ValueError(f"`True` or `False`, found `{text}`")
    return _BOOLEANS[text.lower()]


def read_text(text: str) -> str:
    """A name or a text, without its quotes where it has them."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def read_reference(text: str) -> Reference:
    """`stem`, `-2`, `0`, `backbone.layer3`, `input`."""
    head, _, port = text.partition(".")
    if _INTEGER.match(head):
        return Reference(int(head), port)
    if not _HEAD.match(head) or not all(_NAME.match(part) for part in port.split(".") if port):
        raise ValueError(f"a block's name, position or offset, found `{text}`")
    return Reference(head, port)


def split_list(text: str) -> list[str]:
    """The items of a comma list; commas inside quotes do not count."""
    if '"' not in text and "'" not in text:
        return [item.strip() for item in text.split(",")]
    return [item.strip() for item in re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^,])+", text)]


def reader_of(annotation: Any) -> Reader:
    """The reader for a schema's type annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return reader_of(get_args(annotation)[0])
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if origin is Literal:
        return _read_choice(get_args(annotation))
    if origin is tuple:
        return _read_tuple(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return _read_union(get_args(annotation))
    raise TypeError(f"no reader for options of type {annotation}")


_SIMPLE: dict[Any, Reader] = {
    int: read_int,
    float: read_float,
    bool: read_bool,
    str: read_text,
    Reference: read_reference,
    Initial: read_initial,
    Formula: read_formula,
    Scheduled: read_scheduled,
}


def _read_choice(choices: tuple[str, ...]) -> Reader:
    def read(text: str) -> str:
        value = read_text(text)
        if value not in choices:
            listed = ", ".join(f"`{choice}`" for choice in choices)
            raise ValueError(f"{'one of ' * (len(choices) > 1)}{listed}, found `{text}`")
        return value

    return read


def _read_tuple(item: Any) -> Reader:
    read_item = reader_of(item)

    def read(text: str) -> tuple[Any, ...]:
        try:
            if "," not in text:  # most lists are of one, and are read ten thousand times in a large network
                return (read_item(text.strip()),)
            return tuple([read_item(part) for part in split_list(text)])
        except ValueError as error:
            raise ValueError(f"a comma list, each item {error}") from None

    return read


def _read_union(members: tuple[Any, ...]) -> Reader:
    """Numbers are tried before booleans, which then are words: `1` is a number where both are allowed."""
    optional = type(None) in members
    kinds = sorted(
        (member for member in members if member is not type(None)), key=lambda member: member is bool
    )
    readers = [read_literal_bool if kind is bool and len(kinds) > 1 else reader_of(kind) for kind in kinds]

    def read(text: str) -> Any:
        if optional and text == "None":
            return None
        expected: list[str] = []
        for reader in readers:
            try:
                return reader(text)
            except ValueError as error:
                expected.append(str(error).partition(", found")[0])
        if optional:
            expected.append("`None`")
        raise ValueError(f"{' or '.join(expected)}, found `{text}`")

    return read


def describe_type(annotation: Any) -> str:
    """A type in a reader's words, for the reference pages."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return describe_type(get_args(annotation)[0])
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in get_args(annotation))
    if origin is tuple:
        return f"list of {describe_type(get_args(annotation)[0])}"
    if origin in (Union, types.UnionType):
        return " or ".join(describe_type(member) for member in get_args(annotation))
    return _TYPE_WORDS.get(annotation, str(annotation))


_TYPE_WORDS: dict[Any, str] = {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "text",
    Reference: "reference",
    Initial: "rule",
    Formula: "formula",
    Scheduled: "schedule",
    type(None): "`None`",
}


def quoted(text: str) -> str:
    """A text as an option holds it: in quotes where signs in it would mean something else."""
    if _PLAIN.fullmatch(text):
        return text
    sign = "'" if '"' in text else '"'
    return f"{sign}{text}{sign}"


def show_value(value: Any) -> str:
    """A value as it would be written in a file."""
    if isinstance(value, Reference | Initial | Formula | Scheduled):
        return str(value)
    if isinstance(value, tuple):
        return ", ".join(show_value(item) for item in value)
    return str(value)
