"""`netcfg eval` as a person uses it: the figures of a run again, other splits and data, predictions, refusals."""

import argparse
import csv
import io
import json
import pickle

import numpy as np
import pytest
import torch
from torchmetrics.functional import f1_score

from netcfg.cli import eval as evaluation
from netcfg.cli import train
from netcfg.source import NetcfgError

PROGRAM = """
{Data}
[synthetic_faces]
subjects = 4
clips = 2
clip_length = 8
image_size = 16
action_units = 12
[horizontal_flip]

{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = $outputs

{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits
{Metric}
[f1]
input = Net
target = labels
threshold = validation
median_window = $windows
[auc]
input = Net
target = labels
{General}
[variables]
outputs = 1
windows = 1, 3
[training]
batch_size = 5
max_epochs = 2
workers = 0
"""


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with `face.cfg` and a run of it, `run`."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "face.cfg").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command(train, "face.cfg", "--run-dir", "run", "--device", "cpu")
    return folder


@pytest.fixture
def folder(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def judged(capsys, *arguments):
    assert command(evaluation, *arguments, "--device", "cpu", "--format", "json") == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_is_judged_as_it_was_at_its_end(folder, capsys):
    result = json.loads((folder / "run/result.json").read_text())
    for split in ("test", "validation"):
        found = judged(capsys, "run", "--split", split)
        assert found["metrics"] == result[split]["metrics"]
        assert found["thresholds"] == result["validation"]["thresholds"]
    assert found["losses"]["loss"] == pytest.approx(result["validation"]["losses"]["loss"])


def test_a_file_and_its_weights_find_their_thresholds_anew(folder, capsys):
    weights = "run/checkpoints/best.safetensors"
    assert judged(capsys, "face.cfg", "--weights", weights)["metrics"] == judged(capsys, "run")["metrics"]


def test_training_samples_are_judged_as_they_are(folder, capsys):
    first, second = (judged(capsys, "run", "--split", "train") for _ in range(2))
    assert first == second
    assert first["samples"] == 16


def test_predictions_give_the_figures_again(folder, capsys):
    found = judged(capsys, "run", "--predictions", "out.csv")
    with open("out.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["samples"] == 32
    assert [row["clip"] for row in rows] == [rows[place // 8 * 8]["clip"] for place in range(32)]
    assert len({row["clip"] for row in rows}) == 4
    scores = np.array([float(row["AU12_score"]) for row in rows], np.float32)
    labels = np.array([int(row["AU12_label"]) for row in rows])
    decisions = scores >= np.float32(found["thresholds"]["f1"][0])
    f1 = f1_score(torch.from_numpy(decisions), torch.from_numpy(labels), "binary")
    assert found["metrics"]["f1"]["f1"] == pytest.approx(f1.item())
    judged(capsys, "run", "--predictions", "out.npz")
    arrays = np.load("out.npz")
    assert arrays["scores"][:, 0] == pytest.approx(scores)
    assert arrays["id"].tolist() == [row["id"] for row in rows]
    assert arrays["names"].tolist() == ["AU12"]


def test_tables_and_csv(folder, capsys):
    command(evaluation, "run", "--device", "cpu")
    out = capsys.readouterr().out
    assert "run/checkpoints/best.safetensors on the test split, 32 samples" in out
    assert "f1_median3 (AU12)" in out
    assert "f1: threshold 0." in out
    command(evaluation, "run", "--device", "cpu", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["metric"] for row in rows} == {"f1", "f1_median3", "auc"}
    assert all(0 <= float(row["value"]) <= 1 for row in rows)


def test_other_data_are_judged_by_the_thresholds_of_the_run(folder, capsys):
    from netcfg.cli import data

    command(
        data, "make", "audetnet", "faces", "--images", "12", "--image-size", "16", "--labels", "occurrence"
    )
    capsys.readouterr()
    labels = pickle.loads((folder / "faces/aus_dict.pkl").read_bytes())
    one = {name: values[6:7] for name, values in labels.items()}
    (folder / "faces/aus_dict.pkl").write_bytes(pickle.dumps(one))
    found = judged(capsys, "run", "--data", "faces")
    own = json.loads((folder / "run/result.json").read_text())
    assert found["thresholds"] == own["validation"]["thresholds"]
    assert found["metrics"].keys() == own["test"]["metrics"].keys()
    assert found["data"] == "faces"


def refused(message, *arguments):
    with pytest.raises(NetcfgError, match=message):
        command(evaluation, *arguments, "--device", "cpu")


def test_what_does_not_belong_together_is_refused(folder, tmp_path):
    refused("NC802.*is no run folder", str(tmp_path))
    refused("there is no run and no program nowhere", "nowhere")
    refused("(?s)which weights of face.cfg.*--weights FILE", "face.cfg")
    refused("NC601|there is no file of weights none.safetensors", "face.cfg", "--weights", "none.safetensors")
    (tmp_path / "text.safetensors").write_text("text")
    refused("damaged or no file of weights", "face.cfg", "--weights", str(tmp_path / "text.safetensors"))
    best = "run/checkpoints/best.safetensors"
    two = PROGRAM.replace("action_units = 12", "action_units = 6, 12").replace("outputs = 1", "outputs = 2")
    (folder / "two.cfg").write_text(two)
    refused(
        "(?s)belongs to another network.*1×768 in the file, 2×768 in the network",
        *("two.cfg", "--weights", best),
    )
    refused("predictions are written as .csv or .npz, not as `out.txt`", "run", "--predictions", "out.txt")
    refused("(?s)a run keeps its presets and variables.*netcfg eval FILE", "run", "--set", "outputs=2")


def test_a_program_without_metrics_has_nothing_to_judge_by(folder):
    head, _, rest = PROGRAM.partition("{Metric}")
    (folder / "bare.cfg").write_text(head + rest[rest.index("{General}") :].replace("windows = 1, 3\n", ""))
    refused("NC403.*bare.cfg has no metric", "bare.cfg", "--weights", "run/checkpoints/best.safetensors")


def test_a_run_before_its_first_epoch_has_no_best_weights(folder, tmp_path):
    for name in ("run.json", "resolved.cfg"):
        (tmp_path / name).write_text((folder / "run" / name).read_text())
    refused("(?s)holds no best weights yet.*--resume", str(tmp_path))
