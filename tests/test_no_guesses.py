"""What a section or a sample can do is said by its class, never guessed by whether it has an attribute of a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcfg

ROOT = Path(netcfg.__file__).parent
ROOMS = (
    "blocks/base.py",
    "blocks/section.py",
    "blocks/network",
    "passes",
    "compare",
    "draw",
    "summary",
    "builder",
)


def guesses(tree: ast.AST) -> Iterator[int]:
    """The lines of `getattr(x, name, default)` and `hasattr(x, name)`, but for what is said about a value's type."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name, arguments = node.func.id, len(node.args)
            if (name, arguments) in (("getattr", 3), ("hasattr", 2)):
                yield node.lineno


def found_in(room: str) -> list[str]:
    path = ROOT / room
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    assert files
    return [
        f"{room}: {file.name}:{line}"
        for file in files
        for line in guesses(ast.parse(file.read_text("utf-8")))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_attribute_is_guessed(room: str) -> None:
    # The bounds of pydantic's fields, and fontTools' empty glyphs, are attributes of classes that are not ours.
    allowed = {"blocks/section.py": 1, "draw": 1}
    assert len(found_in(room)) <= allowed.get(room, 0), found_in(room)


def test_a_guess_is_found() -> None:
    text = "a = getattr(x, 'y', 1)\nb = getattr(x, 'y')\nc = hasattr(x, 'y')\n"
    assert list(guesses(ast.parse(text))) == [1, 3]
