"""CK+, BU-3DFE and AffectNet, in the layouts in which they are handed out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from netcfg.blocks.action_units import EMOTIONS
from netcfg.blocks.samplers.balanced import Balanced
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.affectnet import Affectnet
from netcfg.blocks.sources.bu_3dfe import Bu3dfe
from netcfg.blocks.sources.ck_plus import CkPlus
from netcfg.source import NetcfgError

KINDS = (CkPlus, Bu3dfe, Affectnet)
SPLITS = ("train", "validation", "test")


def opened(kind: type[Any], folder: Path, **options: Any) -> Any:
    """The section over a small folder of its layout."""
    return kind().example(folder).model_copy(update=options)


def names(samples: Any) -> Counter[str]:
    return Counter(EMOTIONS[label] for label in samples.table.labels["emotion"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_known_by_its_layout(kind: type[Any], tmp_path: Path) -> None:
    opened(kind, tmp_path)
    assert [other for other in KINDS if other.recognise(tmp_path)] == [kind]


def test_ck_plus_takes_the_last_pictures_of_a_sequence(tmp_path: Path) -> None:
    section = opened(CkPlus, tmp_path, emotions=8)
    samples = section.open("train", ("image", "emotion", "landmarks"))
    assert names(samples) == {"neutral": 21, **dict.fromkeys(EMOTIONS[1:], 9)}
    assert samples.table.ids[0] == "cohn-kanade-images/S010/001/S010_001_00000001.png" or samples.table.ids
    ids = [name for name in samples.table.ids if "_001_" in name]
    assert [name[-6:-4] for name in ids[:4]] == ["01", "03", "04", "05"]
    sample = samples[0]
    assert sample["image"].shape == (128, 128, 3)
    assert sample["landmarks"].shape == (68, 2)
    assert sample["landmarks"].max() < 128
    seven = opened(CkPlus, tmp_path).open("train", ("emotion",))
    assert "contempt" not in names(seven)


@pytest.mark.parametrize("kind", [CkPlus, Bu3dfe])
def test_no_subject_is_in_two_splits_and_each_is_tested_once(kind: type[Any], tmp_path: Path) -> None:
    tested: list[str] = []
    for fold in range(5):
        section = opened(kind, tmp_path, fold=fold)
        people = {
            split: {name.split("/")[-1].split("_")[0] for name in section.open(split, ("emotion",)).table.ids}
            for split in SPLITS
        }
        assert not people["train"] & people["validation"]
        assert not (people["train"] | people["validation"]) & people["test"]
        tested += people["test"]
    assert len(tested) == len(set(tested)) == 5
    with pytest.raises(NetcfgError, match="5 folds of 1, and `fold` is 5"):
        opened(kind, tmp_path, fold=5).open("train", ("emotion",))


def test_bu_3dfe_takes_the_strengths_that_are_asked_for(tmp_path: Path) -> None:
    assert names(opened(Bu3dfe, tmp_path).open("test", ("emotion",)))["fear"] == 2
    weak = opened(Bu3dfe, tmp_path, strengths=(1,)).open("test", ("emotion",))
    assert set(names(weak).values()) == {1}
    (tmp_path / "F0001" / "portrait_F2D.bmp").write_bytes(b"")
    with pytest.raises(NetcfgError, match="not named as a picture of BU-3DFE"):
        opened(Bu3dfe, tmp_path).open("train", ("emotion",))


def test_affectnet_cuts_faces_out_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    section = opened(Affectnet, tmp_path, emotions=8, image_size=32)
    assert "subject" not in section.fields()
    counts = {split: names(section.open(split, ("emotion",))) for split in SPLITS}
    assert sum(counts["train"].values()) + sum(counts["validation"].values()) == 32
    assert counts["test"] == dict.fromkeys(EMOTIONS, 1)
    sample = section.open("test", ("image", "emotion"))[2]
    assert EMOTIONS[int(sample["emotion"])] == "sadness", "AffectNet's 2"
    whole = cv2.imread(str(tmp_path / "Manually_Annotated_Images/2/valid2.jpg"))[..., ::-1]
    np.testing.assert_array_equal(
        sample["image"], cv2.resize(whole[6:42, 4:44], (32, 32), interpolation=cv2.INTER_AREA)
    )


@pytest.mark.parametrize(
    ("kind", "broken", "message"),
    [
        (
            CkPlus,
            ("Emotion/S005/001/S005_001_00000005_emotion.txt", "9.0"),
            "holds `9.0`, and expressions are numbers",
        ),
        (CkPlus, ("Emotion/S005/001/S005_001_00000005_emotion.txt", "joy"), "holds `joy`"),
        (
            Affectnet,
            ("Manually_annotated_file_lists/training.csv", "subDirectory_filePath,expression\na.jpg,12\n"),
            "line 2: the expression is `12`",
        ),
        (Affectnet, ("Manually_annotated_file_lists/training.csv", "path,expression\n"), "no column `subDir"),
    ],
)
def test_bad_labels_are_told(kind: type[Any], broken: tuple[str, str], message: str, tmp_path: Path) -> None:
    section = opened(kind, tmp_path)
    (tmp_path / broken[0]).write_text(broken[1])
    with pytest.raises(NetcfgError, match=message):
        section.open("train", ("emotion",))


def test_landmarks_of_another_number_are_told(tmp_path: Path) -> None:
    section = opened(CkPlus, tmp_path)
    for file in tmp_path.glob("Landmarks/*/*/*.txt"):
        file.write_text("1 2\n3 4\n")
    with pytest.raises(NetcfgError, match="has 2 lines, and landmarks are 68"):
        section.open("train", ("landmarks",))


def test_a_sequence_with_too_few_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="has 5 pictures, and 1 neutral and 5 last ones"):
        opened(CkPlus, tmp_path, peaks=5).open("train", ("emotion",))


def test_missing_pictures_stop_or_are_left_out(tmp_path: Path) -> None:
    section = opened(Bu3dfe, tmp_path)
    before = len(section.open("train", ("emotion",)))
    lists = opened(Affectnet, tmp_path / "other")
    (tmp_path / "other/Manually_Annotated_Images/0/valid0.jpg").unlink()
    with pytest.raises(NetcfgError, match="1 pictures are not there"):
        lists.open("test", ("emotion",))
    assert len(lists.model_copy(update={"missing": "skip"}).open("test", ("emotion",))) == 6
    assert before == 39


def test_a_fold_that_leaves_an_expression_out_is_told(tmp_path: Path) -> None:
    section = opened(Bu3dfe, tmp_path)
    for file in tmp_path.glob("*/*_FE*"):
        file.unlink()
    with pytest.raises(NetcfgError, match="the train split is left without a picture of `fear`"):
        section.open("train", ("emotion",))


def test_balanced_epochs_show_each_class_equally_often() -> None:
    labels = np.array([0] * 50 + [1] * 3 + [2] * 7)
    table = SampleTable(ids=tuple(map(str, range(60))), labels={"emotion": labels})
    draws = Balanced(samples=90).epoch(table, 0, 5)
    assert Counter(labels[draw.sample] for draw in draws) == {0: 30, 1: 30, 2: 30}
    assert list(draws) == list(Balanced(samples=90).epoch(table, 0, 5))
    assert list(draws) != list(Balanced(samples=90).epoch(table, 1, 5))
    assert len(Balanced().epoch(table, 0, 5)) == 60
    with pytest.raises(NetcfgError, match="only known once it is made"):
        Balanced(labels="other").epoch(table, 0, 5)
