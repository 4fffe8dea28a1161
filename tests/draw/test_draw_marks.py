"""Marked boxes and wires: their colours and signs, the messages beside them, and the legend."""

from dataclasses import replace

import pytest
import sketches
from test_draw_figure import flat, groups

from netcfg.draw import draw, picture, write_svg
from netcfg.draw.data import diagram_data
from netcfg.draw.dot import write_dot
from netcfg.draw.figure import compose
from netcfg.draw.marks import LOOKS
from netcfg.draw.mermaid import write_mermaid
from netcfg.draw.model import Box
from netcfg.draw.scene import Path, Rect, Text


def chain():
    sketch = sketches.Sketch("Chain")
    sketch.input("image", (3, 32, 32))
    for filters in (8, 16, 32):
        sketch.conv(filters, name=f"conv{filters}")
    return sketch.graph()


def marked(mark, message=""):
    """A chain of blocks, the first of which (and the wire out of it) is marked."""
    (diagram,) = picture([chain()]).diagrams
    box = next(part for part in diagram.frame.parts if isinstance(part, Box) and part.pieces)
    box.mark, box.message = mark, message
    diagram.wires[:] = [
        replace(wire, mark=mark, message=message) if wire.source is box else wire for wire in diagram.wires
    ]
    return diagram, box


def texts(shapes):
    return [shape.text for shape in flat(shapes) if isinstance(shape, Text)]


@pytest.mark.parametrize("mark", LOOKS)
def test_a_marked_box_has_its_colour_and_its_sign(mark):
    scene = compose([marked(mark)[0]])
    edges = [shape for shape in flat(groups(scene.shapes, "box")) if isinstance(shape, Rect)]
    (edge,) = (edge for edge in edges if edge.stroke == LOOKS[mark].colour)
    assert edge.fill == LOOKS[mark].fill
    assert edge.stroke_width > 1
    (group,) = (group for group in groups(scene.shapes, "box") if edge in group.shapes)
    assert texts(group.shapes)[0] == LOOKS[mark].sign


def test_a_marked_wire_has_its_colour():
    scene = compose([marked("error")[0]])
    colours = [shape.stroke for shape in flat(scene.shapes) if isinstance(shape, Path)]
    assert colours.count(LOOKS["error"].colour) == 1
    assert colours[-1] == LOOKS["error"].colour  # over the others


def test_a_message_stands_in_its_box_in_lines():
    message = "filters 64 → 32\nadds 8×30×30 and 3×32×32: 8 ≠ 3 (channels), 30 ≠ 32 (height), 30 ≠ 32 (width)"
    diagram, box = marked("changed", message)
    scene = compose([diagram])
    (group,) = (group for group in groups(scene.shapes, "box") if group.title == box.details)
    first, *rest = texts(group.shapes)[3:]  # after the sign, the name and the type
    assert first == "filters 64 -> 32"
    assert " ".join(rest) == message.splitlines()[1].replace("≠", "!=")


def test_a_long_message_is_cut():
    diagram, _ = marked("error", "word " * 400)
    assert texts(compose([diagram]).shapes).count("…") == 1


def test_the_legend_names_the_marks_there_are():
    diagram, _ = marked("added")
    diagram.frame.mark = "changed"
    (group,) = groups(compose([diagram]).shapes, "legend")
    assert texts(group.shapes) == ["+ added", "~ changed"]


def test_a_picture_without_marks_has_no_legend():
    assert list(groups(draw([chain()]).shapes, "legend")) == []


def test_text_writers_say_it_too():
    diagram, _ = marked("removed", "gone")
    assert "− " in write_dot([diagram])
    assert LOOKS["removed"].colour in write_dot([diagram])
    assert "gone" in write_mermaid([diagram])
    assert LOOKS["removed"].fill in write_mermaid([diagram])
    assert LOOKS["removed"].colour in write_svg(compose([diagram]))


def test_the_data_say_it_too():
    diagram, _ = marked("added", "new")
    (data,) = diagram_data("", [diagram], compose([diagram]))["diagrams"]
    assert [(node["mark"], node["message"]) for node in data["nodes"] if "mark" in node] == [("added", "new")]
    assert [(wire["mark"], wire["message"]) for wire in data["wires"] if "mark" in wire] == [("added", "new")]
