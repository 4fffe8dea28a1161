"""Programs and networks show themselves in notebooks, and are drawn from Python."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import netcfg

TEXT = """{Define pair}
[convolutional]
name = first
filters = 4
kernel_size = 1
[identity]
{One}
[net]
channels = 3
height = 8
width = 8
[pair]
name = both
[convolutional]
filters = 2
kernel_size = 1
{Two}
[net]
channels = 3
height = 8
width = 8
[identity]
"""


def nodes(svg: str) -> list[str]:
    return re.findall(r'data-node="([^"]*)"', svg)


def test_a_program_shows_all_its_networks_and_a_network_itself() -> None:
    program = netcfg.load(TEXT)
    assert {"One.both.first", "Two.0"} <= set(nodes(program._repr_svg_()))
    shown = program.networks["Two"]._repr_svg_()
    assert nodes(shown)[0] == "Two"
    assert "<a " not in shown


def test_a_picture_is_saved_by_its_ending(tmp_path: Path) -> None:
    drawn = netcfg.picture(netcfg.load(TEXT), depth=0)
    for name, start in (("a.svg", b"<svg"), ("a.HTML", b"<!DOCTYPE"), ("a.json", b"{")):
        drawn.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    (one, _) = json.loads((tmp_path / "a.json").read_text())["diagrams"]
    assert [node["id"] for node in one["nodes"]] == ["One.input", "One.both", "One.1", "One.output:One"]


def test_links_of_a_saved_picture_start_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text(TEXT)
    Path("out").mkdir()
    drawn = netcfg.picture(netcfg.load(Path("net.cfg")))
    drawn.save("out/net.svg")
    assert 'href="../net.cfg#L2"' in Path("out/net.svg").read_text()
    drawn.save("net.svg")
    assert 'href="net.cfg#L2"' in Path("net.svg").read_text()


def test_what_cannot_be_drawn_or_saved_says_why(tmp_path: Path) -> None:
    program = netcfg.load(TEXT)
    with pytest.raises(netcfg.NetcfgError, match="no choice `dept`\nhelp: did you mean `depth`"):
        netcfg.picture(program, dept=1)
    with pytest.raises(netcfg.NetcfgError, match=r"not `\.jpg`"):
        netcfg.picture(program).save(tmp_path / "a.jpg")
    with pytest.raises(netcfg.NetcfgError, match="there is no folder"):
        netcfg.picture(program).save(tmp_path / "none" / "a.svg")
