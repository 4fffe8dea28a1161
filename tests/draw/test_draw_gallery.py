"""The committed gallery shows what the shipped files are."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "gallery"
REMEDY = "run `python examples/gallery.py`"


@pytest.fixture(scope="module")
def made():
    script = runpy.run_path(str(ROOT / "examples" / "gallery.py"))
    return dict(script["gallery"]())


def test_the_gallery_is_up_to_date(made):
    kept = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert sorted(made) == sorted(kept), REMEDY
    changed = [name for name in made if made[name] != kept[name]]
    assert changed == [], REMEDY


def test_the_pictures_are_small(made):
    assert max(map(len, made.values())) < 160_000


def test_the_page_shows_every_picture(made):
    page = made["README.md"].decode()
    assert all(f"]({name})" in page for name in made if name != "README.md")
