"""The AUNets on face databases: from a folder to a trained run, with nothing but `--data`, or a part of its own."""

import json
from pathlib import Path

import face_trees as trees
import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.datasets.pictures import notes
from netcfg.datasets.pipeline import open_samples

SYSTEM = Path(__file__).resolve().parents[2] / "cfg" / "aunet_of_horizontal.cfg"
SMALL = ("image_size=32", "filters=1", "hidden=4")


@pytest.fixture(autouse=True)
def _said():
    notes._SAID.clear()


@pytest.fixture(params=["bp4d", "lists"])
def folder(request, tmp_path):
    """Four or two training subjects with four frames each; in BP4D's own layout one of the four shows AU12."""
    root = tmp_path / request.param
    if request.param == "bp4d":
        trees.write_bp4d(root, shown=1)
    else:
        trees.write_crops(root)
        people = {"train": ("F003", "F005"), "val": ("F004",), "test": ("F001", "F002")}
        trees.write_lists(root, {name: trees.crop_lines(subjects) for name, subjects in people.items()})
    return root


def arguments(preset):
    return [*(f"--set={setting}" for setting in SMALL), "--preset", preset]


def test_the_original_recipe_trains_on_a_database(folder, tmp_path, capsys):
    run = tmp_path / "run"
    options = [
        "--epochs",
        "1",
        "--workers",
        "0",
        "--device",
        "cpu",
        "--data",
        str(folder),
        "--run-dir",
        str(run),
    ]
    assert main(["train", str(SYSTEM), *arguments("original"), *options]) == 0
    # 16 frames, 8 moved copies of the 4 that show the unit, doubled; or 8 frames of lists in balance, doubled
    wanted = {"bp4d": "48 training and 4 validation samples", "lists": "16 training and 4 validation samples"}
    assert wanted[folder.name] in capsys.readouterr().out
    assert json.loads((run / "run.json").read_text())["data"] == str(folder)


def test_both_ways_of_naming_bp4d_give_the_same_samples(tmp_path):
    trees.write_bp4d(tmp_path / "BP4D", shown=1)
    (tmp_path / "BP4D/boxes").rename(tmp_path / "BP4D/Face_Boxes")
    file = tmp_path / "mine.cfg"
    file.write_text(SYSTEM.read_text().replace("aunet_data.cfg", "aunet_data_bp4d.cfg"))
    variables = dict(setting.split("=") for setting in SMALL)
    by_option, _ = netcfg.check(SYSTEM, "original", variables, str(tmp_path / "BP4D"))
    by_file, findings = netcfg.check(file, "original", {**variables, "bp4d": str(tmp_path / "BP4D")})
    assert not findings
    assert by_file.data.source == by_option.data.source
    assert by_file.data.transforms == by_option.data.transforms
    samples = open_samples(by_file.data, "train")
    assert len(samples) == 48
    assert samples[0]["image"].shape == samples[0]["flow"].shape == (256, 256, 3)


def test_clips_without_labels_are_one_finding(tmp_path, capsys):
    trees.write_crops(tmp_path, ("F001",))
    assert main(["check", str(SYSTEM), "--data", str(tmp_path / "Faces")]) == 1
    said = capsys.readouterr().out
    assert "error[NC502 bad-data]" in said
    assert "1 error\n" in said


def test_a_data_folder_that_is_not_there_is_one_finding():
    _, findings = netcfg.check(SYSTEM, data="nowhere")
    assert [(finding.code, finding.message) for finding in findings] == [
        ("NC502", "`--data nowhere`: there is no folder nowhere")
    ]
