"""`[image_list]`: tables of pictures, their columns by kind, gaps, splits, and the lists of other people's code."""

from __future__ import annotations

from pathlib import Path

import cv2
import drawn_flowers as drawn
import numpy as np
import pytest

import netcfg
from netcfg.blocks.sources.image_list import ImageList
from netcfg.cli.main import main
from netcfg.datasets.pipeline import Pipeline
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer
from netcfg.trainers.prediction.cells import columns, described, sentence

ALL = {"validation_share": 0.0, "test_share": 0.0}
SPLITS = ("train", "validation", "test")


def picture(path: Path, height: int = 20, width: int = 30, number: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 3 * number % 256, np.uint8))


def write(folder: Path, text: str, count: int = 8, name: str = "all.csv") -> Path:
    """A list, and the pictures 0.png, 1.png, … in a folder beside it."""
    for number in range(count):
        picture(folder / "pictures" / f"{number}.png", number=number)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def rows(head: str, *cells: str) -> str:
    return "\n".join([head, *(f"{number}.png,{cell}" for number, cell in enumerate(cells)), ""])


def source(path: Path, **options: object) -> ImageList:
    return ImageList(path=str(path), **options)


def refusal(path: Path, split: str = "train", **options: object) -> str:
    with pytest.raises(NetcfgError) as caught:
        source(path, **options).open(split, ("image",))
    return str(caught.value)


def values(path: Path, *fields: str, **options: object) -> dict[str, list]:
    samples = source(path, **ALL, **options).open("train", fields)
    return {name: [samples[index][name].tolist() for index in range(len(samples))] for name in fields}


# --- columns


def test_columns_become_fields_of_the_kinds_they_show(tmp_path):
    head = "image,species,weight [g],AU01_c,au12,x_0,y_0,x_1,y_1,notes_mask,subject"
    cells = [
        f"{kind},{1.5 * n},{n % 2},1,1,2,3,4,{n}.png,p{n}"
        for n, kind in enumerate("rose tulip rose tulip".split())
    ]
    fields = source(write(tmp_path, rows(head, *cells)), image_size=20).fields()
    assert {name: (spec.kind, spec.shape, spec.names) for name, spec in fields.items()} == {
        "image": ("image", (3, 20, 20), ()),
        "species": ("class", (), ("rose", "tulip")),
        "has_species": ("vector", (1,), ("has_species",)),
        "weight": ("vector", (1,), ("weight",)),
        "has_weight": ("vector", (1,), ("weight",)),
        "labels": ("vector", (2,), ("AU1", "AU12")),
        "has_labels": ("vector", (2,), ("AU1", "AU12")),
        "landmarks": ("landmarks", (2, 2), ()),
        "has_landmarks": ("vector", (1,), ("has_landmarks",)),
        "notes_mask": ("mask", (20, 20), ()),
    }


def test_a_gap_is_a_mask_and_no_zero(tmp_path):
    path = write(tmp_path, rows("image,kind,age,AU1,AU2", "a,,1,0", "b,30,,1", ",NaN,9,0"))
    found = values(path, "kind", "has_kind", "age", "has_age", "labels", "has_labels", gaps=("9",))
    assert found == {
        "kind": [0, 1, 0],
        "has_kind": [[1], [1], [0]],
        "age": [[0], [30], [0]],
        "has_age": [[0], [1], [0]],
        "labels": [[1, 0], [0, 1], [0, 0]],
        "has_labels": [[1, 1], [0, 1], [0, 1]],
    }


def test_losses_leave_gaps_out(tmp_path):
    path = write(tmp_path, rows("image,age", "10", "", "20", "30", "", "40", "50", "60"))
    text = (
        f"{{Data}}\n[image_list]\npath = {path}\nimage_size = 16\nvalidation_share = 0\ntest_share = 0\n"
        "{Net}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 1\n"
        "{Loss}\n[mse]\ninput = Net\ntarget = age\nmask = has_age\n"
        "{Optimizer}\n[sgd]\nnetworks = Net\nminimise = mse\n"
    )
    program = netcfg.load(text)
    pipeline = Pipeline(program.data, "train", 8)
    (batch,) = pipeline.epoch()
    fields = pipeline.finish(batch)
    loss = program.losses["mse"].lower()
    counted = loss(fields["age"] * 0, fields["age"], mask=fields["has_age"])
    assert float(counted.mean()) == pytest.approx((100 + 400 + 900 + 1600 + 2500 + 3600) / 6)


