"""Labels of other data are matched by name: what they lack counts in no figure, another order is told or refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import netcfg
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.match_labels import MatchLabels
from netcfg.cli.main import main
from netcfg.datasets.sources.example_folders import write_bp4d, write_disfa
from netcfg.source import ProgramError
from netcfg.trainers.runs.trained import program_of_run, trained_labels

PROGRAM = """{{General}}
[training]
batch_size = 8
max_epochs = 1
workers = 0

{{Data}}
[synthetic_faces]
subjects = 6
clips = 1
clip_length = 3
image_size = 32
action_units = {units}
{more}

{{Net}}
[net]
channels = 3
height = 32
width = 32

[global_avgpool]

[connected]
output_features = $data.labels.features

{{Loss}}
[bce_with_logits]
input = Net
target = labels

{{Optimizer}}
[adam]
networks = Net
minimise = bce_with_logits

{{Metric}}
[f1]
input = Net
target = labels

[auc]
input = Net
target = labels
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    (folder / "net.cfg").write_text(PROGRAM.format(units="12, 7, 1, 2", more=""))
    assert main(["train", str(folder / "net.cfg"), "--run-dir", str(folder / "run")]) == 0
    write_disfa(folder / "DISFA", (1, 2, 4, 6, 9, 12, 25, 26, 5, 15, 17, 20))
    write_bp4d(folder / "BP4D", (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24))
    return folder


