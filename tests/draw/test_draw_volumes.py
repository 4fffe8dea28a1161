import itertools

import pytest
import sketches
from overlaps import flat, groups
from sketches import Sketch

from netcfg.draw import Look, draw
from netcfg.draw.colours import mixed
from netcfg.draw.model import diagram
from netcfg.draw.scene import Path, Polygon, Text
from netcfg.draw.volumes import Scale
from netcfg.shapes import Symbolic

VOLUMES = Look(style="volumes")


def scale(graph):
    return Scale([diagram(graph)])


def fronts(scene):
    """The width and height of the first solid's front of each box that has solids, by the box's id."""
    found = {}
    for group in groups(scene.shapes, "box"):
        solids = [shape for shape in group.shapes if isinstance(shape, Polygon)]
        if solids:
            (left, top), _, (right, bottom), _ = solids[2].points
            found[group.id] = right - left, bottom - top
    return found


def test_maps_grow_with_the_root_of_their_sizes():
    _, large, _ = scale(sketches.vgg16()).lengths((64, 224, 224))
    _, small, _ = scale(sketches.vgg16()).lengths((64, 56, 56))
    assert large == pytest.approx(2 * small)


def test_thickness_stands_for_channels():
    thickness = [scale(sketches.vgg16()).lengths((channels, 8, 8))[0] for channels in (16, 64, 256)]
    assert thickness[1] == pytest.approx(thickness[2] / 2)
    assert thickness[0] < thickness[1]


def test_vectors_are_bars_as_long_as_they_have_features():
    lengths = [scale(sketches.vgg16()).lengths(shape)[1] for shape in ((16,), (1024,), (1024, 1, 1))]
    assert lengths[0] < lengths[1] == lengths[2]


def test_unknown_sizes_have_a_place():
    height = Symbolic.named("height")
    sketch = Sketch()
    sketch.input("image", (3, height, height))
    sketch.conv(8, size=None)
    assert len(fronts(draw([sketch.graph()], look=VOLUMES))) == 2


def test_a_run_is_drawn_as_so_many_solids_three_at_most():
    scene = draw([sketches.vgg16()], look=VOLUMES)
    counts = [
        sum(isinstance(shape, Polygon) for shape in group.shapes) // 3
        for group in groups(scene.shapes, "box convolution")
    ]
    assert counts == [2, 2, 3, 3, 3]


def test_shapes_stand_beneath_the_solids():
    scene = draw([sketches.vgg16()], look=VOLUMES)
    for group in groups(scene.shapes, "box convolution"):
        bottom = group.place[1] + group.place[3]
        texts = [shape for shape in group.shapes if isinstance(shape, Text)]
        assert min(text.y for text in texts) > bottom
        assert "×" in texts[-2].text
        assert texts[-1].text == f"×{2 if '64×224' in texts[-2].text or '128×' in texts[-2].text else 3}"


def test_lines_meet_the_solids():
    scene = draw([sketches.vgg16()], look=VOLUMES)
    places = [group.place for group in groups(scene.shapes, "box")]
    lines = [shape.points for shape in flat(scene.shapes) if isinstance(shape, Path)]
    assert len(lines) == len(places) - 1
    for line, (before, after) in zip(lines, itertools.pairwise(places), strict=True):
        assert line[0][0] == pytest.approx(before[0] + before[2])
        assert line[-1][0] == pytest.approx(after[0])


def test_text_of_a_sum_makes_way_for_the_line_that_comes_from_below():
    scene = draw([sketches.resnet18(templates=False)], look=VOLUMES)
    for group in groups(scene.shapes, "box combination"):
        texts = [shape.y for shape in group.shapes if isinstance(shape, Text)]
        assert max(texts) < group.place[1]


def test_pictures_downwards_lay_the_solids_flat():
    scene = draw([sketches.vgg16()], look=Look(style="volumes", direction="top-down"))
    assert scene.height > scene.width
    width, height = fronts(scene)["AUNet.0"]
    assert width > 10 * height


def test_mixed_colours():
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
    assert mixed("#102030", "#405060", 0.0) == "#102030"
