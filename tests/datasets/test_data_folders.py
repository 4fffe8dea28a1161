"""`--data DIR`: the sources say whose a folder is; what two claim, and folders of classes, are refused."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import face_trees as trees
import numpy as np
import pytest

import netcfg
from netcfg.blocks import Found, Source
from netcfg.blocks.registry import forget
from netcfg.cli.main import main
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError

TEXT = (
    "{Data}\n[synthetic_faces]\nimage_size = 32\naction_units = 12\n"
    "{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n[connected]\noutput_features = 1\n"
    "{Loss}\n[bce_with_logits]\nname = detection\ninput = N\ntarget = labels\n"
    "{Optimizer}\n[adam]\nnetworks = N\nminimise = detection\n"
    "{Metric}\n[f1]\ninput = N\ntarget = labels\n[two_afc]\ninput = N\ntarget = labels\n"
)


def write_pictures(root: Path, *folders: str, names: tuple[str, ...] = ("1.png", "2.png", "3.png")) -> Path:
    for folder in folders:
        for name in names:
            trees.write(root / folder / name, np.zeros((16, 16, 3), np.uint8))
    return root


@pytest.fixture
def own_source(tmp_path):
    """A source of one's own, which is sure of folders that hold `mine.txt`."""

    class Mine(Source, name="mine"):
        """One's own."""

        looks_like: ClassVar[str] = "`mine.txt`"
        path: str | None = None

        @classmethod
        def recognise(cls, folder: Path) -> Found | None:
            return Found({"path": str(folder)}) if (folder / "mine.txt").exists() else None

    yield Mine
    forget([Mine])


@pytest.mark.parametrize(
    "folders",
    [
        ("happy", "sad", "surprised"),
        ("train/happy", "train/sad", "test/happy", "test/sad"),
        ("very_happy", "not_smiling"),
        ("Validation/1", "Validation/2", "train/1", "train/2"),
    ],
)
def test_folders_of_classes_are_known_for_what_they_are(tmp_path, folders, capsys):
    write_pictures(tmp_path, *folders)
    assert source_of(tmp_path).source.type_name == "image_folder"
    _, (finding,) = netcfg.check(TEXT, data=str(tmp_path))
    assert finding.code == "NC501"
    assert [note.message for note in finding.notes] == ["and here"] * 2
    assert main(["data", "show", str(tmp_path)]) == 0
    assert "[image_folder]" in capsys.readouterr().out


def test_a_class_folder_without_a_picture_is_told_and_makes_no_recordings(tmp_path, capsys):
    write_pictures(tmp_path, "happy", "sad")
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry/readme.txt").write_text("to come")
    assert source_of(tmp_path).source.type_name == "image_folder"
    assert main(["data", "show", str(tmp_path)]) == 1
    assert "the class `angry` has no picture" in capsys.readouterr().err


@pytest.mark.parametrize("names", [("cat.1.png", "cat.7.png"), ("a9.png", "b2.png")])
def test_numbered_classes_are_classes_where_their_pictures_do_not_count(tmp_path, names):
    write_pictures(tmp_path, "n01440764", "n01443537", names=names)
    assert source_of(tmp_path).source.type_name == "image_folder"


def test_numbers_with_counted_pictures_may_be_subjects_or_classes(tmp_path):
    write_pictures(tmp_path, "0", "1", "2")
    with pytest.raises(NetcfgError, match=r"looks like a folder of \[clips\] and of \[image_folder\]"):
        source_of(tmp_path)


@pytest.mark.parametrize(
    "folders",
    [
        ("anna/smile", "anna/frown", "berta/smile"),
        ("anna_smile", "anna_frown", "berta_smile"),
        ("S01", "S02"),
        ("only",),
    ],
)
def test_recordings_are_clips(tmp_path, folders):
    assert source_of(write_pictures(tmp_path, *folders)).source.type_name == "clips"


@pytest.mark.parametrize("folders", [("class_a", "class_b"), ("class_1", "class_2", "class_3")])
def test_folders_that_all_begin_with_one_word_are_no_recordings_of_one_person(tmp_path, folders):
    assert source_of(write_pictures(tmp_path, *folders)).source.type_name == "image_folder"


def test_labels_beside_them_make_recordings_of_class_folders(tmp_path):
    write_pictures(tmp_path, "happy", "sad")
    (tmp_path / "labels.csv").write_text("clip,frame,AU12\nhappy,1,1\n")
    recognised = source_of(tmp_path)
    assert recognised.source.type_name == "clips"
    assert recognised.found.options["labels"] == str(tmp_path / "labels.csv")


