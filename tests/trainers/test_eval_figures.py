"""`netcfg eval --figures` draws of any split what a run draws of its validation split, each beside a table."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli.main import main
from netcfg.datasets.pipeline import Pipeline
from netcfg.trainers.step.model import Model

TEXT = """
{Data}
[synthetic_faces]
subjects = 12
clips = 1
clip_length = 4
image_size = 16
[normalise]
mean = 0.5
{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
pad = 1
activation = tanh
HEAD
{Loss}
[LOSS]
name = error
input = Net
target = TARGET
{Optimizer}
[adam]
networks = Net
minimise = error
{Metric}
METRICS
{General}
[training]
batch_size = 8
"""
PAIR = "input = Net\ntarget = TARGET\n"
KINDS = {
    "mask": (
        "[convolutional]\nfilters = 8\nkernel_size = 1",
        "cross_entropy",
        "parts",
        ("iou", "confusion_matrix"),
    ),
    "class": (
        "[flatten]\n[connected]\noutput_features = 7",
        "cross_entropy",
        "emotion",
        ("accuracy", "auc", "calibration_error", "confusion_matrix"),
    ),
    "embedding": ("[flatten]\n[connected]\noutput_features = 5", "triplet", "subject", ("knn_accuracy",)),
    "points": (
        "[flatten]\n[connected]\noutput_features = 136\n[reshape]\nshape = 68, 2\naxes = objects, features",
        "l1",
        "landmarks",
        ("mae",),
    ),
}


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """`judged(kind)`: the folder drawn into, what the network gives of the test split, the truth, and the names."""
    monkeypatch.chdir(tmp_path)

    def judge(kind, *options):
        head, loss, target, metrics = KINDS[kind]
        blocks = "".join(f"[{metric}]\n{PAIR}" for metric in metrics)
        text = TEXT.replace("METRICS", blocks).replace("HEAD", head).replace("LOSS", loss)
        (tmp_path / "net.cfg").write_text(text.replace("TARGET", target))
        program = netcfg.load(tmp_path / "net.cfg")
        torch.manual_seed(2)
        networks = netcfg.build(program)
        save_state(tmp_path / "w.safetensors", networks)
        words = ["eval", "net.cfg", "--weights", "w.safetensors", "--figures", "drawn", "--workers", "0"]
        assert main([*words, *options]) == 0
        networks.eval()
        pipeline = Pipeline(program.data, "test", 1000)
        with torch.inference_mode():
            fields = pipeline.finish(next(iter(pipeline.epoch())))
            signal = Model(program, networks).signals(fields, ["Net"])["Net"]
        return tmp_path / "drawn", signal, fields[target], list(pipeline.ids)

    return judge


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_masks_are_drawn_and_counted_sample_by_sample(judged, tmp_path, capsys):
    folder, signal, truth, ids = judged("mask", "--predictions", "out.csv")
    assert "pictures of the test split: drawn" in capsys.readouterr().err
    files = {path.name for path in folder.iterdir()}
    assert {
        "test_confusion_matrix.svg",
        "test_Net_parts_examples.png",
        "test_Net_parts_examples.csv",
    } <= files
    said = signal.argmax(1)
    rows = table(folder / "test_Net_parts_examples.csv")
    shown = list(dict.fromkeys(row["sample"] for row in rows))
    assert len(shown) == 8
    assert shown[0] == ids[0]
    assert shown[-1] == ids[-1]
    whole = table(tmp_path / "out.csv")
    assert [row["id"] for row in whole] == ids
    for row in rows:
        place = ids.index(row["sample"])
        number = ("background", "skin", "brows", "eyes", "nose", "lips", "mouth", "hair").index(row["class"])
        answer, true = said[place] == number, truth[place] == number
        assert int(row["answer"]) == int(answer.sum()) == int(whole[place][f"{row['class']}_answer"])
        assert int(row["truth"]) == int(true.sum())
        iou = float((answer & true).sum() / (answer | true).sum())
        assert float(row["iou"]) == pytest.approx(iou, abs=6e-5)
        assert float(whole[place][f"{row['class']}_iou"]) == pytest.approx(iou)


def test_masks_as_arrays(judged, tmp_path):
    _, signal, truth, ids = judged("mask", "--predictions", "out.npz")
    arrays = np.load(tmp_path / "out.npz")
    assert arrays["truth"].sum(1).tolist() == [256] * len(ids)
    assert np.array_equal(
        arrays["answer"],
        torch.stack([torch.bincount(one.flatten(), minlength=8) for one in signal.argmax(1)]).numpy(),
    )
    absent = (arrays["answer"] == 0) & (arrays["truth"] == 0)
    assert np.array_equal(np.isnan(arrays["iou"]), absent)


def test_matrix_curves_calibration_and_examples_of_classes(judged):
    folder, signal, truth, ids = judged("class")
    files = {path.name for path in folder.iterdir()}
    assert {
        "test_confusion_matrix.png",
        "test_calibration_error_curve.csv",
        "test_Net_emotion_examples.png",
    } <= files
    rows = table(folder / "test_Net_emotion_examples.csv")
    sure, said = signal.softmax(1).max(1)
    right = said == truth
    for kind, chosen in (("right", right), ("wrong", ~right)):
        surest = sure.masked_fill(~chosen, -1).argsort(descending=True, stable=True)[
            : min(8, int(chosen.sum()))
        ]
        assert [row["sample"] for row in rows if row["row"] == kind] == [ids[i] for i in surest.tolist()]


def test_embeddings_are_drawn_in_a_plane_with_their_classes(judged):
    folder, signal, truth, ids = judged("embedding")
    rows = table(folder / "test_Net_subject_projection.csv")
    assert [row["sample"] for row in rows] == ids
    assert [row["class"] for row in rows] == [str(number) for number in truth.tolist()]
    centred = signal - signal.mean(0)
    found = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    left, sizes, _ = np.linalg.svd(centred.numpy(), full_matrices=False)
    assert np.abs(found) == pytest.approx(np.abs(left[:, :2] * sizes[:2]), abs=1e-4)
    assert Image.open(folder / "test_Net_subject_projection.png").size[0] > 300


def test_points_are_told_one_by_one(judged):
    folder, signal, truth, ids = judged("points")
    rows = table(folder / "test_Net_landmarks_examples.csv")
    assert len(rows) == 8 * 68
    place = ids.index(rows[5]["sample"])
    assert float(rows[5]["answer_x"]) == pytest.approx(float(signal[place, 5, 0]), abs=0.006)
    assert float(rows[5]["y"]) == pytest.approx(float(truth[place, 5, 1]), abs=0.006)


def test_a_folder_that_holds_something_is_left_alone(judged, tmp_path, capsys):
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "mine").write_text("mine")
    with pytest.raises(AssertionError):
        judged("points")
    assert "drawn is not empty, and nothing is overwritten" in capsys.readouterr().err