def test_columns_of_masks_and_pictures_are_read_beside_the_picture(tmp_path):
    mask = np.array([[0, 1], [255, 1]], np.uint8).repeat(10, 0).repeat(15, 1)
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"m{number}.png"), mask)
        picture(tmp_path / f"{number}.png", number=number)
        picture(tmp_path / f"late{number}.png", 40, 60, 10 + number)
    path = write(
        tmp_path, rows("image,part_mask,later", *(f"m{n}.png,late{n}.png" for n in range(4))), count=0
    )
    one = source(path, **ALL)
    assert {name: spec.kind for name, spec in one.fields().items()} == {
        "image": "image",
        "part_mask": "mask",
        "later": "image",
    }
    assert one.fields()["part_mask"].ignore == 255
    sample = one.open("train", ("image", "part_mask", "later"))[2]
    assert np.array_equal(sample["part_mask"], mask)
    assert (sample["image"].shape, sample["later"].shape) == ((20, 30, 3), (40, 60, 3))
    assert (sample["later"] == 36).all()
    small = source(path, image_size=16, fit="stretch", **ALL).open("train", ("part_mask",))[0]["part_mask"]
    assert np.array_equal(small, np.array([[0, 1], [255, 1]]).repeat(8, 0).repeat(8, 1))


def test_several_columns_of_classes_keep_their_names_in_a_run(tmp_path):
    path = write(tmp_path, rows("image,sex,kind", "f,a", "m,b", "f,b", "m,a"))
    one = source(path)
    assert one.settled() == {"class_columns": "sex, kind", "classes": "sex.f, sex.m, kind.a, kind.b"}
    again = source(path, classes=("sex.m", "sex.f", "kind.a", "kind.b"), class_columns=("sex", "kind"))
    assert again.fields()["sex"].names == ("m", "f")
    assert again.fields()["kind"].names == ("a", "b")


def test_numbers_as_classes_count_by_size(tmp_path):
    path = write(tmp_path, rows("image,label", "10", "9", "10", "2"))
    assert source(path).fields()["label"].names == ("2", "9", "10")


@pytest.mark.parametrize(("fit", "expected"), [("stretch", (10, 10)), ("crop", (7, 10)), ("pad", (10, 10))])
def test_landmarks_lie_where_the_picture_shows_them(tmp_path, fit, expected):
    """A white pixel of a black picture, in the middle of which the landmark lies, whatever becomes of the picture."""
    canvas = np.zeros((21, 63, 3), np.uint8)
    canvas[9:12, 30:33] = 255
    (tmp_path / "p").mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"p/{name}.png"), canvas)
    (tmp_path / "all.csv").write_text("image,x_0,y_0,x_1,y_1\na.png,31,10,30,9\nb.png,31,10,30,9\n")
    samples = source(tmp_path / "all.csv", image_size=63, fit=fit, **ALL).open(
        "train", ("image", "landmarks")
    )
    sample = samples[0]
    bright = np.argwhere(sample["image"][..., 0] > 127)
    assert np.allclose(sample["landmarks"][0][::-1], bright.mean(axis=0), atol=0.51)


# --- splits


def test_a_column_says_who_is_in_which_split(tmp_path):
    cells = [f"{kind},{split}" for kind in "ab" for split in ("train", "Train", "val", "test")]
    path = write(tmp_path, rows("image,kind,split", *cells))
    found = {split: list(source(path).open(split, ("kind",)).table.ids) for split in SPLITS}
    assert found == {
        "train": ["0.png", "1.png", "4.png", "5.png"],
        "validation": ["2.png", "6.png"],
        "test": ["3.png", "7.png"],
    }


