"""What a graph says of itself: whose a parameter is, which signals have pixels, and classes that data must fit."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.graph import Signal


def test_the_owner_of_a_parameter() -> None:
    text = """
    {Net}
    [net]
    [input]
    name = x
    axes = tokens, features
    shape = 5, 8
    [class_token]
    name = cls
    [connected]
    name = cls2.a
    output_features = 4
    [connected]
    name = cls2.b
    output_features = 4
    """
    program, findings = netcfg.check("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")
    assert program is not None, findings
    graph = program.networks["Net"]
    names = netcfg.build(program)["Net"].state_dict()
    owners = {name: node.path for name in names if (node := graph.owner(name)) is not None}
    assert owners == {
        "cls": "cls",
        "cls2.a.weight": "cls2.a",
        "cls2.a.bias": "cls2.a",
        "cls2.b.weight": "cls2.b",
        "cls2.b.bias": "cls2.b",
    }
    assert graph.owner("cls2.weight") is None


@pytest.mark.parametrize(
    ("axes", "shape", "has"),
    [
        ("CHW", (3, 8, 8), True),
        ("TCHW", (4, 3, 8, 8), True),
        ("", (3, 8, 8), True),
        ("TLF", (4, 7, 8), False),
        ("LF", (7, 8), False),
        ("", (8,), False),
    ],
)
def test_which_signals_have_pixels(axes: str, shape: tuple[int, ...], has: bool) -> None:
    assert Signal(0, "", shape, axes).has_places is has


CLASSES = """
{{Net}}
[net]
[input]
name = emotion
kind = class
classes = {declared}
[embedding]
count = {declared}
features = 4
[output]
name = code

{{Data}}
[synthetic_faces]
fields = emotion
"""


@pytest.mark.parametrize(("offset", "said"), [(0, []), (-1, ["error"]), (2, ["warning"])])
def test_declared_classes_are_those_of_the_data(offset: int, said: list[str]) -> None:
    known = 7
    _, findings = netcfg.check(CLASSES.format(declared=known + offset))
    found = [finding for finding in findings if finding.code == "NC305"]
    assert [finding.severity for finding in found] == said, findings
