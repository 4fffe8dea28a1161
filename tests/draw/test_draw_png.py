import io

import pytest
import sketches

from netcfg.draw import draw, write_png
from netcfg.draw.png import MAX_SIDE, pixel_scale
from netcfg.draw.scene import Path, Rect, Scene, Text

Image = pytest.importorskip("PIL.Image")


def opened(scene, scale=1.0):
    return Image.open(io.BytesIO(write_png(scene, scale)))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_png_has_the_size_of_the_scene_times_the_scale(scale):
    scene = draw([sketches.repeats()])
    picture = opened(scene, scale)
    assert picture.format == "PNG"
    assert picture.size == (round(scene.width * scale), round(scene.height * scale))


def test_shapes_are_where_the_scene_says_across_bands():
    scene = Scene(100.0, 700.0, shapes=[Rect(10.0, 250.0, 50.0, 300.0, "#ff0000")])
    picture = opened(scene)
    assert picture.getpixel((30, 249)) == (255, 255, 255)
    assert {picture.getpixel((30, y)) for y in range(251, 549)} == {(255, 0, 0)}
    assert picture.getpixel((30, 551)) == (255, 255, 255)
    assert picture.getpixel((61, 400)) == (255, 255, 255)


def test_lines_and_text_leave_ink():
    shapes = [
        Path(((5.0, 5.0), (5.0, 30.0), (40.0, 30.0)), "#000000"),
        Text(50.0, 30.0, "3×3", 12.0, 20.0, "#000000"),
    ]
    picture = opened(Scene(80.0, 40.0, shapes=shapes), 2.0).convert("L")
    assert picture.getpixel((10, 40)) < 100
    assert picture.crop((100, 40, 140, 62)).getextrema()[0] < 120


def test_drawn_text_is_as_wide_as_measured():
    from netcfg.draw.metrics import text_width

    for bold in (False, True):
        width = text_width("convolutional 3×3, 64", 12.0, bold)
        scene = Scene(
            300.0, 30.0, shapes=[Text(10.0, 20.0, "convolutional 3×3, 64", 12.0, width, "#000000", bold)]
        )
        left, _, right, _ = (
            opened(scene, 2.0).convert("L").point(lambda value: 255 if value < 160 else 0).getbbox()
        )
        assert abs(left / 2 - 10) < 1.5
        assert abs(right / 2 - 10 - width) < 2.5


def test_same_scene_gives_the_same_bytes():
    graph = sketches.taps()
    assert write_png(draw([graph]), 1.0) == write_png(draw([graph]), 1.0)


def test_huge_picture_is_scaled_down():
    assert pixel_scale(Scene(100.0, 1e6), 2.0) == MAX_SIDE / 1e6
    assert pixel_scale(Scene(100.0, 1e3), 2.0) == 2.0
