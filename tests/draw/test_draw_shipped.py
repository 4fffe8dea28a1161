"""The pictures of the shipped files, and of sketches of what people draw, in all directions: nothing overlaps."""

from functools import cache
from pathlib import Path

import pytest
import sketches
from overlaps import detours, flaws, groups

import netcfg
from netcfg.draw import Look, draw
from netcfg.draw.scene import Path as Line
from netcfg.passes.read import shipped_folder

FILES = sorted(path.name for path in shipped_folder().glob("*.cfg"))


@cache
def graphs(name):
    if name in sketches.ALL:
        return [sketches.ALL[name]()]
    program, _ = netcfg.check(shipped_folder() / name)
    return list(program.networks.values())


LOOKS = {
    "top-down": Look(),
    "left-right": Look(direction="left-right"),
    "two columns": Look(columns=2),
    "three rows": Look(direction="left-right", columns=3),
    "volumes": Look(style="volumes"),
    "volumes downwards": Look(style="volumes", direction="top-down"),
    "volumes in rows": Look(style="volumes", columns=2, labels=()),
    "volumes in four columns": Look(style="volumes", direction="top-down", columns=4),
    "volumes in five rows": Look(style="volumes", columns=5),
    "closed volumes": Look(style="volumes", depth=0, labels=("shape", "macs")),
    "closed": Look(depth=0, labels=("parameters", "macs")),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", [*FILES, *sketches.ALL])
def test_nothing_overlaps(name, look):
    scene = draw(graphs(name), title=Path(name).name, look=LOOKS[look])
    assert flaws(scene) == []
    assert detours(scene, LOOKS[look].is_sideways) == []


def test_the_measure_finds_what_is_wrong():
    scene = draw(graphs("two_streams"))
    (network,) = scene.shapes
    box = next(groups(network.shapes, "box"))
    across = Line(((0.0, 150.0), (scene.width, 150.0)), "#000000")
    scene.shapes += [box, across, across]
    found = " ".join(flaws(scene))
    assert "boxes Two streams.image and Two streams.image overlap" in found
    assert "texts 'image' and 'image' overlap" in found
    assert "runs through" in found
    assert "two lines lie on each other" in found


def test_turns_of_other_blocks_are_drawn_by_themselves_and_equal_ones_once() -> None:
    """In ResNet-18 only the first block of a later stage has a convolution beside it; those of the first are alike."""
    program = netcfg.load(shipped_folder() / "zoo" / "resnet18.cfg")
    text = netcfg.picture(program)._repr_svg_()
    for title in ("layer2 · 1 of 2", "layer2 · 2 of 2", "layer4 · 1 of 2"):
        assert title in text
    assert "layer1 · 1 of 2" not in text
