import pytest
import sketches
from sketches import Sketch

from netcfg.draw import Look, picture
from netcfg.draw.model import Box, diagram
from netcfg.draw.shown import PAGE_BOXES, fitting_depth
from netcfg.source import NetcfgError


def boxes(part):
    return [part] if isinstance(part, Box) else [box for inner in part.parts for box in boxes(inner)]


def test_closed_templates_are_boxes_that_say_what_they_hold():
    shown = diagram(sketches.resnet18(), look=Look(depth=0))
    closed = [part for part in shown.frame.parts if part.kind == "template"]
    assert len(shown.frame.parts) == len(boxes(shown.frame))
    assert [box.name for box in closed][:3] == ["layer1_0", "layer1_1", "layer2_0"]
    assert closed[0].pieces == ["basic block", "2 convolutional", "1 combine add"]
    assert closed[0].costs.parameters == 2 * 9 * 64 * 64


def test_closed_repeat_keeps_its_number_of_turns():
    shown = diagram(sketches.nested_repeats(), look=Look(depth=0))
    assert [(box.kind, box.count) for box in boxes(shown.frame)] == [
        ("input", 1),
        ("template", 3),
        ("output", 1),
    ]
    assert boxes(shown.frame)[1].pieces[0] == "residual group"


def test_depth_one_opens_the_outer_template_alone():
    shown = diagram(sketches.nested_repeats(), look=Look(depth=1))
    assert [(box.kind, box.count) for box in boxes(shown.frame)[1:-1]] == [
        ("template", 4),
        ("combination", 1),
    ]


def test_repeat_of_a_plain_block_is_no_level():
    shown = diagram(sketches.repeats(), look=Look(depth=0))
    assert [(box.kind, box.count) for box in boxes(shown.frame)[1:3]] == [
        ("template", 16),
        ("convolution", 3),
    ]


def test_equal_unnamed_uses_in_a_row_become_one_closed_box():
    sketch = Sketch()
    last = sketch.input("image", (64, 32, 32))
    for turn in range(4):
        with sketch.use(f"{turn}", "residual"):
            sketch.conv(64, last)
            last = sketch.add("combine_add", "", len(sketch.nodes) - 1, last)
    shown = diagram(sketch.graph(), look=Look(depth=0))
    assert [(box.name, box.count) for box in boxes(shown.frame)] == [("image", 1), ("", 4), ("Net", 1)]


def test_signals_of_a_closed_box_are_told_apart():
    shown = diagram(sketches.two_way_template(), look=Look(depth=0))
    (gate,) = (box for box in boxes(shown.frame) if box.kind == "template")
    leaving = {(wire.port, wire.label) for wire in shown.wires if wire.source is gate}
    assert leaving == {("weights", "weights 16×64×64"), ("2", "2 16×64×64")}


def test_every_turn_and_template_is_open_when_expanded():
    shown = picture([sketches.nested_repeats()], look=Look(expand=True)).diagrams[0]
    assert len(boxes(shown.frame)) == 3 * (4 * 3 + 1) + 2


def deep_network(uses):
    sketch = Sketch()
    last = sketch.input("image", (64, 32, 32))
    for turn in range(uses):
        with sketch.use(f"stage{turn}", "residual"):
            sketch.conv(64, last)
            sketch.conv(32)
            sketch.conv(64)
            last = sketch.add("combine_add", "", len(sketch.nodes) - 1, last)
    return sketch.graph()


def test_templates_are_closed_where_a_page_has_no_room_for_their_insides():
    assert fitting_depth([deep_network(3)]) is None
    assert 4 * 20 > PAGE_BOXES
    assert fitting_depth([deep_network(20)]) == 0
    assert len(boxes(picture([deep_network(20)]).diagrams[0].frame)) == 22


@pytest.mark.parametrize(
    ("labels", "notes", "label"),
    [
        (("shape",), (), "16×64×64"),
        (("parameters", "memory"), ("432 parameters", "262.1 kB"), ""),
        (("shape", "macs"), (), "16×64×64"),
    ],
)
def test_labels_are_those_asked_for(labels, notes, label):
    sketch = Sketch()
    sketch.input()
    sketch.conv(16)
    shown = diagram(sketch.graph(), look=Look(labels=labels))
    assert boxes(shown.frame)[1].notes == notes
    assert shown.wires[1].label == label


def test_unknown_label_is_refused_with_the_nearest():
    with pytest.raises(NetcfgError, match=r"labels: shape, parameters, macs or memory, not `param"):
        Look(labels=("parametres",))
