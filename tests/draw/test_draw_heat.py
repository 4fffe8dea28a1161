import pytest
import sketches
from contrast import ENOUGH, contrast
from overlaps import flat, groups
from sketches import Sketch

from netcfg.draw import Look, draw, picture
from netcfg.draw.heat import RAMP, heat_colour
from netcfg.draw.marks import paint_of
from netcfg.draw.measure import box_lines
from netcfg.draw.model import Box, diagram
from netcfg.draw.scene import Rect, Text
from netcfg.graph import Graph, WeightRequest
from netcfg.source import NetcfgError


def boxes(part):
    return [part] if isinstance(part, Box) else [box for inner in part.parts for box in boxes(inner)]


def three_costs():
    sketch = Sketch()
    sketch.input("image", (4, 8, 8))
    sketch.add("connected", "a", shape=(1,), parameters=400, name="a")
    sketch.add("connected", "b", shape=(1,), parameters=100, name="b")
    sketch.add("flatten", shape=(1,), name="c")
    return sketch.graph()


def test_heat_grows_with_the_root_of_the_cost():
    shown = picture([three_costs()], look=Look(heat="parameters")).diagrams[0]
    assert [box.heat for box in boxes(shown.frame)] == [None, 1.0, 0.5, 0.0, None]
    assert [box.notes for box in boxes(shown.frame)][1:4] == [("400 parameters",), ("100 parameters",), ()]


def test_heat_is_that_of_all_networks_together():
    small = Sketch("Small")
    small.input()
    small.add("connected", "d", shape=(1,), parameters=100, name="d")
    shown = picture([three_costs(), small.graph()], look=Look(heat="parameters")).diagrams[1]
    assert boxes(shown.frame)[1].heat == 0.5


def test_boxes_take_the_colour_of_their_heat():
    shown = picture([three_costs()], look=Look(heat="parameters")).diagrams[0]
    fills = [paint_of(box).fill for box in boxes(shown.frame)[1:4]]
    assert fills == [RAMP[-1], heat_colour(0.5), RAMP[0]]


def test_the_scale_says_what_its_ends_mean():
    scene = draw([three_costs()], look=Look(heat="parameters"))
    (legend,) = groups(scene.shapes, "legend")
    words = [shape.text for shape in legend.shapes if isinstance(shape, Text)]
    assert words == ["0", "400 parameters", "half way: 100 parameters"]


def test_families_of_volumes_are_in_the_legend():
    (legend,) = groups(draw([sketches.unet()], look=Look(style="volumes")).shapes, "legend")
    words = [shape.text for shape in legend.shapes if isinstance(shape, Text)]
    assert words == ["convolution", "pooling", "upsampling", "combination"]


def test_flow_needs_no_legend():
    assert list(groups(draw([sketches.unet()]).shapes, "legend")) == []


def test_unknown_cost_is_refused():
    with pytest.raises(
        NetcfgError, match="heat: parameters, macs or memory, not `mac`\nhelp: did you mean `macs`"
    ):
        Look(heat="mac")


def with_weights(*requests):
    graph = three_costs()
    asked = tuple(WeightRequest(path, source, None, "strict", None, graph.span) for path, source in requests)
    return Graph(graph.name, graph.nodes, graph.outputs, graph.span, None, asked)


def test_weights_of_a_block_are_told_in_its_box():
    shown = diagram(with_weights(("a", "folder/vgg.pt")))
    assert [box.start for box in boxes(shown.frame)] == ["", "vgg.pt", "", "", ""]
    texts = [
        shape.text
        for shape in flat(draw([with_weights(("a", "folder/vgg.pt"))]).shapes)
        if isinstance(shape, Text)
    ]
    assert "from vgg.pt" in texts


def test_weights_of_a_network_are_told_in_its_title_alone():
    shown = diagram(with_weights(("", "imagenet")))
    assert shown.frame.note == "500 parameters, from imagenet"
    assert not any(box.start for box in boxes(shown.frame))


@pytest.mark.parametrize("heat", [0.0, 0.1, 0.2, 0.6, 1.0])
def test_all_text_can_be_read_on_every_heat(heat):
    box = Box(
        "convolution",
        "stem",
        "",
        ["convolutional 3×3", "batch normalisation in groups", "relu"],
        "",
        template="first",
    )
    box.heat, box.frozen = heat, True
    words = [word for line in box_lines(box) for word in line]
    assert [word.text for word in words] == [
        "stem",
        "first",
        "convolutional 3×3",
        "batch normalisation in groups, relu",
        "frozen",
    ]
    assert min(contrast(word.colour, heat_colour(heat)) for word in words) >= ENOUGH


def test_heat_is_drawn():
    scene = draw([three_costs()], look=Look(heat="parameters"))
    fills = [
        shape.fill
        for group in groups(scene.shapes, "box")
        for shape in group.shapes
        if isinstance(shape, Rect)
    ]
    assert RAMP[-1] in fills
