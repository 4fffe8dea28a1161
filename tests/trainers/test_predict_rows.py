"""`netcfg predict` of rows of arrays: what is no picture in a file is answered too, without labels, wherever its run's
own arrays have gone.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import netcfg
from netcfg.cli.main import main

ROWS = 40
TEXT = """
{Guess}
[net]
[input]
name = measures
features = 3
[input]
name = image
channels = 3
height = 16
width = 16
[global_avgpool]
from = image
[combine_concat]
combine_layers = measures, -1
[connected]
output_features = 1
{Data}
[arrays]
path = PATH
[normalise]
mean = 0.5
std = 0.25
{Loss}
[mse]
input = Guess
target = price
{Optimizer}
[sgd]
networks = Guess
minimise = mse
learning_rate = 0.01
{Metric}
[mae]
input = Guess
target = price
{General}
[training]
max_epochs = 1
batch_size = 8
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose arrays have moved away since."""
    folder = tmp_path_factory.mktemp("arrays")
    random = np.random.default_rng(0)
    np.savez(
        folder / "data.npz",
        measures=random.normal(size=(ROWS, 3)).astype(np.float32),
        images=random.integers(0, 256, (ROWS, 16, 16), np.uint8),
        price=random.normal(size=ROWS).astype(np.float32),
    )
    (folder / "net.cfg").write_text(TEXT.replace("PATH", str(folder / "data.npz")))
    run = folder / "run"
    assert main(["train", str(folder / "net.cfg"), "--run-dir", str(run), "--device", "cpu"]) == 0
    (folder / "data.npz").rename(folder / "gone.npz")
    return run


def given(path: Path, **others: np.ndarray) -> Path:
    """Rows without a price."""
    random = np.random.default_rng(1)
    arrays = {
        "measures": random.normal(size=(5, 3)).astype(np.float32),
        "images": random.integers(0, 256, (5, 16, 16), np.uint8),
    }
    np.savez(path, **(arrays | others))
    return path


def test_rows_are_answered_as_the_network_computes_them(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = given(tmp_path / "new.npz")
    assert main(["predict", str(run), str(rows), "--batch-size", "2"]) == 0
    table = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["row"] for row in table] == ["0", "1", "2", "3", "4"]
    assert {row["file"] for row in table} == {"new.npz"}
    arrays = np.load(rows)
    pictures = torch.tensor(arrays["images"]).float().div(255)[:, None].expand(-1, 3, -1, -1)
    with torch.inference_mode():
        network = netcfg.open(run).network()
        expected = network(measures=torch.tensor(arrays["measures"]), image=(pictures - 0.5) / 0.25)
    assert [float(row["price"]) for row in table] == pytest.approx(expected.flatten().tolist(), rel=1e-4)
    found = netcfg.open(run).predict(rows)
    assert [row["price"] for row in found] == [float(row["price"]) for row in table]


def test_json_says_rows(run: Path, tmp_path: Path) -> None:
    rows, out = given(tmp_path / "new.npz"), tmp_path / "out.json"
    assert main(["predict", str(run), str(rows), "-o", str(out)]) == 0
    made = json.loads(out.read_text())["rows"]
    assert [(one["row"], one["file"]) for one in made] == [(number, "new.npz") for number in range(5)]


def test_a_run_whose_arrays_are_gone_can_be_looked_at_and_exported(run: Path, tmp_path: Path) -> None:
    assert main(["summary", str(run / "resolved.cfg")]) == 0
    assert main(["export", str(run), "-o", str(tmp_path / "net.py")]) == 0


@pytest.mark.parametrize(
    ("others", "code", "said"),
    [
        ({"measures": np.zeros((5, 4), np.float32)}, "NC505", "trained on 3 (vector) for each sample"),
        ({"images": np.zeros((5, 8, 8), np.uint8)}, "NC505", "trained on 3×16×16 (image)"),
        ({"measures": np.zeros((4, 3), np.float32)}, "NC507", "`measures` has 4"),
        ({"x_test": np.zeros((5, 3), np.float32)}, "NC507", "arrays of several splits"),
        ({"measures": np.full((5, 3), np.nan, np.float32)}, "NC505", "NaN"),
    ],
)
def test_other_arrays_are_refused(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    others: dict[str, np.ndarray],
    code: str,
    said: str,
) -> None:
    rows = given(tmp_path / "new.npz", **others)
    assert main(["predict", str(run), str(rows)]) == 1
    shown = capsys.readouterr().err
    assert code in shown
    assert said in shown


def test_an_array_that_lacks_is_named_beside_those_there(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "new.npz", other=np.zeros((5, 3), np.float32))
    assert main(["predict", str(run), str(tmp_path / "new.npz")]) == 1
    assert "no array `measures`, which the networks read: it has `other`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ["--tta", "flip"],
        ["--tiles", "8"],
        ["--frames", "3"],
        ["--no-turn"],
        ["--on-error", "skip"],
        ["--max-pixels", "9"],
        ["--annotate", "shown"],
        ["-o", "folder"],
    ],
)
def test_what_is_of_pictures_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    rows = given(tmp_path / "new.npz")
    assert main(["predict", str(run), str(rows), *option]) == 1
    shown = capsys.readouterr().err
    assert "NC801" in shown
    assert option[0] in shown or "would be a folder" in shown


def test_a_picture_is_told_that_rows_are_wanted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(run), str(tmp_path / "face.png")]) == 1
    assert "`netcfg predict RUN FILE.npz`" in capsys.readouterr().err
