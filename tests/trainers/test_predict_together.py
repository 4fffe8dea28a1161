"""Several views of a picture, and several runs, that answer as one: `--tta` and `--ensemble` of predict and eval."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli.main import main
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms.geometry import flip_points
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer, answers_of
from netcfg.trainers.prediction.combining import Combined, in_common, joined, scores_of, soft
from netcfg.trainers.prediction.views import View, expect_possible, read_ways, views_of, zoomed
from netcfg.trainers.runs.trained import open_run
from netcfg.trainers.step.model import Model

CLASS = Answer("Net", "emotion", "class", ("a", "b", "c"))
LABELS = Answer("Net", "labels", "labels", ("AU1", "AU2"), (0.5, 0.3))
MASK = Answer("Net", "parts", "mask", ("a", "b", "c"))
POINTS = Answer("Net", "landmarks", "points", size=(24, 32), count=68)


# --- views


def test_views_are_all_combinations_the_plain_one_first():
    assert views_of(()) == (View(),)
    assert views_of(("flip",)) == (View(), View(True))
    six = views_of(("flip", "scale"))
    assert len(set(six)) == 6
    assert six[0] == View()
    assert read_ways("scale, flip") == ("scale", "flip")
    with pytest.raises(NetcfgError, match="there is no `turn`"):
        read_ways("flip,turn")


@pytest.mark.parametrize("view", views_of(("flip", "scale")))
def test_points_come_back_to_where_they_lie(view):
    """A spot in a picture that is seen in another way is found there, and taken back."""
    picture = torch.zeros(1, 1, 24, 32)
    picture[0, 0, 8, 21] = 1.0
    seen = view.seen({"image": picture, "labels": torch.ones(1)}, ["image"])
    assert seen["labels"] is not picture
    weights = seen["image"][0, 0]
    y = (weights.sum(1) * torch.arange(24)).sum() / weights.sum()
    x = (weights.sum(0) * torch.arange(32)).sum() / weights.sum()
    points = torch.stack([x, y]).expand(1, 68, 2)
    back, there = view.back(POINTS, points)
    assert there is None
    assert back[0, 5].tolist() == pytest.approx([21, 8], abs=0.15)


def test_points_change_sides_with_their_counterparts():
    points = torch.rand(2, 68, 2) * 20
    back, _ = View(True).back(
        POINTS, torch.from_numpy(np.stack([flip_points(p.numpy(), 32) for p in points]))
    )
    assert torch.allclose(back, points, atol=1e-5)


@pytest.mark.parametrize("view", views_of(("flip", "scale")))
def test_maps_come_back_to_where_they_lie(view):
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 30), torch.linspace(-1, 1, 40), indexing="ij")
    picture = torch.stack([torch.sigmoid(4 * columns), torch.sigmoid(-4 * columns), rows])[None]
    back, there = view.back(MASK, view.seen({"image": picture}, ["image"])["image"])
    inside = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    assert torch.allclose(back[inside], picture[inside], atol=0.02)
    if view.zoom > 1:  # the border was out of sight
        assert not there[0, 0, 0, 0]
        assert there[0, 0, 15, 20] == pytest.approx(1)


def test_zooming_keeps_the_middle_and_the_size():
    picture = torch.arange(35.0).reshape(1, 1, 5, 7)
    assert torch.allclose(zoomed(picture, 1.0, "border"), picture)
    assert zoomed(picture, 1.3, "reflection")[0, 0, 2, 3] == pytest.approx(17)
    clips = torch.rand(2, 3, 1, 5, 7)
    assert torch.equal(zoomed(clips, 1.1, "zeros")[1, 2], zoomed(clips[1, 2][None], 1.1, "zeros")[0])


def test_what_has_no_views_is_refused():
    assert expect_possible([CLASS], {"image": "image"}, ("flip",), "run") == ("image",)
    with pytest.raises(NetcfgError, match="run reads `flow`, which `--tta` cannot show in another way"):
        expect_possible([CLASS], {"image": "image", "flow": "flow"}, ("flip",), "run")
    few = Answer("Net", "p", "points", size=(8, 8), count=5)
    assert expect_possible([few], {"image": "image"}, ("scale",), "run")
    with pytest.raises(NetcfgError, match="gives 5 points, of which nobody says how they change sides"):
        expect_possible([few], {"image": "image"}, ("flip",), "run")


# --- joining


def test_soft_answers_and_their_scores():
    scores = torch.randn(4, 3)
    assert torch.allclose(soft(CLASS, scores), scores.double().softmax(1))
    assert torch.allclose(scores_of(CLASS, soft(CLASS, scores)).softmax(1), scores.double().softmax(1))
    assert torch.allclose(scores_of(LABELS, soft(LABELS, scores)), scores.double())
    single = torch.randn(2, 1, 4, 4)
    assert torch.allclose(scores_of(MASK, soft(MASK, single)), single, atol=1e-5)


def test_means_and_votes():
    one, other = torch.tensor([[0.6, 0.3, 0.1]]), torch.tensor([[0.1, 0.2, 0.7]])
    assert joined([(CLASS, one), (CLASS, other)], "mean").tolist() == [pytest.approx([0.35, 0.25, 0.4])]
    votes = joined([(CLASS, one), (CLASS, other), (CLASS, other)], "vote")
    assert votes.tolist() == [pytest.approx([1 / 3, 0, 2 / 3])]
    sure = torch.tensor([[0.4, 0.4]])
    assert joined([(LABELS, sure), (LABELS, sure)], "vote").tolist() == [[0, 1]]
    maps = torch.rand(1, 3, 4, 4)
    assert joined([(MASK, maps), (MASK, maps)], "vote").argmax(1).equal(maps.argmax(1))


def test_maps_and_points_of_other_sizes_are_brought_to_the_first_ones():
    maps = torch.rand(1, 3, 1, 1).expand(1, 3, 4, 4)
    large = nn.functional.interpolate(maps, (8, 8), mode="nearest")
    assert torch.allclose(joined([(MASK, maps), (MASK, large)], "mean"), maps, atol=1e-6)
    twice = Answer("Net", "landmarks", "points", size=(48, 64), count=68)
    points = torch.rand(1, 68, 2)
    assert torch.allclose(joined([(POINTS, points), (twice, (points + 0.5) * 2 - 0.5)], "mean"), points)


@pytest.mark.parametrize(
    ("answers", "how", "message"),
    [
        (
            [CLASS, Answer("Net", "emotion", "class", ("a", "c", "b"))],
            "mean",
            "a and b know other classes of `emotion`",
        ),
        ([CLASS, MASK], "mean", "a answers `emotion`, and b does not"),
        ([Answer("N", "t", "embedding", count=3)] * 2, "mean", "two networks lie in two spaces"),
        ([Answer("N", "t", "number", ("t",))] * 2, "vote", "gives numbers, of which there is no vote"),
    ],
)
def test_what_is_no_ensemble_is_refused(answers, how, message):
    with pytest.raises(NetcfgError, match=message):
        in_common([(name, [answer]) for name, answer in zip("ab", answers, strict=True)], how)


# --- as a person uses it


TEXT = """
{General}
[variables]
norm = 0.5
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
[normalise]
mean = $norm
{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = 7
{Loss}
[cross_entropy]
input = Net
target = emotion
{Optimizer}
[adam]
networks = Net
minimise = cross_entropy
learning_rate = 0.02
{Metric}
[accuracy]
input = Net
target = emotion
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the runs of a sweep over the seed, `swept`, another run, `other`, and pictures, `faces`."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "net.cfg").write_text(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["train", "net.cfg", "--run-dir", "swept/seed=1", "--seed", "1", "--device", "cpu"]
        assert main(words) == 0
        for seed, name in ((2, "swept/seed=2"), (3, "other")):
            shutil.copytree("swept/seed=1", name)
            torch.manual_seed(seed)
            save_state(Path(name, "checkpoints", "best.safetensors"), netcfg.build(netcfg.load("net.cfg")))
        resolved = folder / "other" / "resolved.cfg"
        resolved.write_text(resolved.read_text().replace("mean = 0.5", "mean = 0.4"))
        (folder / "swept" / "sweep.json").write_text("{}")
        samples = netcfg.load(TEXT).data.source.open("test", ("image",))
        (folder / "faces").mkdir()
        for index in range(len(samples)):
            cv2.imwrite(f"faces/{index}.png", samples[index]["image"][..., ::-1])
    return folder


@pytest.fixture
def runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return [f"swept/seed={seed}" for seed in (1, 2)]


def shares(capsys, *arguments):
    capsys.readouterr()
    assert main(["predict", *arguments, "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    return np.array([[float(value) for key, value in row.items() if key.endswith("_p")] for row in rows])


def test_runs_predict_together(runs, capsys):
    alone = np.stack([shares(capsys, run, "faces") for run in runs])
    assert np.allclose(shares(capsys, *runs, "faces", "--ensemble", "mean"), alone.mean(0), atol=1e-4)
    assert np.allclose(shares(capsys, "swept", "faces", "--ensemble", "mean"), alone.mean(0), atol=1e-4)
    votes = np.eye(7)[alone.argmax(2)].mean(0)
    assert np.allclose(shares(capsys, "swept", "faces", "--ensemble", "vote"), votes, atol=1e-4)
    # Each sees the pictures as its own data have them.
    both = (shares(capsys, "other", "faces") + alone[0]) / 2
    assert np.allclose(shares(capsys, "other", runs[0], "faces", "--ensemble", "mean"), both, atol=1e-4)


def test_views_are_predicted_together(runs, capsys, tmp_path):
    plain = shares(capsys, runs[0], "faces")
    (tmp_path / "mirrored").mkdir()
    for index in range(len(plain)):
        cv2.imwrite(str(tmp_path / "mirrored" / f"{index}.png"), cv2.imread(f"faces/{index}.png")[:, ::-1])
    mirrored = shares(capsys, runs[0], str(tmp_path / "mirrored"))
    assert np.allclose(shares(capsys, runs[0], "faces", "--tta", "flip"), (plain + mirrored) / 2, atol=1e-4)


def judged(capsys, *arguments):
    capsys.readouterr()
    assert main(["eval", *arguments, "--device", "cpu", "--workers", "0", "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_runs_are_judged_together_and_it_is_said_what_that_gains(runs, capsys):
    alone = [judged(capsys, run)["metrics"]["accuracy"]["accuracy"] for run in runs]
    found = judged(capsys, "swept", "--ensemble", "mean", "--predictions", "p.csv")
    assert found["joined"]["alone"]["accuracy"] == pytest.approx(alone)
    with open("p.csv") as file:
        rows = list(csv.DictReader(file))
    names = [key.removesuffix("_score") for key in rows[0] if key.endswith("_score")]
    mean = np.array([[float(row[f"{name}_score"]) for name in names] for row in rows])
    right = np.mean(mean.argmax(1) == [int(row["label"]) for row in rows])
    together = found["metrics"]["accuracy"]["accuracy"]
    assert together == pytest.approx(right)
    assert found["joined"]["gain"]["accuracy"] == pytest.approx(together - max(alone))
    assert np.allclose(mean, np.mean([shares(capsys, run, "faces") for run in runs], 0), atol=1e-4)
    assert found["losses"] == {}


def test_the_gain_is_a_table(runs, capsys):
    assert main(["eval", runs[0], "--tta", "flip,scale", "--device", "cpu", "--workers", "0"]) == 0
    out = capsys.readouterr().out
    assert "swept/seed=1, flip and scale views on the test split" in out
    assert "together" in out
    assert main(["eval", runs[0], "--tta", "flip", "--device", "cpu", "--format", "csv"]) == 0
    assert "test,accuracy,gain," in capsys.readouterr().out


def test_a_model_of_one_voice_and_the_plain_view_is_that_voice(runs):
    trained = open_run(Path(runs[0]), torch.device("cpu"))
    model = Model(trained.program, trained.networks)
    answers = answers_of(trained.program)
    combined = Combined(model, answers, [View()], [], [(model, answers)])
    pipeline = Pipeline(trained.program.data, "test", 4)
    fields = pipeline.finish(next(iter(pipeline.epoch())))
    with torch.inference_mode():
        plain, other = (one.signals(fields, ["Net"])["Net"].softmax(1) for one in (model, combined))
    assert torch.allclose(plain.double(), other.double(), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "swept/seed=1", "swept/seed=2"], "several runs are named\nhelp: judge each by itself"),
        (["eval", "swept/seed=1", "--ensemble", "mean"], "`--ensemble` joins several runs, and one is named"),
        (["eval", "swept/seed=1", "other", "--ensemble", "mean"], "bring their data into other forms"),
        (["eval", "swept", "--ensemble", "mean", "--weights", "last"], "`--weights` is for one run"),
        (["predict", "swept/seed=1", "faces", "--ensemble", "vote"], "joins several runs"),
        (["predict", "swept/seed=1", "faces", "--tta", "flop"], "there is no `flop`"),
        (["predict", "swept", "faces"], "both predict"),
        (["predict", "empty", "faces", "--ensemble", "mean"], "the sweep empty has no run yet"),
    ],
)
def test_bad_input_gets_one_clear_line(runs, folder, capsys, arguments, message):
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "empty" / "sweep.json").write_text("{}")
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