def test_lists_by_name_are_the_splits_and_a_group_is_never_divided(tmp_path):
    write(
        tmp_path,
        rows("image,kind,patient", *(f"{'ab'[n % 2]},p{n // 2}" for n in range(16))),
        20,
        "train.csv",
    )
    write(tmp_path, "image,kind,patient\n16.png,a,q\n17.png,b,q\n", 20, "test.csv")
    assert source_of(tmp_path).source is ImageList
    found = {split: source(tmp_path, validation_share=0.25).open(split, ("kind",)).table for split in SPLITS}
    assert list(found["test"].ids) == ["16.png", "17.png"]
    patients = [{int(name.removesuffix(".png")) // 2 for name in found[split].ids} for split in SPLITS[:2]]
    assert not patients[0] & patients[1]
    assert len(patients[0] | patients[1]) == 8


# --- lists of other people's code


def test_fg_nets_csv(tmp_path):
    for number in range(6):
        picture(tmp_path / f"aligned/F001/T1/{number}.jpg", number=number)
    head = "image_path,au1,au2,au4\n"
    (tmp_path / "train.csv").write_text(head + "".join(f"F001/T1/{n}.jpg,{n % 2},0,1\n" for n in range(4)))
    (tmp_path / "test.csv").write_text(head + "F001/T1/4.jpg,1,0,0\nF001/T1/5.jpg,0,0,0\n")
    one = source(tmp_path, image_size=16)
    assert one.fields()["labels"].names == ("AU1", "AU2", "AU4")
    samples = one.open("test", ("image", "labels"))
    assert samples[0]["labels"].tolist() == [1, 0, 0]
    assert samples[0]["image"].shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("lists", "names"),
    [
        (("BP4D_train_img_path_fold1.txt", "BP4D_test_img_path_fold1.txt"), ("img_path", "label", None)),
        (("BP4D_train_path.txt", "BP4D_test_path.txt"), ("_path", "_AUoccur", "_land")),
    ],
)
def test_bare_lists_with_their_partners(tmp_path, lists, names):
    """ME-GraphAU's, and JAA-Net's with landmarks."""
    for number in range(6):
        picture(tmp_path / f"img/F001/{number}.jpg", 20, 20, number)
    own, labels, land = names
    for place, name in enumerate(lists):
        numbers = range(4) if place == 0 else range(4, 6)
        (tmp_path / name).write_text("".join(f"F001/{n}.jpg\n" for n in numbers))
        (tmp_path / name.replace(own, labels)).write_text("".join(f"{n % 2} 1 0\n" for n in numbers))
        if land:
            (tmp_path / name.replace(own, land)).write_text("".join(f"{n} 1 2 3\n" for n in numbers))
    assert source_of(tmp_path).source is ImageList
    one = source(tmp_path, label_names=("AU1", "AU2", "AU4"), image_size=20)
    assert one.fields()["labels"].names == ("AU1", "AU2", "AU4")
    samples = one.open("test", tuple(one.fields()))
    assert samples[1]["labels"].tolist() == [1, 1, 0]
    if land:
        assert samples[1]["landmarks"].tolist() == [[5, 1], [2, 3]]
    (tmp_path / lists[1].replace(own, labels)).write_text("1 1 0\n")
    assert "has 1 lines, and" in refusal(tmp_path, "test")


def test_openfaces_rows_are_the_frames_of_a_folder_without_those_of_no_success(tmp_path, capsys):
    for number in range(1, 5):
        picture(tmp_path / f"anna_aligned/frame_det_00_00000{number}.bmp", number=number)
    head = "frame, face_id, timestamp, confidence, success, gaze_0_x, AU01_r, AU02_r, AU01_c, AU02_c"
    lines = [f"{n}, 0, 0.{n}, 0.98, {int(n != 3)}, 0.1, 1.20, 0.00, {n % 2}, 0" for n in range(1, 5)]
    (tmp_path / "anna.csv").write_text("\n".join([head, *lines, ""]))
    found = values(tmp_path / "anna.csv", "image", "labels")
    assert [np.mean(one) for one in found["image"]] == [3, 6, 12]
    assert found["labels"] == [[1, 0], [0, 0], [0, 0]]
    assert "OpenFace found no face: 1 row" in capsys.readouterr().err


def test_py_feats_csv(tmp_path):
    for number in range(4):
        picture(tmp_path / f"{number}.jpg", 20, 20, number)
    head = (
        "FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,x_0,x_1,y_0,y_1,AU01,AU12,anger,happiness"
    )
    head += ",input,frame"
    lines = [f"1,1,9,9,0.9,3,4,5,6,0.25,0.75,0.1,0.9,{n}.jpg,{n}" for n in range(4)]
    (tmp_path / "feat.csv").write_text("\n".join([head, *lines, ""]))
    found = values(tmp_path / "feat.csv", "labels", "landmarks", image_size=20)
    assert found["labels"][0] == [0.25, 0.75]
    assert found["landmarks"][0] == [[3, 5], [4, 6]]


# --- what is refused


def test_a_byte_order_mark_semicolons_and_decimal_commas_are_read(tmp_path):
    text = "\ufeffBild;Alter;image\nx;1,5;0.png\ny;2,25;1.png\n"
    path = write(tmp_path, text)
    assert values(path, "Alter") == {"Alter": [[1.5], [2.25]]}


@pytest.mark.parametrize("name", ["../secret.png", "a/../../secret.png", "/etc/secret.png", "..\\secret.png"])
def test_a_path_that_leaves_its_folder(tmp_path, name):
    path = write(tmp_path, f"image,kind\n0.png,a\n{name},b\n")
    said = refusal(path)
    assert "all.csv, line 3: `" in said
    assert "leaves the folder of the pictures" in said


def test_a_path_that_stands_twice(tmp_path):
    path = write(tmp_path, "image,kind\n0.png,a\n1.png,b\n./0.png,b\n")
    assert "line 4: `0.png` stands in line 2 already" in refusal(path, **ALL)


def test_a_label_that_is_none_of_the_classes(tmp_path):
    path = write(tmp_path, rows("image,kind", "a", "b", "lily"))
    said = refusal(path, classes=("a", "b"), class_columns=("kind",))
    assert "line 4: `lily` is none of the classes of `kind`: a, b" in said


def test_a_number_that_is_none_and_a_row_that_is_too_long(tmp_path):
    path = write(tmp_path, rows("image,age", "1", "old", "3"))
    assert "line 3: `old` in the column `age` is no number" in refusal(path, number_columns=("age",))
    path = write(tmp_path, rows("image,age", "1", "2,3"))
    assert "line 3: 3 cells, and there are 2 columns" in refusal(path)


def test_missing_pictures_are_counted_and_named(tmp_path):
    path = write(tmp_path, rows("image,kind", *"ababab"), count=4)
    said = refusal(path, **ALL)
    assert "without a picture: 2 of 6 samples, `4.png`, `5.png`\nhelp: `images = FOLDER` where" in said
    assert len(source(path, missing="skip", **ALL).open("train", ("image",))) == 4


def test_a_column_that_is_not_there_is_found_when_the_file_is_checked(tmp_path):
    path = write(tmp_path, rows("image,kind", *"abab"))
    text = f"{{Data}}\n[image_list]\npath = {path}\nimage_size = 16\nclass_columns = knd\n"
    text += "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
    _, findings = netcfg.check(text)
    assert "has no column `knd`" in findings[0].message
    assert findings[0].help == "did you mean `kind`?"


def test_a_list_that_labels_less_than_another_is_found_when_the_file_is_checked(tmp_path):
    """The order of columns says nothing."""
    write(tmp_path, "image_path,au1,au4\n0.png,1,0\n1.png,0,1\n2.png,0,1\n3.png,1,1\n", name="train.csv")
    text = f"{{Data}}\n[image_list]\npath = {tmp_path}\nimage_size = 16\n"
    text += "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
    for head, message in (
        ("au4,au1", None),
        ("au1,au2", "test.csv has no column `au4`, which "),
    ):
        (tmp_path / "test.csv").write_text(f"image_path,{head}\n4.png,1,0\n5.png,0,1\n")
        _, findings = netcfg.check(text)
        assert bool(findings) == (message is not None)
        if message is not None:
            assert message in findings[0].message
            assert findings[0].help == "`label_columns` names those that both have"
    samples = source(tmp_path, label_columns=("au1",), **ALL).open("test", ("labels",))
    assert len(samples) == 2


@pytest.mark.parametrize("step", ["[heatmaps]\nsize = 16\n", "[rotate]\nonly = labels\ndegrees = 3\n"])
def test_a_field_that_is_missing_with_all_the_data_is_no_mistake_of_who_reads_it(tmp_path, step):
    text = f"{{Data}}\n[image_list]\npath = {tmp_path / 'nowhere'}\nimage_size = 16\n{step}"
    text += "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
    _, findings = netcfg.check(text)
    assert f"there is no {tmp_path / 'nowhere'}, where its fields stand" in findings[0].help


def test_several_lists_that_nobody_tells_apart(tmp_path):
    write(tmp_path, rows("image,kind", *"abab"), name="one.csv")
    write(tmp_path, rows("image,kind", *"abab"), name="two.csv")
    assert "holds the lists `one.csv`, `two.csv`" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("head", "cells", "loss", "metric", "outputs"),
    [
        ("image,au1,au2", "1,0 0,1 1,1 0,0".split(), "bce_with_logits", "average_precision", 2),
        ("image,age", "10 20 30 40".split(), "smooth_l1", "mae", 1),
    ],
)
def test_labels_and_numbers_train_a_network_that_says_nothing_of_data(
    tmp_path, head, cells, loss, metric, outputs
):
    path = write(tmp_path, rows(head, *cells))
    text = (
        "{General}\n[variables]\nclasses = 9\n"
        "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = $classes\n"
    )
    program, findings = netcfg.check(text, data=str(path))
    assert not findings
    assert program.networks["N"].nodes[-1].output.shape == (outputs,)
    assert program.losses[loss].mask == f"has_{program.losses[loss].target}"
    assert program.training.monitor == metric


