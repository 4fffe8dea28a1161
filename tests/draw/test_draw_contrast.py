"""All words of pictures can be read, by day and by night: a contrast of 4.5 at least."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sketches
from contrast import ENOUGH, contrast, texts_on_colours

import netcfg
from netcfg.compare.picture import difference_picture
from netcfg.compare.programs import compare
from netcfg.draw import Look, picture
from netcfg.draw.heat import heat_colour
from netcfg.draw.page.night import at_night, words_at_night
from netcfg.draw.scene import Scene
from netcfg.draw.style import INK
from netcfg.draw.training.picture import training_picture

CFG = Path(__file__).resolve().parents[2] / "cfg"
FILES = ("audetnet.cfg", "audetnet_resnet50.cfg", "aunet_of_fc6.cfg", "aunet_hydra_multilabel.cfg")
LOOKS = {
    "flow": Look(),
    "volumes": Look(style="volumes"),
    "heat": Look(heat="macs"),
    "heat of parameters": Look(heat="parameters", labels=("shape", "macs", "memory")),
    "closed": Look(depth=0),
}


def scenes() -> Iterator[tuple[str, Scene]]:
    programs = [netcfg.load(CFG / name) for name in FILES]
    for name, program in zip(FILES, programs, strict=True):
        for kind, look in LOOKS.items():
            yield f"{name}, {kind}", picture(list(program.networks.values()), look=look).scene
        yield f"{name}, training", training_picture(program).scene
    for before, after in itertools.pairwise(programs):
        yield "difference", difference_picture(compare(before, after)).scene
    yield from ((name, picture([make()]).scene) for name, make in sketches.ALL.items())


@pytest.fixture(scope="module")
def pairs() -> dict[tuple[str, str], str]:
    """Every colour of words on every colour behind them, with an example."""
    found: dict[tuple[str, str], str] = {}
    for name, scene in scenes():
        for text, ink, paper in texts_on_colours(scene):
            found.setdefault((ink, paper), f"{text!r} in {name}")
    return found


def test_by_day(pairs: dict[tuple[str, str], str]) -> None:
    assert len(pairs) > 50
    assert {pair: where for pair, where in pairs.items() if contrast(*pair) < ENOUGH} == {}


def test_by_night(pairs: dict[tuple[str, str], str]) -> None:
    at = {(words_at_night(ink), at_night(paper)): where for (ink, paper), where in pairs.items()}
    assert {pair: where for pair, where in at.items() if contrast(*pair) < ENOUGH} == {}


@pytest.mark.parametrize("heat", [place / 20 for place in range(21)])
def test_on_every_heat(heat: float) -> None:
    assert contrast(INK, heat_colour(heat)) >= ENOUGH
    assert contrast(words_at_night(INK), at_night(heat_colour(heat))) >= ENOUGH
