import pytest
import sketches
from sketches import Sketch

import netcfg
from netcfg.draw.measure import box_lines
from netcfg.draw.model import Box, Frame, amount, diagram
from netcfg.draw.options import Look
from netcfg.draw.shown import shown_boxes


def boxes(part):
    return [part] if isinstance(part, Box) else [box for inner in part.parts for box in boxes(inner)]


def blocks(graph, **options):
    return [box for box in boxes(diagram(graph, **options).frame) if box.kind not in ("input", "output")]


def test_activation_dropout_and_norm_are_written_into_the_block_they_follow():
    sketch = Sketch()
    sketch.input()
    sketch.conv(8)
    sketch.add("batch_norm")
    sketch.add("activation", "relu")
    sketch.add("dropout", "0.5")
    (box,) = blocks(sketch.graph())
    assert box.pieces == ["convolutional 3×3", "8", "batch norm", "relu", "dropout 0.5"]


def test_activation_stays_apart_where_its_input_is_read_twice():
    sketch = Sketch()
    sketch.input()
    first = sketch.conv(8)
    act = sketch.add("activation", "relu")
    sketch.add("combine_add", "", first, act)
    assert [box.kind for box in blocks(sketch.graph())] == ["convolution", "activation", "combination"]


def test_activation_stays_apart_where_its_input_is_an_output():
    sketch = Sketch()
    sketch.input()
    logits = sketch.conv(8)
    probabilities = sketch.add("activation", "sigmoid")
    assert len(blocks(sketch.graph(logits=logits, probabilities=probabilities))) == 2


def test_activation_of_an_input_stays_a_box():
    sketch = Sketch()
    sketch.input()
    sketch.add("activation", "relu")
    assert len(blocks(sketch.graph())) == 1


def test_equal_unnamed_blocks_in_a_row_become_one():
    convolutions = [box for box in blocks(sketches.vgg16()) if box.kind == "convolution"]
    assert [box.count for box in convolutions] == [2, 2, 3, 3, 3]


def test_vgg16_expanded_shows_each_block():
    expanded = blocks(sketches.vgg16(), expand=True)
    assert len(expanded) == 13 + 5 + 1 + 3
    assert {box.count for box in expanded} == {1}


def test_named_blocks_are_not_collapsed():
    sketch = Sketch()
    sketch.input()
    sketch.conv(8, name="first")
    sketch.conv(8, name="second")
    assert [box.name for box in blocks(sketch.graph())] == ["first", "second"]


def test_run_ends_where_a_signal_is_read_elsewhere():
    sketch = Sketch()
    sketch.input()
    sketch.conv(8)
    second = sketch.conv(8)
    third = sketch.conv(8)
    sketch.add("combine_add", "", third, second)
    assert [box.count for box in blocks(sketch.graph())] == [2, 1, 1]


def test_repeat_is_shown_once_with_its_number_of_turns():
    shown = diagram(sketches.repeats())
    frame, plain = shown.frame.parts[1], shown.frame.parts[2]
    assert isinstance(frame, Frame)
    assert (frame.name, frame.note, frame.count, len(frame.parts)) == ("trunk", "residual sr", 16, 3)
    assert isinstance(plain, Box)
    assert plain.count == 3


def test_repeat_has_no_wires_back_from_one_turn_to_the_next():
    shown = diagram(sketches.repeats())
    order = {id(box): place for place, box in enumerate(boxes(shown.frame))}
    assert all(order[id(wire.source)] < order[id(wire.target)] for wire in shown.wires)
    assert len(shown.wires) == 6  # in, to the second, to the sum, the skip, to the plain block, out


def test_repeat_in_a_repeat_is_shown_once():
    outer = diagram(sketches.nested_repeats()).frame.parts[1]
    assert isinstance(outer, Frame)
    inner = outer.parts[0]
    assert isinstance(inner, Frame)
    assert (outer.count, len(outer.parts)) == (3, 2)
    assert (inner.name, inner.count, len(inner.parts)) == ("body", 4, 3)


def test_expanded_repeat_shows_every_turn():
    shown = diagram(sketches.repeats(), expand=True)
    frames = [part for part in shown.frame.parts if isinstance(part, Frame)]
    assert [frame.name for frame in frames][:2] == ["trunk · 1 of 16", "trunk · 2 of 16"]
    assert len(blocks(sketches.repeats(), expand=True)) == 16 * 3 + 3


