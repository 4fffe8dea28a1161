"""`netcfg graph -o out.json`: what `netcfg/draw/data.py` promises of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sketches

import netcfg
from netcfg.draw import FORMATS, picture

CFG = Path(__file__).resolve().parents[2] / "cfg"
SPAN = {"file": str, "line": int, "column": int, "end_column": int}
PART = {"id": str, "name": str, "template": str, "parent": str, "turns": int, "place": list, "entries": list}
NUMBER = (int, float)
FILE = {
    "format": str,
    "version": int,
    "title": str,
    "width": NUMBER,
    "height": NUMBER,
    "diagrams": list,
}
DIAGRAM = {
    "id": str,
    "name": str,
    "note": str,
    "place": list,
    "entries": list,
    "frames": list,
    "nodes": list,
    "wires": list,
}
ROWS = {
    "frames": PART,
    "nodes": {**PART, "kind": str, "text": list, "frozen": bool},
    "wires": {"source": str, "target": str, "port": str, "label": str},
}
ENTRY = {"title": str, "span": (dict, type(None)), "chain": list, "facts": dict}


def expect(value: dict[str, Any], schema: dict[str, Any], optional: set[str] = frozenset()) -> None:
    assert set(value) - optional == set(schema)
    for key, kind in schema.items():
        assert isinstance(value[key], kind), (key, value[key])


def expect_diagram(diagram: dict[str, Any]) -> None:
    expect(diagram, DIAGRAM)
    parts = [*diagram["frames"], *diagram["nodes"]]
    for key, schema in ROWS.items():
        for row in diagram[key]:
            expect(row, schema)
    for part in [diagram, *parts]:
        assert len(part["place"]) == 4
        for entry in part["entries"]:
            expect(entry, ENTRY, {"type", "options"})
            for span in [entry["span"], *entry["chain"]]:
                expect(span, SPAN, {"message"})
    nodes = {node["id"] for node in diagram["nodes"]}
    assert {wire[end] for wire in diagram["wires"] for end in ("source", "target")} <= nodes
    assert {part["parent"] for part in parts} <= {
        diagram["id"],
        *(frame["id"] for frame in diagram["frames"]),
    }


def data_of(graphs: list[netcfg.graph.Graph], **options: Any) -> dict[str, Any]:
    return json.loads(FORMATS[".json"](picture(graphs, title="t", **options)))


@pytest.mark.parametrize("name", ["audetnet_general.cfg", "aunet_of_horizontal.cfg", "audetnet_resnet50.cfg"])
def test_the_file_is_as_documented(name: str) -> None:
    program = netcfg.load(CFG / name)
    data = data_of(list(program.networks.values()))
    expect(data, FILE)
    assert (data["format"], data["version"]) == ("netcfg-diagram", 1)
    assert [diagram["name"] for diagram in data["diagrams"]] == list(program.networks)
    for diagram in data["diagrams"]:
        expect_diagram(diagram)


@pytest.mark.parametrize("expand", [False, True])
def test_every_block_is_told_of_once(expand: bool) -> None:
    graph = sketches.resnet18()
    (diagram,) = data_of([graph], expand=expand)["diagrams"]
    entries = [entry for node in diagram["nodes"] for entry in node["entries"]]
    assert sorted(entry["title"] for entry in entries) == sorted(
        f"[{node.type}] {node.path}" for node in graph.nodes
    )
    assert sum(entry["facts"]["parameters"] for entry in entries) == graph.parameters


def test_places_lie_within_their_frames() -> None:
    (diagram,) = data_of([sketches.resnet18()])["diagrams"]
    places = {part["id"]: part["place"] for part in [diagram, *diagram["frames"]]}
    assert diagram["frames"]
    for part in [*diagram["frames"], *diagram["nodes"]]:
        x, y, width, height = part["place"]
        left, top, across, down = places[part["parent"]]
        assert left <= x
        assert top <= y
        assert x + width <= left + across
        assert y + height <= top + down


def test_an_entry_has_the_options_that_were_set_and_the_chain_that_leads_to_it() -> None:
    text = (
        "{Define pair}\n[convolutional]\nname = first\nfilters = 4\nkernel_size = 1\nfreeze = True\n[identity]\n"
        "{N}\n[net]\nchannels = 3\nwidth = 8\n[pair]\nname = both\n"
    )
    program = netcfg.load(text)
    (diagram,) = data_of(list(program.networks.values()))["diagrams"]
    node = next(node for node in diagram["nodes"] if node["id"] == "N.both.first")
    entry = node["entries"][0]
    assert entry["options"] == {"name": "first", "filters": "4", "kernel_size": "1", "freeze": "True"}
    assert entry["facts"] == {
        "shape": {"": [4, "height", 8]},
        "parameters": 16,
        "trainable": 0,
        "macs": None,
        "frozen": True,
    }
    assert [(note["line"], note["message"]) for note in entry["chain"]] == [
        (12, "in the expansion of `pair`")
    ]
