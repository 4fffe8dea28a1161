import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path

import matplotlib
import pytest
import sketches

import netcfg
from netcfg.draw import draw, write_svg
from netcfg.draw.scene import Scene, Text

SVG = "{http://www.w3.org/2000/svg}"
CFG = Path(__file__).resolve().parents[2] / "cfg"


@pytest.mark.parametrize("name", sketches.ALL)
def test_svg_is_xml(name):
    root = ElementTree.fromstring(write_svg(draw([sketches.ALL[name]()])))
    assert root.tag == f"{SVG}svg"


def test_names_are_escaped_and_control_characters_replaced():
    text = write_svg(draw([sketches.odd_texts()], title="<a> & b"))
    texts = [element.text for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
    assert '<Ünet & "Söhne">' in texts
    assert "schön<&>'\"名前\ufffd" in texts
    assert "<a> & b" in texts


def test_each_box_has_a_title_with_type_and_place():
    root = ElementTree.fromstring(write_svg(draw([sketches.vgg16()])))
    boxes = [group for group in root.iter(f"{SVG}g") if group.get("class") == "box convolution"]
    assert len(boxes) == 5
    title = boxes[0].find(f"{SVG}title").text
    assert title.startswith("[convolutional] 0\n")
    assert "sketch.cfg:2" in title


def test_same_scene_gives_the_same_bytes():
    graph = sketches.resnet18()
    assert write_svg(draw([graph])) == write_svg(draw([graph]))


def test_numbers_have_two_decimals_at_most():
    assert not re.search(r"\d\.\d{3}", write_svg(draw([sketches.inception()])))


def test_each_text_states_its_measured_length():
    scene = Scene(100.0, 50.0, shapes=[Text(10.0, 20.0, "a×b", 12.0, 33.333, "#000000")])
    assert 'textLength="33.33"' in write_svg(scene)


# --- fonts


@cache
def helvetica():
    """Advances of Helvetica and Helvetica Bold in thousandths of an em, from Adobe's tables, which Matplotlib has."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "pdfcorefonts"
    rows = {}
    for bold, name in ((False, "Helvetica.afm"), (True, "Helvetica-Bold.afm")):
        found = re.findall(r"^C (\d+) ; WX (\d+) ;", (folder / name).read_text(), re.MULTILINE)
        rows[bold] = {chr(int(code)): int(width) for code, width in found}
    return rows


@pytest.mark.parametrize("name", ["audetnet.cfg", "aunet_of_fc6.cfg", "audetnet_resnet50.cfg"])
def test_the_first_family_is_one_that_every_renderer_has(name):
    """A renderer that knows the first alone, and no lengths of texts, still keeps texts about where they belong."""
    scene = draw(list(netcfg.load(CFG / name).networks.values()))
    svg = write_svg(scene)
    (families,) = re.findall(r'font-family="([^"]*)"', svg)
    assert families.split(",")[0] in ("Helvetica", "Arial", "sans-serif")
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        table = helvetica()[text.get("font-weight") == "bold"]
        natural = (
            sum(table.get(character, 584) for character in text.text) * float(text.get("font-size")) / 1000
        )
        assert natural <= float(text.get("textLength")) * 1.1 + 2, text.text


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs librsvg")
def test_librsvg_draws_it(tmp_path):
    (tmp_path / "a.svg").write_text(write_svg(draw([sketches.resnet18()])))
    subprocess.run(["rsvg-convert", "a.svg", "-o", "a.png"], cwd=tmp_path, check=True)
    assert (tmp_path / "a.png").stat().st_size > 10_000
