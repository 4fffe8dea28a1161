"""A written `forward` with parts of it as functions, which the backward pass calls again.

What a part reads and gives is found in its text: a variable is written several times, so that it must be handed over,
never looked up when the part is called again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from netcfg.graph import Node


class Line(NamedTuple):
    """A line of a `forward`, the node that it computes, and the stretch that it stands in."""

    text: str
    node: Node | None = None
    stretch: int | None = None


class _Named(NamedTuple):
    """The variables that lines read before they write them, in order, and those that they write."""

    read: dict[str, None]
    written: dict[str, None]


def with_stretches(
    lines: Sequence[Line], inputs: Iterable[str], modules: Mapping[int, Sequence[str]]
) -> list[Line]:
    """The lines, with each stretch as a function and a call of it.

    `inputs` are the variables that are there before; `modules` the paths of those that each stretch calls.
    """
    groups = [(stretch, list(group)) for stretch, group in groupby(lines, lambda line: line.stretch)]
    named = [_named(group) for _, group in groups]
    variables = {*inputs, *(name for one in named for name in one.written)}
    result: list[Line] = []
    for (stretch, group), own, after in zip(groups, named, _read_later(named), strict=True):
        if stretch is None:
            result += group
            continue
        given = [name for name in own.read if name in variables]
        made = [name for name in own.written if name in after]
        result += _part(stretch, group, given, made, modules.get(stretch, ()))
        dead = [name for name in given if name not in after and name not in made]
        if dead:
            result.append(Line(f"    del {', '.join(dead)}"))
    return result


def _read_later(named: Sequence[_Named]) -> list[set[str]]:
    """For each group of lines the variables that those after it read as this one leaves them."""
    later: list[set[str]] = []
    read: set[str] = set()
    for one in reversed(named):
        later.append(read)
        read = (read - one.written.keys()) | one.read.keys()
    return later[::-1]


def _named(group: Iterable[Line]) -> _Named:
    found = _Named({}, {})
    for line in group:
        names = [
            node for node in ast.walk(ast.parse(line.text.strip(), mode="exec")) if isinstance(node, ast.Name)
        ]
        for one in names:
            if not isinstance(one.ctx, ast.Store) and one.id not in found.written:
                found.read.setdefault(one.id)
        # A statement reads before it writes: `x = relu(x)`.
        found.written.update(dict.fromkeys(one.id for one in names if isinstance(one.ctx, ast.Store)))
    return found


def _part(
    stretch: int, group: Sequence[Line], given: Sequence[str], made: Sequence[str], modules: Iterable[str]
) -> Iterator[Line]:
    name = f"part{stretch + 1}"
    paths = "".join(f"{path!r}, " for path in modules)
    yield Line(f"    def {name}({', '.join(given)}):")
    yield from (Line(f"    {line.text}", line.node) for line in group)
    yield Line(f"        return {', '.join(made)}")
    yield Line(f"    {', '.join(made)} = {', '.join(['again(self', f'({paths})', name, *given])})")