def test_units_of_another_corpus_are_judged_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The network's columns are AU12, AU7, AU1, AU2; DISFA labels no AU7, and has the others in its own order."""
    capsys.readouterr()
    predictions = folder / "predictions.csv"
    command = ["eval", str(folder / "run"), "--data", str(folder / "DISFA"), "--workers", "0"]
    assert main([*command, "--format", "json", "--predictions", str(predictions)]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["absent"] == ["AU7"]
    assert "the data do not label AU7, which count in no figure" in said.err
    rows = list(csv.DictReader(predictions.open()))
    assert [name for name in rows[0] if name.endswith("_label")] == [
        "AU12_label", "AU7_label", "AU1_label", "AU2_label",
    ]  # fmt: skip
    assert {row["AU7_label"] for row in rows} == {""}
    figures = result["metrics"]["auc"]
    assert "AU7" not in figures
    for name in ("AU12", "AU1", "AU2"):
        scores = [float(row[f"{name}_score"]) for row in rows]
        labels = [float(row[f"{name}_label"]) for row in rows]
        assert figures[name] == pytest.approx(area(scores, labels))
    known = [figures[name] for name in ("AU12", "AU1", "AU2")]
    assert figures["auc"] == pytest.approx(np.mean(known))


@pytest.mark.slow
def test_units_of_one_of_several_sources_are_matched_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Joined ones have one row of columns: AU12, AU7, AU1, AU2, whatever stands in the place of one of them."""
    of_both = "[synthetic_faces]\nname = b\nsubjects = 6\nclips = 1\nclip_length = 3\nimage_size = 32\n"
    of_both += "action_units = 12, 7, 1, 2\nfields = image, labels\n[joined]\n"
    text = PROGRAM.format(units="12, 7, 1, 2", more=of_both).replace("subjects", "name = a\nsubjects", 1)
    (folder / "two.cfg").write_text(
        text.replace("clip_length = 3\n", "clip_length = 3\nfields = image, labels\n", 1)
    )
    assert main(["train", str(folder / "two.cfg"), "--run-dir", str(folder / "two")]) == 0
    (matched,) = [
        step
        for step in program_of_run(folder / "two", f"b={folder / 'DISFA'}").data.parts[1].transforms
        if isinstance(step, MatchLabels)
    ]
    assert (matched.names, matched.source) == (("AU12", "AU7", "AU1", "AU2"), "b")
    capsys.readouterr()
    command = [
        "eval",
        str(folder / "two"),
        "--data",
        f"b={folder / 'DISFA'}",
        "--workers",
        "0",
        "--format",
        "json",
    ]
    assert main(command) == 0
    assert "AU7" not in json.loads(capsys.readouterr().out)["metrics"]["auc_b"]


def area(scores: list[float], labels: list[float]) -> float:
    """The part of pairs of a positive and a negative that are in order."""
    above = [score for score, label in zip(scores, labels, strict=True) if label > 0.5]
    below = [score for score, label in zip(scores, labels, strict=True) if label <= 0.5]
    return float(np.mean([(one > other) + 0.5 * (one == other) for one in above for other in below]))


def test_a_corpus_that_labels_all_lacks_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    command = [
        "eval",
        str(folder / "run"),
        "--data",
        str(folder / "BP4D"),
        "--workers",
        "0",
        "--format",
        "json",
    ]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["absent"] == []
    assert "bce_with_logits" in result["losses"]


def test_a_corpus_with_none_of_the_labels_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "sevens.cfg"
    file.write_text(PROGRAM.format(units="7, 10, 14", more=""))
    assert main(["train", str(file), "--run-dir", str(folder / "sevens")]) == 0
    capsys.readouterr()
    assert main(["eval", str(folder / "sevens"), "--data", str(folder / "DISFA")]) == 1
    said = capsys.readouterr().err
    assert "[disfa] labels none of AU7, AU10, AU14" in said
    assert "NC506" in said


def test_weights_of_labels_in_another_order_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = folder / "other.cfg"
    weights = str(folder / "run" / "checkpoints" / "best.safetensors")
    for units, what in (("1, 2, 7, 12", "them in another order"), ("1, 2, 4, 12", "others")):
        other.write_text(PROGRAM.format(units=units, more=""))
        capsys.readouterr()
        assert main(["eval", str(other), "--weights", weights]) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert f"was trained on the labels AU12, AU7, AU1, AU2, and the program has {what}" in said
        assert "NC602" in said


def test_labels_that_the_data_lack_are_not_trained_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "lacking.cfg"
    file.write_text(PROGRAM.format(units="1, 2", more="[match_labels]\nnames = AU2, AU12"))
    capsys.readouterr()
    assert main(["train", str(file), "--run-dir", str(folder / "lacking")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the loss `bce_with_logits` reads labels that the data do not have: AU12" in said


def test_weights_tell_the_labels_where_the_data_are_gone(folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder / "run", tmp_path / "run")
    resolved = run / "resolved.cfg"
    resolved.write_text(resolved.read_text().replace("[synthetic_faces]", "[image_list]\npath = gone.csv\n#"))
    assert trained_labels(run) == {"labels": ("AU12", "AU7", "AU1", "AU2")}


LABELS = {"labels": FieldSpec((3,), "vector", ("AU1", "AU2", "AU4")), "age": FieldSpec((1,), "vector")}


def test_labels_get_the_order_that_is_asked_for() -> None:
    step = MatchLabels(names=("AU4", "AU9", "AU1"))
    spec = step.fields(LABELS)["labels"]
    assert (spec.names, spec.absent, spec.present) == (("AU4", "AU9", "AU1"), ("AU9",), (0, 2))
    made = step.lower(LABELS)({"labels": np.array([1, 2, 3], np.float32)}, np.random.default_rng(0))["labels"]
    np.testing.assert_array_equal(made, [3, np.nan, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("AU9",)}, "finds none of AU9 in `labels`, which has AU1, AU2, AU4"),
        ({"names": ("AU1",), "labels": "age"}, "matches `age` by name, whose entries have no names"),
        ({"names": ("AU1",), "labels": "units"}, "matches `units` by name, which the data do not have"),
    ],
)
def test_labels_that_cannot_be_matched_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError) as error:
        MatchLabels(**options).fields(LABELS)
    assert message in str(error.value)
    assert error.value.help or "units" not in message


def test_a_name_stands_once() -> None:
    more = "[match_labels]\nnames = AU1, AU1"
    with pytest.raises(ProgramError, match="names `AU1` twice"):
        netcfg.load(PROGRAM.format(units="1, 2", more=more))
