"""Every writer of drawn pictures knows polygons."""

from io import BytesIO

import pytest

from netcfg.draw import write_png, write_svg
from netcfg.draw.pdf import write_pdf
from netcfg.draw.scene import Polygon, Scene
from netcfg.draw.tikz import write_tikz

CORNERS = ((10.0, 10.0), (40.0, 0.0), (40.0, 30.0))


@pytest.fixture
def scene():
    return Scene(50.0, 40.0, shapes=[Polygon(CORNERS, "#ff8000", "#0000ff", 2.0)])


def test_svg(scene):
    row = '<polygon points="10,10 40,0 40,30" fill="#ff8000" stroke="#0000ff" stroke-width="2"'
    assert row in write_svg(scene)


def test_svg_without_an_edge():
    svg = write_svg(Scene(50.0, 40.0, shapes=[Polygon(CORNERS, "#ff8000")]))
    assert '<polygon points="10,10 40,0 40,30" fill="#ff8000"/>' in svg


def test_png(scene):
    image = pytest.importorskip("PIL.Image")
    picture = image.open(BytesIO(write_png(scene, 1.0)))
    assert picture.getpixel((32, 12)) == (255, 128, 0)
    assert picture.getpixel((12, 30)) == (255, 255, 255)
    red, _, blue = picture.getpixel((40, 15))
    assert blue > 200 > red


def test_tikz(scene):
    text = write_tikz(scene)
    assert "(10,10) -- (40,0) -- (40,30) -- cycle;" in text
    assert "line join=round" in text


def test_pdf(scene):
    assert write_pdf(scene).startswith(b"%PDF-1.4")
    assert write_pdf(scene) != write_pdf(Scene(50.0, 40.0))