def test_drawn_flowers_of_a_list_train_a_network_that_says_nothing_of_data(tmp_path):
    drawn.write_flowers(tmp_path / "all", 6)
    lines = [f"{kind}/{n}.jpg,{kind}" for kind in drawn.FLOWERS for n in range(1, 7)]
    (tmp_path / "flowers.tsv").write_text("\n".join(["file,species", *lines, ""]).replace(",", "\t"))
    text = "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 3\n"
    for place in (tmp_path, tmp_path / "flowers.tsv"):
        program, findings = netcfg.check(text, data=str(place))
        assert not findings
        assert program.data.source.type_name == "image_list"
    assert program.losses["cross_entropy"].target == "species"
    assert "class_columns = species\nclasses = daisy, rose, tulip\n" in program.resolved


def test_numbers_keep_their_unit_and_show_their_range(tmp_path, capsys):
    path = write(
        tmp_path, rows("file,height [cm],age (years),share", "12,30,0.5", ",31,0.25", "80.5,99,1"), 3
    )
    fields = source(path).fields()
    assert {name: fields[name].unit for name in ("height", "age", "share")} == {
        "height": "cm",
        "age": "years",
        "share": "",
    }
    assert fields["height"].names == ("height",)
    assert main(["data", "show", str(path)]) == 0
    told = capsys.readouterr().out
    assert "1 (cm)" in told
    assert "`height`: 12 to 80.5 cm, the middle one 46.25" in told
    assert "`share`: 0.25 to 1, the middle one 0.5" in told
    answer = Answer("Net", "height", "number", ("height",), unit="cm")
    assert sentence(answer, np.array([46.25])) == "height 46.25 cm"
    assert columns([answer]) == ["height [cm]"]
    assert described(answer)["unit"] == "cm"


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path):
    path = write(tmp_path, 'file,class\n0.png,"a\n1.png,b\n2.png,a\n')
    assert "line 4: unexpected end of data" in refusal(path)
    kept = values(write(tmp_path, 'file,class\n0.png,"a ""b"", c"\n1.png,b\n', name="all.csv"), "class")
    assert kept == {"class": [0, 1]}