def test_a_program_that_says_clips_reads_class_folders_as_clips(tmp_path):
    write_pictures(tmp_path, "happy", "sad")
    text = TEXT.replace("[synthetic_faces]\nimage_size = 32\naction_units = 12", "[clips]\nimage_size = 32")
    _, findings = netcfg.check(text, data=str(tmp_path))
    (finding,) = findings
    assert "these clips have no `labels.csv` beside them" in finding.message


def test_a_source_that_is_sure_goes_before_one_whose_content_would_do(tmp_path, own_source):
    write_pictures(tmp_path, "anna/smile")
    (tmp_path / "mine.txt").write_text("")
    assert source_of(tmp_path).source is own_source


def test_two_that_are_sure_are_named_with_the_way_to_choose(tmp_path, own_source):
    (tmp_path / "mine.txt").write_text("")
    (tmp_path / "ActionUnit_Labels").mkdir()
    _, (finding,) = netcfg.check(TEXT, data=str(tmp_path))
    assert finding.code == "NC502"
    assert "looks like a folder of [disfa] and of [mine]" in finding.message
    assert "write the one that is meant as the source" in finding.help
    text = TEXT.replace("[synthetic_faces]\nimage_size = 32", "[disfa]\nimage_size = 32")
    program, _ = netcfg.check(text, data=str(tmp_path))
    assert program is not None
    assert program.data.source.type_name == "disfa"


def test_show_takes_the_source_that_is_named(tmp_path, capsys):
    write_pictures(tmp_path, "anna", "berta", "carl")
    assert main(["data", "show", str(tmp_path), "--source", "clips"]) == 0
    assert "[clips]" in capsys.readouterr().out
    assert main(["data", "show", str(tmp_path), "--source", "clip"]) == 1
    assert "did you mean `clips`" in capsys.readouterr().err


def test_clips_without_labels_are_one_finding(tmp_path):
    write_pictures(tmp_path, "anna/smile", "berta/smile", "carl/smile")
    _, (finding,) = netcfg.check(TEXT, data=str(tmp_path))
    assert (finding.code, finding.severity) == ("NC502", "error")
    assert "have no `labels.csv` beside them" in finding.message
    assert [note.message for note in finding.notes] == ["`labels` is wanted here"] * 3


def test_a_name_that_is_missing_is_one_finding():
    text = TEXT.replace("target = labels", "target = label")
    _, findings = netcfg.check(text)
    assert [finding.code for finding in findings] == ["NC501"]
    assert [note.span.line for note in findings[0].notes] == [25, 28]


def test_what_needs_no_labels_reads_clips_without_them(tmp_path):
    write_pictures(tmp_path, "anna/smile", "berta/smile", "carl/smile")
    text = "{Data}\n[synthetic_faces]\nimage_size = 32\n{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[identity]\n"
    program, findings = netcfg.check(text, data=str(tmp_path))
    assert program is not None
    assert [finding.severity for finding in findings] == ["warning"]


def test_other_label_files_of_audetnets_folder_are_found_and_listed(tmp_path):
    main(["data", "make", "audetnet", str(tmp_path / "d"), "--image-size", "32"])
    (tmp_path / "d/aus_dict.pkl").rename(tmp_path / "d/aus_disfa.pkl")
    text = TEXT.replace(
        "[synthetic_faces]\nimage_size = 32\naction_units = 12", "[audetnet_folder]\nimage_size = 32"
    )
    program, findings = netcfg.check(
        text.replace("output_features = 1", "output_features = 12"), data=str(tmp_path / "d")
    )
    assert program is not None, findings
    assert program.data.source.labels == "aus_disfa.pkl"
    source = program.data.source.model_copy(update={"labels": "aus_dict.pkl"})
    with pytest.raises(
        NetcfgError,
        match=r"has no `aus_dict.pkl`; its labels are `aus_disfa.pkl`\nhelp: write `labels = aus_disfa.pkl`",
    ):
        source.open("train", ("labels",))
    assert main(["data", "show", str(tmp_path / "d")]) == 0


def test_a_folder_that_tells_no_task_is_no_fault_of_the_program(tmp_path):
    write_pictures(tmp_path, "anna/smile", "berta/smile", "carl/smile")
    _, (finding,) = netcfg.check(
        "{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n", data=str(tmp_path)
    )
    assert "read by [clips], tells no task by itself" in finding.message
    assert "add {Data} with [clips]" in finding.help
