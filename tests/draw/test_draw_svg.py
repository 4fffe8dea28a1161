import re
import xml.etree.ElementTree as ElementTree

import pytest
import sketches

from netcfg.draw import draw, write_svg
from netcfg.draw.scene import Scene, Text

SVG = "{http://www.w3.org/2000/svg}"


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