def test_template_with_one_block_becomes_a_box_with_its_name():
    sketch = Sketch()
    sketch.input()
    with sketch.use("stem", "conv_block"):
        sketch.conv(8)
        sketch.add("activation", "relu")
    (box,) = blocks(sketch.graph())
    assert box.name == "stem"
    assert box.template == "conv block"


def test_each_output_has_a_pill():
    shown = diagram(sketches.two_streams())
    assert [box.name for box in boxes(shown.frame) if box.kind == "output"] == [
        "action_units",
        "emotion",
        "valence",
    ]


def test_unnamed_output_is_called_like_its_network():
    assert boxes(diagram(sketches.vgg16()).frame)[-1].name == "AUNet"


def test_wires_are_labelled_with_port_and_shape():
    labels = [wire.label for wire in diagram(sketches.taps()).wires]
    assert "layer3 1024×14×14" in labels


def test_frozen_block_says_so():
    assert [box.frozen for box in blocks(sketches.taps())][0]


SIAMESE = """{Define tower}
[convolutional]
filters = 4
kernel_size = 3
[activation]
activation = relu
[maxpool]
pool_size = 2
stride = 2
{Siamese}
[net]
[input]
name = left
channels = 3
height = 8
width = 8
[input]
name = right
channels = 3
height = 8
width = 8
[tower]
name = tower
from = left
[connected]
name = head
output_features = 4
[tower]
name = twin
from = right
shared_with = tower
[connected]
output_features = 4
shared_with = head
[connected]
output_features = 4
[combine_add]
combine_layers = head, -1
"""


@pytest.mark.parametrize("depth", [None, 0])
def test_blocks_say_whose_parameters_they_use(depth):
    (graph,) = netcfg.load(SIAMESE).networks.values()
    lenders = [(box.pieces[0], box.lender) for box in blocks(graph, look=Look(depth=depth))]
    tower = [("convolutional 3×3", ""), ("maxpool 2×2", "")] if depth is None else [("tower", "")]
    twin = [("convolutional 3×3", "tower"), ("maxpool 2×2", "")] if depth is None else [("tower", "tower")]
    dense = ("connected 4", "")
    assert lenders == [*tower, dense, *twin, ("connected 4", "head"), dense, ("combine add", "")]


def test_a_closed_use_without_parameters_of_its_own_is_not_frozen():
    (graph,) = netcfg.load(SIAMESE).networks.values()
    assert not any(box.frozen for box in blocks(graph, look=Look(depth=0)))


def test_what_is_shared_is_a_line_in_the_box_and_a_fact():
    (graph,) = netcfg.load(SIAMESE).networks.values()
    box = next(box for box in blocks(graph) if box.lender == "head")
    assert [word.text for line in box_lines(box) for word in line] == ["connected 4", "shares head"]
    assert "shares the parameters of head" in box.details
    assert box.entries[0].facts["shares"] == "head"


def test_frozen_network_says_so_in_its_title_alone():
    sketch = Sketch()
    sketch.input()
    sketch.add("connected", "8", shape=(8,), parameters=72, trainable=0)
    shown = diagram(sketch.graph())
    assert shown.frame.note == "72 parameters, frozen"
    assert not any(box.frozen for box in boxes(shown.frame))


def test_details_name_type_path_shape_parameters_and_line():
    box = blocks(sketches.taps())[0]
    assert "[resnet50] backbone" in box.details
    assert "shape layer1 256×56×56" in box.details
    assert "23,508,032 parameters" in box.details
    assert "sketch.cfg:2" in box.details


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (532, "532"),
        (12_400, "12.4 k"),
        (999_960, "1.0 M"),
        (134_260_544, "134.3 M"),
        (2_500_000_000, "2.5 G"),
    ],
)
def test_amounts_are_short(number, text):
    assert amount(number) == text


def test_turns_that_differ_in_numbers_are_drawn_by_themselves() -> None:
    """Folded they showed the first one's numbers for all of them."""
    block = "[convolutional]\nname = c\nrepeat = 3\nfilters = 3\nkernel_size = 3\npad = True\ndilation = {}\n"
    head = "{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
    for dilation, boxes in (("2", 1), ("${2 ** turn}", 3)):
        shown, _ = shown_boxes(netcfg.load(head + block.format(dilation)).networks["N"])
        assert sum(box.first.type == "convolutional" for box in shown) == boxes
