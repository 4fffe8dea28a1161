"""What is wrong with the test split is said before the first batch where it shows, and never costs what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from netcfg.cli.main import main
from netcfg.results import Result

PROGRAM = """{General}
[training]
batch_size = 4
max_epochs = 1
{Data}
[image_pairs]
path = pairs
classes = back, square
image_size = 16
{N}
[net]
inputs = data.image
[convolutional]
filters = $data.mask.classes
kernel_size = 1
{Loss}
[cross_entropy]
input = N
target = mask
{Optimizer}
[adam]
networks = N
minimise = cross_entropy
{Metric}
[iou]
input = N
target = mask
"""
COMMAND = ["train", "net.cfg", "--run-dir", "run", "--device", "cpu", "--workers", "0"]


@pytest.fixture(autouse=True)
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures and masks of 16×16, eight of them in the test split."""
    for split, count in (("train", 8), ("val", 4), ("test", 8)):
        for kind, value in (("images", 200), ("masks", 1)):
            (tmp_path / "pairs" / split / kind).mkdir(parents=True)
            for number in range(count):
                picture = np.full((16, 16, 3) if kind == "images" else (16, 16), value, np.uint8)
                cv2.imwrite(str(tmp_path / "pairs" / split / kind / f"{split}{number}.png"), picture)
    (tmp_path / "net.cfg").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pairs/test/masks"


def test_a_mask_that_is_not_there_is_missed_before_the_first_batch(
    pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pairs / "test3.png").unlink()
    assert main(COMMAND) == 1
    assert "without a mask of the same name" in capsys.readouterr().err
    assert not Path("run").exists()


@pytest.mark.parametrize("number", [0, 4, 7])
def test_what_all_samples_have_shows_in_the_first_the_middle_and_the_last(
    pairs: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(pairs / f"test{number}.png"), np.full((16, 16), 7, np.uint8))
    assert main(COMMAND) == 1
    assert "holds the number 7" in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_mask_that_proves_wrong_at_the_end_leaves_a_whole_run(
    pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(pairs / "test3.png"), np.full((16, 16), 7, np.uint8))
    assert main(COMMAND) == 1
    said = capsys.readouterr()
    assert "`netcfg eval run` judges it" in said.out
    assert "test3.png holds the number 7" in said.err
    result = Result.from_json(json.loads(Path("run/result.json").read_text()))
    assert result.best_epoch == 1
    assert result.test is None
    assert Path("run/index.html").is_file()
    cv2.imwrite(str(pairs / "test3.png"), np.full((16, 16), 1, np.uint8))
    assert main(["eval", "run", "--device", "cpu", "--workers", "0"]) == 0, capsys.readouterr().err


def test_a_test_share_of_nothing_is_no_test_split(pairs: Path) -> None:
    Path("net.cfg").write_text(PROGRAM.replace("path = pairs", "path = pairs/train\ntest_share = 0"))
    assert main(COMMAND) == 0
    assert Result.from_json(json.loads(Path("run/result.json").read_text())).test is None