def test_a_column_of_splits_with_a_name_that_is_none_is_told_and_not_dealt_anew(tmp_path):
    path = write(tmp_path, rows("file,class,split", "a,train", "b,holdout", "b,test"))
    assert "line 3: `holdout` is the name of no split" in refusal(path)
    other = write(tmp_path, rows("file,class,set", "a,1", "b,2", "b,1"), name="other.csv")
    assert source(other).fields()["set"].kind == "vector"


def test_a_remedy_names_what_the_source_has(tmp_path):
    (tmp_path / "pictures").mkdir()
    path = write(tmp_path, rows("file,class", "a", "b", "c"), 2)
    told = refusal(path, **ALL)
    assert "`missing = skip`" in told
    assert "black" not in told


@pytest.mark.parametrize("head", ["file,kind,sex", "file,kind", "file,AU1,AU12_c", "file,height [cm],m_mask"])
def test_a_run_knows_its_fields_where_its_list_is_no_more(tmp_path, head):
    cells = {
        "kind": "ab",
        "sex": "mf",
        "AU1": "01",
        "AU12_c": "10",
        "height [cm]": "23",
        "m_mask": ("0.png", "1.png"),
    }
    columns = head.split(",")[1:]
    told = [",".join(cells[column][number % 2] for column in columns) for number in range(8)]
    path = write(tmp_path, rows(head, *told))
    options = f"path = {path}\nimage_size = 16\nmask_classes = a, b\n"
    written = f"{{Data}}\n[image_list]\n{options}{{N}}\n[net]\ninputs = data.image\n[identity]\n"
    before = netcfg.load(written)
    expected = before.data.source.fields()
    assert len(expected) > 2
    path.unlink()
    assert netcfg.load(before.resolved).data.source.fields() == expected
