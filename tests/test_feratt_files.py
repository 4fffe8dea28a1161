"""FERAtt's files with each preset, and a training that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcfg
from netcfg.passes.read import shipped_folder

FILES = sorted(path.name for path in shipped_folder().glob("feratt*.cfg"))


@pytest.mark.parametrize("preset", ["original", "demo"])
@pytest.mark.parametrize("name", FILES)
def test_every_file_is_whole(name: str, preset: str) -> None:
    program, findings = netcfg.check(shipped_folder() / name, preset)
    assert not findings
    assert program is not None
    assert set(program.networks) == {"FERAtt"}


@pytest.mark.parametrize(
    ("method", "losses"),
    [
        ("baseline", {"classes"}),
        ("feratt", {"classes", "attention"}),
        ("feratt_rep", {"classes", "attention", "mixture"}),
    ],
)
def test_the_ablation_leaves_parts_out(method: str, losses: set[str]) -> None:
    program = netcfg.load(shipped_folder() / "feratt_ablation.cfg", method=method)
    assert set(program.losses) == losses
    assert set(program.phases[0].weights) == losses


def test_a_training_runs_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netcfg.cli.main import main

    options = "representation=True transformer=True width=8 subjects=6 clips=4 clip_length=3 batch_size=4 max_epochs=1"
    settings = [word for option in options.split() for word in ("--set", option)]
    file = str(shipped_folder() / "feratt.cfg")
    arguments = ["train", file, "--preset", "demo", *settings, "--limit-batches", "1", "--workers", "0"]
    assert main([*arguments, "--device", "cpu", "--run-dir", str(tmp_path / "run")]) == 0, (
        capsys.readouterr().err
    )
    assert list((tmp_path / "run" / "pictures").glob("*.png"))
    assert "accuracy" in capsys.readouterr().out
