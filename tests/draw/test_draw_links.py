"""Parts of a picture lead to where they are written, by addresses that are the same on every machine."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.draw import picture, write_svg
from netcfg.draw.links import Links
from netcfg.passes.read import shipped_folder

SVG = "{http://www.w3.org/2000/svg}"
OWN_TEMPLATE = """{include parts/pair.cfg}
{N}
[net]
channels = 3
height = 8
width = 8
[pair]
name = both
[convolutional]
name = last & "least"
filters = 2
kernel_size = 1
"""
PART = "{Define pair}\n[convolutional]\nfilters = 4\nkernel_size = 1\n[identity]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets" / "parts").mkdir(parents=True)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "nets" / "a b.cfg").write_text(OWN_TEMPLATE.replace(' & "least"', ""))
    (tmp_path / "nets" / "parts" / "pair.cfg").write_text(PART)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hrefs(svg: str) -> dict[str, str]:
    """The address of each node, by its id."""
    found = {}
    for link in ElementTree.fromstring(svg).iter(f"{SVG}a"):
        found[link.find(f"{SVG}g").get("data-node", "header")] = link.get("href")
    return found


def drawn(output: str, *options: str) -> dict[str, str]:
    assert main(["graph", "nets/a b.cfg", "-o", output, *options]) == 0
    return hrefs(Path(output).read_text())


def test_nodes_lead_to_their_lines_relative_to_the_picture(folder: Path) -> None:
    assert drawn("pictures/a.svg")["N.last"] == "../nets/a%20b.cfg#L9"
    assert drawn("nets/a.svg")["N.both.0"] == "parts/pair.cfg#L2"


def test_the_bytes_do_not_tell_where_the_files_lie(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn("pictures/a.svg")
    first = Path("pictures/a.svg").read_bytes()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(folder, elsewhere)
    assert (
        main(["graph", str(elsewhere / "nets" / "a b.cfg"), "-o", str(elsewhere / "pictures" / "a.svg")]) == 0
    )
    second = (elsewhere / "pictures" / "a.svg").read_bytes()
    assert str(elsewhere).encode() not in second
    assert first == second


def test_a_template_says_where_nodes_lead_to(folder: Path) -> None:
    addresses = drawn("a.svg", "--link", "vscode://file/{path}:{line}:{column}")
    assert addresses["N.last"] == f"vscode://file/{folder}/nets/a%20b.cfg:9:1"
    assert drawn("a.svg", "--link", "") == {}


def test_what_stands_in_an_installed_file_leads_to_its_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "{include blocks/vgg16.cfg}\n{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[vgg16_features]\n"
    Path("mine.cfg").write_text(text)
    program = netcfg.load(Path("mine.cfg"))
    svg = write_svg(picture(list(program.networks.values())).scene, Links())
    assert set(hrefs(svg).values()) == {"mine.cfg#L3", "mine.cfg#L7"}
    assert str(shipped_folder()) not in svg
    assert "blocks/vgg16.cfg:" in svg


def test_a_text_without_a_file_has_no_links() -> None:
    program = netcfg.load("{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[flatten]\n")
    assert hrefs(write_svg(picture(list(program.networks.values())).scene, Links())) == {}


def test_ids_are_xml_names_and_each_comes_once(folder: Path) -> None:
    drawn("a.svg")
    ids = re.findall(r' id="([^"]*)"', Path("a.svg").read_text())
    assert len(ids) == len(set(ids)) > 4
    assert all(re.fullmatch(r"[\w][\w.:-]*", id) for id in ids)


def test_nodes_are_called_for_screen_readers(folder: Path) -> None:
    drawn("a.svg")
    root = ElementTree.fromstring(Path("a.svg").read_text())
    assert root.get("aria-label") == "a b.cfg"
    nodes = {group.get("data-node"): group for group in root.iter(f"{SVG}g")}
    assert nodes["N.last"].get("role") == "img"
    assert nodes["N.last"].get("aria-label").startswith("[convolutional] last, shape 2×8×8")


@pytest.mark.parametrize("name", ["audetnet.cfg", "audetnet_general.cfg", "aunet_of_fc6.cfg"])
def test_every_card_of_a_training_diagram_leads_to_a_line_of_the_user_s_file(
    tmp_path: Path, name: str
) -> None:
    """Whether it is written there, in a shipped file that it includes, or follows from AUDetNet's options."""
    shutil.copy(shipped_folder() / name, tmp_path / "mine.cfg")
    lines = (tmp_path / "mine.cfg").read_text().splitlines()
    assert main(["graph", str(tmp_path / "mine.cfg"), "--training", "-o", str(tmp_path / "out.svg")]) == 0
    svg = (tmp_path / "out.svg").read_text()
    cards = set(re.findall(r'<g class="box [^>]*data-node="([^"]*)"', svg))
    led = hrefs(svg)
    assert cards <= set(led)
    for card in cards:
        file, _, line = led[card].partition("#L")
        assert file == "mine.cfg"
        assert lines[int(line) - 1].strip()[0] in "[{", (card, line)
    assert "expanded" not in svg


def test_losses_lead_to_their_own_lines(tmp_path: Path) -> None:
    shutil.copy(shipped_folder() / "audetnet_general.cfg", tmp_path / "mine.cfg")
    lines = (tmp_path / "mine.cfg").read_text().splitlines()
    main(["graph", str(tmp_path / "mine.cfg"), "--training", "-o", str(tmp_path / "out.svg")])
    losses = {id: href for id, href in hrefs((tmp_path / "out.svg").read_text()).items() if ".Loss." in id}
    assert len(set(losses.values())) == len(losses)
    for id, href in losses.items():
        assert f"name = {id.rpartition('.')[2]}" in lines[int(href.partition("#L")[2]) :][:1]
