"""Maps laid over pictures: of a run's samples, truth and answer beside each other."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import netcfg
from netcfg.cli.main import main
from netcfg.datasets.pipeline import Pipeline
from netcfg.trainers.prediction.answers import answers_of
from netcfg.trainers.prediction.drawn import heat_sheet
from netcfg.trainers.reporting.examples import examples
from netcfg.trainers.reporting.heat import ABOVE, BELOW, STRENGTH, with_heat
from netcfg.trainers.step.model import Model

PROGRAM = """{General}
[training]
batch_size = 4

{Data}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = 4
image_size = 32
action_units = 12, 1

[heatmaps]
size = 16
sigma = 2.5

{Net}
[net]
channels = 3
height = 32
width = 32

[convolutional]
filters = 5
kernel_size = 3
stride = 2
pad = 1

{Loss}
[mse]
input = Net
target = heatmaps
channels = target

{Optimizer}
[adam]
networks = Net
minimise = mse
"""


def test_above_and_below_have_colours_and_nothing_shows_the_picture() -> None:
    picture = torch.full((3, 6, 9), 0.5)
    heat = torch.zeros(2, 3)
    heat[0, 0], heat[1, 2] = 4.0, -1.0
    made = with_heat(picture, heat)
    assert made.shape == (3, 6, 9)
    for place, colour in (((0, 0), ABOVE), ((5, 8), BELOW)):
        wanted = 0.5 * (1 - STRENGTH) + torch.tensor(colour) / 255 * STRENGTH
        torch.testing.assert_close(made[:, *place], wanted)
    torch.testing.assert_close(made[:, 5, 0], picture[:, 5, 0])


def test_each_map_has_a_row_and_a_line() -> None:
    """Of five maps those that nobody asks for are not drawn; the table has the means by which labels are decided."""
    program = netcfg.load(PROGRAM)
    networks = netcfg.build(program)
    pipeline = Pipeline(program.data, "validation", 4, training=False)
    (example,) = examples(program, Model(program, networks), pipeline)
    assert example.name == "Net heatmaps examples"
    assert Image.open(io.BytesIO(example.png)).size[0] > 4 * 2 * 32
    rows = list(csv.DictReader(io.StringIO(example.csv)))
    assert [row["map"] for row in rows] == ["AU12", "AU1"] * 4
    batch = pipeline.finish(next(iter(pipeline.epoch())))
    with torch.no_grad():
        said = networks["Net"].eval()(batch["image"]).clamp(-1, 1).mean((2, 3))[:, :2]
    true = batch["heatmaps"].mean((2, 3))
    np.testing.assert_allclose([float(row["mean in truth"]) for row in rows], true.flatten(), atol=1e-4)
    np.testing.assert_allclose([float(row["mean in the answer"]) for row in rows], said.flatten(), atol=1e-4)


def test_a_picture_is_predicted_with_its_maps(tmp_path: Path) -> None:
    """A sheet with a cell for each unit that is asked for; maps are nothing for a table."""
    (tmp_path / "maps.cfg").write_text(PROGRAM)
    run = tmp_path / "run"
    assert (
        main(["train", str(tmp_path / "maps.cfg"), "--epochs", "1", "--workers", "0", "--run-dir", str(run)])
        == 0
    )
    Image.new("RGB", (40, 60), (90, 120, 150)).save(tmp_path / "face.png")
    made = tmp_path / "made"
    assert main(["predict", str(run), str(tmp_path / "face.png"), "-o", str(made)]) == 0
    sheet = Image.open(made / "heatmaps" / "face.png")
    assert sheet.size == (2 * 128, 192 + 18)  # two units side by side, the longer side 192
    assert main(["predict", str(run), str(tmp_path / "face.png"), "-o", str(tmp_path / "a.csv")]) == 1
    assert main(["predict", str(run), str(tmp_path / "face.png"), "--annotate", str(tmp_path / "shown")]) == 0
    shown = Image.open(tmp_path / "shown" / "face.png")
    assert shown.size == (2 * 128, 4 * 60 + 192 + 18)  # the face four times as large, its maps below
    assert np.array_equal(np.asarray(shown)[-(192 + 18) :], np.asarray(sheet))


def test_answers_are_maps_of_the_units_that_are_asked_for() -> None:
    (answer,) = answers_of(netcfg.load(PROGRAM))
    assert (answer.kind, answer.names, answer.target) == ("map", ("AU12", "AU1"), "heatmaps")
    values = answer.values(torch.full((3, 5, 4, 4), 7.0))
    assert values.shape == (3, 2, 4, 4)
    assert values.max() == 1.0


def test_a_sheet_has_four_in_a_row() -> None:
    picture = np.full((20, 20, 3), 120, np.uint8)
    maps = np.zeros((5, 4, 4), np.float32)
    maps[4] = 1
    sheet = heat_sheet(picture, ("a", "b", "c", "d", "e"), maps)
    assert sheet.shape == (2 * (192 + 18), 4 * 192, 3)
    assert (sheet[100, 100] == 120).all()
    assert sheet[-50, 100, 0] > sheet[-50, 100, 2]
