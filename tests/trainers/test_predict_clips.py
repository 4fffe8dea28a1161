"""`netcfg predict` of networks that see whole clips: one answer each, and how their frames were weighed."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli.main import main
from netcfg.datasets.pipeline import Pipeline
from netcfg.trainers.prediction.clips import evenly
from netcfg.trainers.step.model import Model

SIZE = 16
HEAD = """
{Net}
[net]
[input]
name = clip
frames = T
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
stride = 2
activation = relu
over = frames
[flatten]
over = frames
[frame_attention]
name = alpha
[combine_concat]
combine_layers = -2, alpha
dimension = features
[frame_attention]
name = beta
gates = alpha.gates
numerator = $numerator
[connected]
output_features = 2
"""
TEXT = (
    """
{General}
[variables]
numerator = all
[training]
batch_size = 8
{Data}
[clip_folder]
path = clips
image_size = 16
[normalise]
mean = 0.5
"""
    + HEAD
    + """
{Loss}
[cross_entropy]
input = Net
target = class
{Optimizer}
[adam]
networks = Net
minimise = cross_entropy
{Metric}
[accuracy]
input = Net
target = class
"""
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with clips of two classes, of 1 to 7 frames that are wider than high."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number in range(14):
        folder = tmp_path / "clips" / ("glad", "sad")[number % 2] / f"c.{number}"
        folder.mkdir(parents=True)
        for frame in range(1 + number // 2):
            picture = random.integers(0, 255, (20, 30, 3), np.uint8)
            cv2.imwrite(str(folder / f"{frame + 1}.png"), picture)
    (tmp_path / "net.cfg").write_text(TEXT)
    program = netcfg.load(tmp_path / "net.cfg")
    torch.manual_seed(1)
    networks = netcfg.build(program)
    with torch.no_grad():
        for name in ("alpha", "beta"):  # so that gates differ
            networks["Net"][name].weight.mul_(8)
    save_state(tmp_path / "w.safetensors", networks)
    return program, networks.eval()


def predicted(*arguments):
    return main(["predict", "net.cfg", *map(str, arguments), "--weights", "w.safetensors"])


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def test_clips_are_answered_as_evaluation_sees_them(place):
    program, networks = place
    pipeline = Pipeline(program.data, "test", 8)
    with torch.inference_mode():
        fields = pipeline.finish(next(iter(pipeline.epoch())))
        expected = Model(program, networks).signals(fields, ["Net"])["Net"].softmax(1).tolist()
    assert predicted("clips", "-o", "out.csv") == 0
    found = {row["file"]: row for row in rows("out.csv")}
    assert len(found) == 14
    for name, shares in zip(pipeline.ids, expected, strict=True):
        row = found[name]
        assert [float(row["class_glad_p"]), float(row["class_sad_p"])] == pytest.approx(shares, abs=6e-5)
        assert int(row["frames"]) == 1 + int(name.rpartition(".")[2]) // 2


@pytest.mark.parametrize("numerator", ["all", "given"])
def test_frames_have_the_gates_and_parts_of_the_formula(place, numerator):
    _, networks = place
    assert predicted("clips/sad/c.13", "clips/glad/c.0", "-o", "out", "--set", f"numerator={numerator}") == 0
    clip = np.stack([
        cv2.resize(cv2.imread(f"clips/sad/c.13/{n}.png")[:, 5:25, ::-1], (16, 16), interpolation=cv2.INTER_AREA)
        for n in range(1, 8)
    ])  # fmt: skip
    pictures = torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255 - 0.5
    with torch.inference_mode():
        parts = dict(networks["Net"].named_modules())
        convolution = next(part for part in parts.values() if isinstance(part, torch.nn.Conv2d))
        features = convolution(pictures).relu().flatten(1)
        alpha = torch.sigmoid(features @ parts["alpha"].weight[0] + parts["alpha"].bias)
        mean = (alpha[:, None] * features).sum(0) / alpha.sum()
        both = torch.cat([features, mean.expand_as(features)], 1)
        beta = torch.sigmoid(both @ parts["beta"].weight[0] + parts["beta"].bias)
    weights = alpha * beta if numerator == "all" else alpha
    found = [row for row in rows("out/frames.csv") if row["file"] == "sad/c.13"]
    assert [row["frame"] for row in found] == list("1234567")
    assert [float(row["Net.alpha"]) for row in found] == pytest.approx(alpha.tolist(), abs=1e-5)
    assert [float(row["Net.beta"]) for row in found] == pytest.approx(beta.tolist(), abs=1e-5)
    assert [float(row["weight"]) for row in found] == pytest.approx(
        (weights / weights.sum()).tolist(), abs=1e-5
    )
    picture = cv2.imread("out/clips/sad/c.13.png")
    assert picture.shape[1] == 7 * 104 + 8
    assert (picture == (14, 127, 255)).all(2).any()  # the bars of parts
    assert cv2.imread("out/clips/glad/c.0.png") is not None


def test_a_video_is_one_clip_and_a_picture_a_clip_of_one_frame(place, capsys):
    video = cv2.VideoWriter("v.avi", cv2.VideoWriter_fourcc(*"FFV1"), 20.0, (30, 20))
    for number in range(1, 8):
        video.write(cv2.imread(f"clips/sad/c.13/{number}.png"))
    video.release()
    assert predicted("v.avi", "clips/sad/c.13", "clips/glad/c.0/1.png", "--format", "json") == 0
    said = json.loads(capsys.readouterr().out)["clips"]
    assert [(one["file"], one["frames"]) for one in said] == [
        ("v.avi", 7),
        ("clips/sad/c.13", 7),
        ("clips/glad/c.0/1.png", 1),
    ]
    shares = [one["class"]["confidences"]["glad"] for one in said]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert said[2]["seen"]["weight"] == [1.0]


def test_of_long_clips_some_frames_are_seen_evenly_spaced(place, capsys):
    assert evenly(7, 3) == [0, 3, 6]
    assert evenly(2, 4) == [0, 0, 1, 1]
    assert evenly(9, 1) == [4]
    assert predicted("clips/sad/c.13", "--frames", "3", "--format", "json") == 0
    captured = capsys.readouterr()
    said = json.loads(captured.out)["clips"][0]
    assert said["seen"]["frame"] == [1, 4, 7]
    assert said["frames"] == 7
    assert "of c.13, 7 frames, 3 are seen, evenly spaced" in captured.err


def test_networks_of_so_many_frames_see_so_many(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cfg").write_text("""
{General}
[training]
batch_size = 2
{Data}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = 4
image_size = 16
frames = 4
{Net}
[net]
inputs = data.frames
[flatten]
over = frames
[frame_mean]
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
""")
    program = netcfg.load(tmp_path / "net.cfg")
    torch.manual_seed(0)
    save_state(tmp_path / "w.safetensors", netcfg.build(program))
    for number in range(2):
        cv2.imwrite(f"{number}.png", np.full((16, 16, 3), 100 * number, np.uint8))
    for count in (1, 2):
        assert predicted(*(f"{number}.png" for number in range(count)), "-o", f"out{count}.csv") == 0
        assert [row["frames"] for row in rows(f"out{count}.csv")] == [str(count)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clips", "--annotate", "a.mp4"], "a.mp4: whole clips are drawn into a folder, a picture each"),
        (["void"], "the folder void holds no pictures"),
        (["empty.avi"], "empty.avi cannot be read as a video"),
        (["clips/sad/c.13", "-o", "out.csv", "--on-error", "stop"], "2.png cannot be read"),
    ],
)
def test_bad_input_gets_one_clear_line(place, tmp_path, capsys, arguments, message):
    (tmp_path / "void").mkdir()
    (tmp_path / "empty.avi").write_bytes(b"")
    (tmp_path / "clips/sad/c.13/2.png").write_bytes(b"no picture")
    assert predicted(*arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "out.csv").exists()


def test_a_clip_that_cannot_be_read_is_left_out_where_that_is_asked(place, tmp_path, capsys):
    (tmp_path / "clips/glad/a.avi").write_bytes(b"no video")
    (tmp_path / "list.txt").write_text("clips/glad/c.0\nclips/glad/a.avi\nclips/sad/c.13\n")
    (tmp_path / "clips/sad/c.13/2.png").write_bytes(b"no picture")
    assert predicted("list.txt", "-o", "out.csv", "--on-error", "skip") == 0
    assert [row["frames"] for row in rows("out.csv")] == ["1", "6"]
    error = capsys.readouterr().err
    assert "2.png cannot be read" in error
    assert "a.avi cannot be read as a video" in error
    assert predicted("clips/glad/a.avi", "--on-error", "skip") == 1
    assert "a.avi cannot be read as a video" in capsys.readouterr().err


def test_predictions_of_clips_hold_no_clips(place, tmp_path):
    """The field `clip` is the pictures here, and no number that tells clips apart."""
    words = ["eval", "net.cfg", "--weights", "w.safetensors", "--predictions", "p.csv", "--workers", "0"]
    assert main(words) == 0
    found = rows("p.csv")
    assert list(found[0]) == ["id", "glad_score", "sad_score", "label"]
    assert [float(row["glad_score"]) + float(row["sad_score"]) for row in found] == pytest.approx(
        [1] * len(found)
    )
