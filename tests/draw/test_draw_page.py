"""The HTML page: what is in the file, and, where there is a Chromium, what it does."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sketches

import netcfg
from netcfg.draw import FORMATS, Picture, picture
from netcfg.draw.folds import Group, Repeat, fold, level_of
from netcfg.draw.levels import Pin, split
from netcfg.draw.model import Box, Frame, diagram
from netcfg.draw.page import PARTS
from netcfg.draw.page.night import at_night
from netcfg.graph import Graph

RESIDUAL = """
{Define residual}
[convolutional]
name = conv1
filters = 8
kernel_size = 3
pad = 1
[convolutional]
name = conv2
filters = 8
kernel_size = 3
pad = 1
[combine_add]
combine_layers = -1, input
{Define stage}
[residual]
name = rest
repeat = 3
[convolutional]
name = down
filters = 8
kernel_size = 1
stride = 2
"""
NET = """
{Net}
[net]
channels = 8
height = 32
width = 32
[stage]
name = one
[stage]
name = two
repeat = 2
[convolutional]
filters = 8
kernel_size = 1
[convolutional]
filters = 8
kernel_size = 1
"""


def graphs(text: str = RESIDUAL + NET) -> list[Graph]:
    return list(netcfg.load(text).networks.values())


def page_of(drawn: Picture) -> str:
    return FORMATS[".html"](drawn).decode()


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


# --- the file


def test_the_same_networks_give_the_same_bytes() -> None:
    assert page_of(picture(graphs())) == page_of(picture(graphs()))


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    page = page_of(picture(graphs(), title="a.cfg"))
    assert not re.search(r"\b(src|href)=\"?https?:|@import|url\(|\bimport\(|fetch\(|XMLHttpRequest", page)


def test_texts_cannot_leave_their_place() -> None:
    text = (RESIDUAL + NET).replace(
        "{Net}", '# </script><script>alert(1)</script> "&amp; <!--\n{N</script> & "x"}'
    )
    page = page_of(picture(graphs(text), title="</title><script>{{DATA}}"))
    tags: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    Parser().feed(page)
    assert tags.count("script") == 2
    assert "<title>&lt;/title>&lt;script>{{DATA}}</title>" in page
    data = data_of(page)
    assert data["networks"][0]["name"] == 'N</script> & "x"'
    assert "alert(1)" in data["files"][0]["text"]


def test_what_turns_share_is_written_once() -> None:
    few, many = (
        page_of(picture(graphs((RESIDUAL + NET).replace("repeat = 3", f"repeat = {n}")))) for n in (3, 100)
    )
    turns, uses, boxes = 97, 3, 3
    assert len(many) - len(few) < turns * uses * boxes * 850


def test_every_block_and_wire_is_in_the_data() -> None:
    (graph,) = graphs()
    (network,) = data_of(page_of(picture([graph])))["networks"]
    titles = [title for box in network["boxes"] for title, _ in box["entries"]]
    assert sorted(titles) == sorted(f"[{node.type}] {node.path}" for node in graph.nodes)
    full = diagram(graph, expand=True)
    assert len(network["wires"]) == len(full.wires)


def test_night_turns_lightness_over_and_keeps_hue() -> None:
    assert at_night("#ffffff") < "#303030"
    assert at_night("#000000") > "#d0d0d0"
    red, green, blue = (int(at_night("#4682c4")[place : place + 2], 16) for place in (1, 3, 5))
    assert red < green < blue


def test_every_script_and_style_is_packaged_and_small() -> None:
    folder = Path(netcfg.__file__).parent / "draw" / "page"
    parts = {path.name for path in folder.iterdir() if path.suffix in (".js", ".css", ".html")}
    assert parts == {*PARTS, "page.css", "page.html"}
    assert sum((folder / name).stat().st_size for name in parts) < 110_000


# --- folding


def shown_at_first(group: Group, level: Any) -> tuple[Any, ...]:
    """A level as `level_of` makes it, in the words of `split`: members, links, labels, and the levels inside."""
    return len(level.members), [(s, t) for s, _, t in level.links], sorted(level.labels.values())


def levels_at_first(units: list[Any], flows: list[Any]) -> list[Any]:
    from netcfg.draw.folds import flows_of_one

    level = level_of(units, flows)
    found = [shown_at_first(units, level)]
    for unit in units:
        inner = level.inner[id(unit)]
        if isinstance(unit, Repeat):
            unit, inner = unit.one, flows_of_one(unit, inner)
        if isinstance(unit, Group):
            found += levels_at_first(unit.units, inner)
    return found


def levels_of_picture(frame: Frame, levels: dict[int, Any]) -> list[Any]:
    found = [shown_at_first(frame, levels[id(frame)])]
    for part in frame.parts:
        if isinstance(part, Frame):
            found += levels_of_picture(part, levels)
    return found


@pytest.mark.parametrize("name", sketches.ALL)
def test_with_one_turn_of_each_repeat_the_levels_are_those_of_a_picture(name: str) -> None:
    graph = sketches.ALL[name]()
    short = diagram(graph)
    whole, flows = fold(diagram(graph, expand=True))
    assert levels_at_first(whole.units, flows) == levels_of_picture(short.frame, split(short))


def test_runs_and_repeats_are_gathered() -> None:
    (graph,) = graphs()
    whole, _ = fold(diagram(graph, expand=True))
    kinds = [
        (type(unit).__name__, len(unit.turns) if isinstance(unit, Repeat) else 0) for unit in whole.units
    ]
    assert kinds == [("Box", 0), ("Group", 0), ("Repeat", 2), ("Repeat", 2), ("Box", 0)]
    assert isinstance(whole.units[3].one, Box)
    assert not any(isinstance(unit, Pin) for unit in whole.units)
