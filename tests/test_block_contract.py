"""Every section type keeps its contract: its example is right, its shape and cost are those of what is built."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor

import netcfg
from netcfg.blocks import Section
from netcfg.blocks.base import Block
from netcfg.blocks.registry import GROUPS, sections
from netcfg.passes.schema import check_section
from netcfg.source import Finding, SourceFile, render
from netcfg.syntax import parse

FRAMES = {"net", "input", "output"}
COMPUTING = {name: kind for name, kind in sections("network").items() if name not in FRAMES}
ALL = [(group, name) for group in GROUPS for name in sections(group)]
SHAPES = re.compile(r"#\s*(?P<inputs>[\dx, ]*?)\s*->\s*(?P<output>[\dx]+)")


def example(kind: type[Section]) -> str:
    """The docstring's example, without its indentation."""
    _, _, body = kind.describe().partition("Example::\n")
    return "\n".join(line.removeprefix("    ") for line in body.strip("\n").splitlines()) + "\n"


def shape_of(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.strip().split("x"))


def takes_classes(kind: type[Section]) -> bool:
    return issubclass(kind, Block) and kind.takes_kinds == ("class",)


def network_around(kind: type[Section]) -> tuple[str, list[tuple[int, ...]], tuple[int, ...]]:
    """A network with the example in it, the shapes of its inputs, and the shape the example promises."""
    text = example(kind)
    promised = SHAPES.search(text.splitlines()[0])
    assert promised is not None, "the example's first line says no shapes"
    inputs = [shape_of(shape) for shape in (promised["inputs"] or "1").split(",")]
    lines = ["{N}", "[net]"]
    for index, shape in enumerate(inputs):
        lines += ["[input]", f"name = in{index}", f"shape = {', '.join(map(str, shape))}"]
        lines += ["kind = class"] if takes_classes(kind) else []
    names = ", ".join(f"in{index}" for index in range(len(inputs)))
    if len(inputs) > 1:
        text = text.replace("-1, -1", names)
    return "\n".join(lines) + "\n" + text, inputs, shape_of(promised["output"])


def fed(kind: type[Section], shape: tuple[int, ...]) -> Tensor:
    """Numbers that a block can take: classes where it takes these."""
    return torch.randint(0, 2, (2, *shape)) if takes_classes(kind) else torch.randn(2, *shape)


def values_of(result: Tensor | dict[str, Tensor]) -> Tensor:
    return result if isinstance(result, Tensor) else next(iter(result.values()))


@pytest.mark.parametrize("name", COMPUTING)
def test_a_block_computes_what_its_page_promises(name: str) -> None:
    text, inputs, promised = network_around(COMPUTING[name])
    graph = netcfg.load(text).networks["N"]
    assert graph.nodes[-1].output.shape == promised
    network = netcfg.build(netcfg.load(text))["N"]
    result = values_of(network(*(fed(COMPUTING[name], shape) for shape in inputs)))
    assert tuple(result.shape) == (2, *promised)
    assert sum(value.numel() for value in network.parameters()) == graph.parameters
    assert sum(value.numel() for value in network.parameters() if value.requires_grad) == graph.trainable


@pytest.mark.parametrize("name", COMPUTING)
def test_a_block_evaluates_zeros_to_numbers(name: str) -> None:
    text, inputs, _ = network_around(COMPUTING[name])
    network = netcfg.build(netcfg.load(text))["N"].eval()
    with torch.no_grad():
        result = values_of(network(*(fed(COMPUTING[name], shape) * 0 for shape in inputs)))
    assert result.isfinite().all()


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_example_validates(group: str, name: str) -> None:
    findings: list[Finding] = []
    tree = parse(SourceFile("example", "{G}\n" + example(sections(group)[name])), findings)  # type: ignore[index]
    section = tree.items[0].sections[0]  # type: ignore[union-attr]
    assert section.name == name
    assert check_section(section, sections(group)[name], findings) is not None, "\n".join(
        map(render, findings)
    )  # type: ignore[index]
    assert findings == []


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_page_explains_every_option(group: str, name: str) -> None:
    rows = sections(group)[name].option_rows()  # type: ignore[index]
    assert [key for key, _, _, meaning in rows if not meaning.strip()] == []


@pytest.mark.parametrize(("group", "name"), ALL)
def test_every_page_begins_with_a_sentence(group: str, name: str) -> None:
    first = sections(group)[name].describe().partition("\n")[0]  # type: ignore[index]
    assert re.fullmatch(r"[A-Z].{8,}\.", first), first
