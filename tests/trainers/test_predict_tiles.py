"""`netcfg predict --tiles`: masks and pictures of large pictures out of overlapping tiles."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli.main import main
from netcfg.datasets.pictures.frames import Frame
from netcfg.trainers.prediction import prediction
from netcfg.trainers.prediction.tiles import Tiling

HEAD = """
{Data}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = 4
image_size = 24
[normalise]
mean = 0.5
{Net}
[net]
[input]
name = image
channels = 3
height = 24
width = 24
BODY
{Loss}
[LOSS]
name = error
input = Net
target = TARGET
{Optimizer}
[adam]
networks = Net
minimise = error
{General}
[training]
batch_size = 4
"""
BODIES = {
    "mask": ("[convolutional]\nfilters = 8\nkernel_size = 1", "cross_entropy", "parts"),
    "picture": ("[convolutional]\nfilters = 3\nkernel_size = 1", "mse", "image"),
    "class": ("[flatten]\n[connected]\noutput_features = 7", "cross_entropy", "emotion"),
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made(kind)`: the network, each of whose pixels depends on one pixel of its input."""
    monkeypatch.chdir(tmp_path)

    def make(kind):
        body, loss, target = BODIES[kind]
        (tmp_path / "net.cfg").write_text(
            HEAD.replace("BODY", body).replace("LOSS", loss).replace("TARGET", target)
        )
        torch.manual_seed(4)
        networks = netcfg.build(netcfg.load(tmp_path / "net.cfg"))
        save_state(tmp_path / "w.safetensors", networks)
        return networks["Net"]

    return make


def predicted(*arguments):
    return main(["predict", "net.cfg", *map(str, arguments), "--weights", "w.safetensors"])


def picture_of(height, width):
    picture = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    cv2.imwrite("large.png", picture[..., ::-1])
    return picture


def of_formula(network, picture):
    with torch.inference_mode():
        return network(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255 - 0.5)[0].numpy()


@pytest.mark.parametrize("size", [(70, 100), (24, 60), (90, 10), (25, 25)])
@pytest.mark.parametrize("overlap", [0, 5, 23])
def test_tiles_give_what_the_whole_picture_would(made, size, overlap):
    network = made("mask")
    picture = picture_of(*size)
    assert predicted("large.png", "-o", "out", "--tiles", 24, "--overlap", overlap) == 0
    expected = of_formula(network, picture).argmax(0)
    assert np.array_equal(np.asarray(Image.open("out/parts/large.png")), expected)
    row = open("out/predictions.csv").read().splitlines()[1].split(",")
    shares = np.bincount(expected.ravel(), minlength=8) / expected.size
    assert [float(cell) for cell in row[5:13]] == pytest.approx(shares, abs=6e-5)


def test_pictures_of_tiles(made):
    network = made("picture")
    picture = picture_of(50, 70)
    assert predicted("large.png", "-o", "out", "--tiles", 24, "--overlap", 8, "--batch-size", 3) == 0
    colours = (of_formula(network, picture) + 0.5).clip(0, 1) * 255
    written = np.asarray(Image.open("out/Net/large.png"), np.float64).transpose(2, 0, 1)
    assert np.abs(written - colours).max() <= 1.01


def test_views_and_tiles_go_together_and_small_pictures_are_seen_whole(made):
    made("mask")
    picture_of(20, 20)
    assert predicted("large.png", "-o", "whole") == 0
    assert predicted("large.png", "-o", "tiled", "--tiles", 24, "--tta", "flip") == 0
    whole, tiled = (np.asarray(Image.open(f"{name}/parts/large.png")) for name in ("whole", "tiled"))
    assert np.array_equal(whole, tiled)


def test_tiles_cover_a_side_and_count_less_at_their_borders():
    tiling = Tiling(10, 3, 4)
    assert tiling.starts(10) == [0]
    assert tiling.starts(11) == [0, 1]
    assert tiling.starts(24) == [0, 7, 14]
    window = tiling.window()
    assert window[5].tolist() == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 0.75, 0.5, 0.25])
    assert window[0, 0] == 0.0625
    assert Tiling(4, 0, 1).window().tolist() == [[1] * 4] * 4


def test_batches_hold_so_many_pixels_and_what_nobody_looks_at_takes_no_memory(monkeypatch):
    monkeypatch.setattr(prediction, "MOST_PIXELS", 250)
    assert list(prediction.batches([100, 100, 100, 300, 10], 4, pixels=lambda size: size)) == [
        [100, 100],
        [100],
        [300],
        [10],
    ]
    frame = Frame("1", 1, None, np.ones((3000, 4000, 3), np.uint8), Path("a.png"))
    black = prediction._black(frame)
    assert black.image.shape == (3000, 4000, 3)
    assert black.image.base.nbytes == 1


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("class", ["--tiles", 24], "`--tiles` is for masks and pictures, and net.cfg answers with: class"),
        ("mask", ["--tiles", 24, "--overlap", 24], "tiles of 24 pixels cannot overlap by 24"),
        ("mask", ["--overlap", 2], "`--overlap` is that of tiles"),
    ],
)
def test_what_tiles_cannot_be_is_refused(made, kind, arguments, message, capsys, tmp_path):
    made(kind)
    picture_of(50, 50)
    assert predicted("large.png", "-o", "out", *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
