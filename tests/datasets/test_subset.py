"""`[subset]`: a part of the training samples, and a sweep's curve over how many they are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.datasets.pipeline import open_samples
from netcfg.results import Evaluation, Table
from netcfg.source import NetcfgError
from netcfg.trainers.sweeps.curves import write_curves
from netcfg.trainers.sweeps.tables import Judged

PROGRAM = """{General}
[variables]
samples = None
[training]
batch_size = 8
max_epochs = 1
workers = 0

{Data}
[synthetic_faces]
subjects = 6
clips = 1
clip_length = 4
image_size = 16
action_units = 12
[subset]
samples = $samples

{Net}
[net]
channels = 3
height = 16
width = 16
[global_avgpool]
[connected]
output_features = 1

{Loss}
[bce_with_logits]
input = Net
target = labels

{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits

{Metric}
[auc]
input = Net
target = labels
"""


def ids(count: object, split: str = "train", training: bool = True) -> list[str]:
    data = netcfg.load(PROGRAM, samples=count).data
    samples = open_samples(data, split, training)
    assert len(samples) == len(samples.table)
    labels = samples.only(("labels",))
    assert [float(labels[index]["labels"][0]) for index in range(len(labels))] == pytest.approx(
        np.asarray(samples.table.labels["labels"])[:, 0].tolist()
    )
    return list(samples.table.ids)


def test_fewer_samples_are_among_more_and_other_splits_are_whole() -> None:
    everything, nine, three = ids(None), ids(9), ids(3)
    assert (len(everything), len(nine), len(three)) == (12, 9, 3)
    assert set(three) < set(nine) < set(everything)
    assert nine == [name for name in everything if name in nine]
    assert len(ids(3, "test", training=False)) == 8


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(NetcfgError, match=r"\[subset\] is to take 13 samples, and there are 12") as error:
        ids(13)
    assert error.value.code == "NC506"


@pytest.mark.slow
def test_a_sweep_draws_its_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.cfg"
    file.write_text(PROGRAM)
    swept = tmp_path / "swept"
    command = ["sweep", str(file), "--over", "samples=4,12", "--run-dir", str(swept), "--workers", "0"]
    assert main([*command, "--curve", "samples"]) == 0
    assert "test_auc_over_samples.svg" in capsys.readouterr().out.replace("\n", "")
    rows = list(csv.reader((swept / "figures" / "test_auc_over_samples.csv").open()))
    assert [row[:2] for row in rows] == [["curve", "samples"], ["auc", "4.0"], ["auc", "12.0"]]


def judged(*values: str, auc: float | None) -> Judged:
    return Judged(values, Evaluation(tables={"auc": Table.of("auc", {"auc": auc}, ())}))


def test_a_point_is_the_mean_over_the_other_variables(tmp_path: Path) -> None:
    """What a run cannot tell is in no mean; numbers that lie far apart stand on a logarithmic axis."""
    runs = [
        judged("1000", "0", auc=0.9), judged("1000", "1", auc=0.7),
        judged("10", "0", auc=0.6), judged("10", "1", auc=None),
    ]  # fmt: skip
    (name,) = write_curves(tmp_path / "figures", "samples", ("samples", "fold"), runs, "test")
    rows = list(csv.reader((tmp_path / "figures" / f"{name}.csv").open()))
    assert rows[0] == ["curve", "samples", "auc"]
    assert [(float(row[1]), float(row[2])) for row in rows[1:]] == [(10, 0.6), (1000, pytest.approx(0.8))]
    assert "10^{3}" in (tmp_path / "figures" / f"{name}.svg").read_text()


@pytest.mark.parametrize(
    ("over", "curve", "message"),
    [
        ("samples=4,12", "fold", "the runs do not differ in `fold`"),
        ("samples=4,None", "samples", "`None` is no number, and has no place on an axis"),
        ("samples=4", "samples", "a curve takes two values at least"),
    ],
)
def test_a_curve_over_no_numbers_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], over: str, curve: str, message: str
) -> None:
    file = tmp_path / "net.cfg"
    file.write_text(PROGRAM)
    assert main(["sweep", str(file), "--over", over, "--curve", curve]) == 1
    assert message in capsys.readouterr().err
