"""A run knows its data again, and says where they are no longer the same."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.image_folder import ImageFolder
from netcfg.cli.main import main
from netcfg.trainers.runs.fingerprint import changes, fingerprint

PROGRAM = """
{{General}}
[training]
batch_size = 4
max_epochs = 1
workers = 0
{{Data}}
[image_folder]
path = {path}
image_size = 16
{{N}}
[net]
inputs = data.image
[flatten]
[connected]
output_features = 2
{{Loss}}
[cross_entropy]
input = N
target = class
{{Optimizer}}
[adam]
networks = N
minimise = cross_entropy
{{Metric}}
[accuracy]
input = N
target = class
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    place = tmp_path / "pictures"
    for name in ("daisy", "rose"):
        (place / name).mkdir(parents=True)
        for number in range(12):
            picture = rng.integers(0, 256, (20, 20, 3)).astype(np.uint8)
            cv2.imwrite(str(place / name / f"{number}.png"), picture)
    return place


def known(folder: Path, labels: tuple[int, ...] = (0, 1)) -> dict[str, object]:
    source = ImageFolder(path=str(folder))
    return fingerprint(source, {"train": SampleTable(("a", "b"), labels={"class": np.array(labels)})})


def test_nothing_is_said_where_nothing_has_changed(folder: Path) -> None:
    assert changes(known(folder), known(folder)) == []


def test_each_kind_of_change_is_told(folder: Path) -> None:
    before = known(folder)
    assert changes(before, known(folder, (1, 1))) == ["train: the same samples, with other labels"]
    os.utime(folder / "rose" / "1.png", (1, 1))
    place = f"`path = {folder}`: "
    assert changes(before, known(folder)) == [
        place + "files that were written again since, of the same sizes"
    ]
    (folder / "rose" / "1.png").rename(folder / "rose" / "99.png")
    assert changes(before, known(folder)) == [place + "as many files, of other names"]
    (folder / "rose" / "more.png").write_bytes(b"1")
    assert changes(before, known(folder)) == [place + "24 files, and now 25"]
    (folder / ".hidden").write_text("no picture")
    assert changes(before, known(folder)) == [place + "24 files, and now 25"]


def test_data_that_lie_elsewhere_were_meant_to(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "others"
    other.mkdir()
    assert changes(known(folder), known(other)) == []


def test_resume_and_eval_say_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.cfg").write_text(PROGRAM.format(path=folder))
    assert main(["train", "p.cfg", "--run-dir", "run"]) == 0
    assert main(["eval", "run"]) == 0
    assert "no longer" not in capsys.readouterr().err
    (folder / "rose" / "3.png").unlink()
    assert main(["eval", "run"]) == 0
    said = capsys.readouterr().err
    assert "note: the data are no longer those that the run was trained on" in said
    assert f"`path = {folder}`: 24 files, and now 23" in said
    assert main(["train", "--resume", "run", "--epochs", "2"]) == 0
    assert "the data are no longer those that the run was started with: train: " in capsys.readouterr().out
