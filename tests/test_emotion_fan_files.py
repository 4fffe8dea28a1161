"""Emotion-FAN's files with each preset, and what its ablation leaves out."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.passes.read import shipped_folder

FILES = ("emotion_fan.cfg", "emotion_fan_relation.cfg")


@pytest.mark.parametrize("preset", [None, "original", "ck_plus"])
@pytest.mark.parametrize("name", FILES)
def test_every_file_is_whole(name: str, preset: str | None) -> None:
    program, findings = netcfg.check(shipped_folder() / name, preset)
    assert not findings
    assert program is not None
    assert program.data is not None
    drawn = program.data.transforms[0]
    assert drawn.type_name == "sample_frames"
    assert (drawn.draw, drawn.within) == (
        "once" if preset == "original" else "epoch",
        0.6 if preset == "ck_plus" else 1,
    )


@pytest.mark.parametrize(
    ("method", "gates"), [("mean", set()), ("self", {"alpha"}), ("relation", {"alpha", "beta"})]
)
def test_the_ablation_differs_by_how_frames_are_weighed(method: str, gates: set[str]) -> None:
    program = netcfg.load(shipped_folder() / "emotion_fan_ablation.cfg", "demo", method=method)
    nodes = program.networks["FAN"].nodes
    assert {node.path for node in nodes if node.block.type_name == "frame_attention"} == gates
    assert ("frame_mean" in {node.block.type_name for node in nodes}) == (method == "mean")
    assert program.data is not None
    clip = program.data.fields["frames"].shape
    assert 2 <= program.data.source.lasting * clip[0] <= clip[0] / 2, (
        "few frames show what a clip is called by"
    )
