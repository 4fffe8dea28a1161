import itertools
import subprocess
import sys

import pytest
import sketches

from netcfg.draw import Look, draw, write_svg
from netcfg.draw.figure import pack
from netcfg.draw.metrics import text_width
from netcfg.draw.scene import Group, Path, Rect, Text
from netcfg.shapes import Symbolic


def flat(shapes):
    for shape in shapes:
        if isinstance(shape, Group):
            yield from flat(shape.shapes)
        else:
            yield shape


def groups(shapes, kind):
    for shape in shapes:
        if isinstance(shape, Group):
            if shape.kind.startswith(kind):
                yield shape
            yield from groups(shape.shapes, kind)


def rectangle(shape):
    return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height


def text_rectangle(text):
    return text.left, text.y - text.size * 0.75, text.left + text.width, text.y + text.size * 0.2


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def inside(one, other):
    return other[0] <= one[0] and other[1] <= one[1] and one[2] <= other[2] and one[3] <= other[3]


@pytest.fixture(params=sketches.ALL)
def scene(request):
    return draw([sketches.ALL[request.param]()], title="a.cfg")


def test_no_two_boxes_overlap(scene):
    boxes = [rectangle(next(flat(group.shapes))) for group in groups(scene.shapes, "box")]
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))


def test_text_fits_in_its_box(scene):
    for group in groups(scene.shapes, "box"):
        *_, box = (shape for shape in group.shapes if isinstance(shape, Rect))
        for text in (shape for shape in group.shapes if isinstance(shape, Text)):
            assert text.width == text_width(text.text, text.size, text.bold)
            assert inside(text_rectangle(text), rectangle(box)), text


def test_texts_do_not_overlap(scene):
    texts = [text_rectangle(shape) for shape in flat(scene.shapes) if isinstance(shape, Text)]
    assert not any(overlap(one, other) for one, other in itertools.combinations(texts, 2))


def test_everything_lies_in_the_network_frame(scene):
    (network,) = groups(scene.shapes, "network")
    frame, *shapes = flat(network.shapes)
    for shape in shapes:
        if isinstance(shape, Rect):
            assert inside(rectangle(shape), rectangle(frame))
        elif isinstance(shape, Text):
            assert inside(text_rectangle(shape), rectangle(frame))
        elif isinstance(shape, Path):
            assert all(inside((*point, *point), rectangle(frame)) for point in shape.points)


def test_frames_hold_their_boxes(scene):
    for frame in groups(scene.shapes, "frame"):
        rects = [shape for shape in frame.shapes if isinstance(shape, Rect)]
        outline = max(
            (rectangle(rect) for rect in rects), key=lambda box: (box[2] - box[0]) * (box[3] - box[1])
        )
        for box in groups(frame.shapes, "box"):
            assert inside(rectangle(next(flat(box.shapes))), outline)


def test_spine_of_a_chain_is_one_straight_line():
    scene = draw([sketches.vgg16()])
    lines = [shape for shape in flat(scene.shapes) if isinstance(shape, Path)]
    assert len({x for line in lines for x, _ in line.points}) == 1


def test_spine_goes_straight_through_frames():
    scene = draw([sketches.resnet18()], look=Look(columns=1))
    into_frames = [
        line.points for line in flat(scene.shapes) if isinstance(line, Path) and len(line.points) == 2
    ]
    vertical = [points[0][0] for points in into_frames if points[0][0] == points[1][0]]
    assert max(vertical.count(x) for x in set(vertical)) >= 8 * 4


def test_long_symbolic_shape_is_cut_short_beside_its_line():
    height = Symbolic.named("height")
    sketch = sketches.Sketch()
    sketch.input("image", (3, height, height))
    for turn in range(6):
        height = (height + turn) // 2
        sketch.add("maxpool", "2×2, stride 2", shape=(3, height, height))
    texts = [shape for shape in flat(draw([sketch.graph()]).shapes) if isinstance(shape, Text)]
    assert any(text.text == "3×height×height" for text in texts)
    assert any(text.text.endswith("…") for text in texts)
    assert max(text.width for text in texts) <= 200


def test_no_network_is_an_empty_page():
    assert draw([]).shapes == []


def test_networks_stand_side_by_side_in_order():
    scene = draw([sketches.vgg16(), sketches.unet(), sketches.two_streams(), sketches.taps()])
    frames = [rectangle(group.shapes[0]) for group in groups(scene.shapes, "network")]
    assert not any(overlap(one, other) for one, other in itertools.combinations(frames, 2))
    assert all(inside(frame, (0, 0, scene.width, scene.height)) for frame in frames)
    assert [(frame[0], frame[1]) for frame in frames] == sorted((frame[0], frame[1]) for frame in frames)


def test_many_networks_do_not_make_a_strip():
    _, width, height = pack([(200.0, 300.0)] * 12)
    assert 0.8 < width / height < 2.5


def test_same_picture_in_another_process_with_another_hash_seed():
    script = (
        "import sketches\n"
        "from netcfg.draw import draw, write_svg\n"
        "print(write_svg(draw([make() for make in sketches.ALL.values()], title='all')), end='')"
    )
    pictures = [_run(script, seed) for seed in ("1", "2")]
    here = write_svg(draw([make() for make in sketches.ALL.values()], title="all"))
    assert pictures == [here, here]


def test_import_brings_in_neither_torch_nor_pillow_nor_numpy():
    script = (
        "import sys, netcfg.draw\n"
        "print([name for name in ('torch', 'PIL', 'numpy', 'cv2') if name in sys.modules])"
    )
    assert _run(script, "0").strip() == "[]"


def _run(script, seed):
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True).stdout
