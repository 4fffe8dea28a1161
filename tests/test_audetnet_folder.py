"""`[audetnet_folder]`: reads the original's layout, and says what is wrong with a folder."""

import pickle

import cv2
import numpy as np
import pytest

import netcfg
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.sources.audetnet_folder import AudetnetFolder
from netcfg.datasets.pictures import notes
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.samples.label_files import read_labels
from netcfg.program import Data
from netcfg.shapes import Symbolic
from netcfg.source import NetcfgError, SourceFile, Span

UNITS = ("1", "2", "4")
TRAIN = [f"SN001_{number}" for number in (1, 2, 3)] + [f"SN002_{number}" for number in (1, 2)]
TEST = ["SN003_1", "SN003_2"]


def shade(name):
    return 10 * int(name[4]) + int(name[-1])


def write_picture(folder, name, size=(20, 24)):
    cv2.imwrite(str(folder / "imgs" / f"{name}.jpg"), np.full((*size, 3), shade(name) * 4, np.uint8))


def labels_of(name):
    return np.array([0.0, 1.0, shade(name) % 2])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "imgs").mkdir()
    for name in TRAIN + TEST:
        write_picture(tmp_path, name)
    write_labels(tmp_path, {name: labels_of(name) for name in TRAIN + TEST})
    (tmp_path / "train_ids.csv").write_text("\n".join(TRAIN) + "\n")
    (tmp_path / "test_ids.csv").write_text("\r\n".join(TEST))
    notes._SAID.clear()
    return tmp_path


def write_labels(folder, labels, protocol=2):
    (folder / "aus_dict.pkl").write_bytes(pickle.dumps(labels, protocol))


def source(folder, **options):
    return AudetnetFolder(path=str(folder), **{"action_units": UNITS, **options})


def opened(folder, split="train", fields=("image", "labels", "subject"), **options):
    return source(folder, **options).open(split, fields)


def test_samples_are_those_of_the_lists(folder):
    samples = opened(folder)
    assert samples.table.ids == tuple(TRAIN)
    sample = samples[3]
    assert sample["image"].shape == (20, 24, 3)
    assert abs(int(sample["image"][5, 5, 0]) - shade("SN002_1") * 4) <= 2
    np.testing.assert_array_equal(sample["labels"], labels_of("SN002_1").astype(np.float32))
    assert sample["subject"] == 1


def test_colours_are_red_first(folder):
    cv2.imwrite(str(folder / "imgs/SN001_1.jpg"), np.full((20, 24, 3), (0, 0, 255), np.uint8))
    assert opened(folder)[0]["image"][5, 5].tolist() == pytest.approx([254, 0, 0], abs=3)


def test_fields_are_known_before_the_folder(folder):
    assert AudetnetFolder().fields()["image"] == FieldSpec(
        (3, Symbolic.named("height"), Symbolic.named("width")), "image"
    )
    fields = source(folder, image_size=(20, 24), intensities=True).fields()
    assert fields["image"].shape == (3, 20, 24)
    assert fields["intensities"].names == ("AU1", "AU2", "AU4")


def test_intensities_are_divided_by_five(folder):
    write_labels(folder, {name: [0, 2.0, 5] for name in TRAIN + TEST})
    sample = opened(folder, fields=("labels", "intensities"), intensities=True)[0]
    np.testing.assert_array_equal(sample["labels"], np.array([0, 0.4, 1], np.float32))
    assert sample["intensities"].tolist() == [0, 2, 5]


def test_ids_without_labels_are_dropped_and_counted_once(folder, capsys):
    with (folder / "train_ids.csv").open("a") as file:
        file.write("SN009_1\n")
    assert len(opened(folder)) == len(TRAIN)
    opened(folder)
    assert capsys.readouterr().err.count("want of labels: 1 of 6 ids, `SN009_1`") == 1


def test_validation_is_on_the_test_ids_as_in_the_original(folder):
    assert opened(folder, "validation").table.ids == opened(folder, "test").table.ids == tuple(TEST)


def test_validation_can_be_a_share_of_the_training_subjects(folder, capsys):
    train = opened(folder, validation=0.4).table.ids
    validation = opened(folder, "validation", validation=0.4).table.ids
    assert sorted(train + validation) == sorted(TRAIN)
    assert not {name[:5] for name in train} & {name[:5] for name in validation}
    assert f"`{validation[0][:5]}`" in capsys.readouterr().err


def test_all_formats_of_labels_give_the_same(folder):
    lines = [f"{name},{labels_of(name)[2]:g},0,1" for name in TRAIN + TEST]
    (folder / "labels.csv").write_text("id,AU4,AU1,AU2\n" + "\n".join(lines))
    np.savez(
        folder / "labels.npz",
        ids=np.array(TRAIN + TEST),
        labels=np.stack([labels_of(n) for n in TRAIN + TEST]),
    )
    wanted = [sample["labels"].tolist() for sample in map(opened(folder).__getitem__, range(5))]
    for name in ("labels.csv", "labels.npz"):
        samples = opened(folder, labels=name)
        assert [samples[index]["labels"].tolist() for index in range(5)] == wanted


def test_labels_are_read_again_when_the_file_changes(folder):
    opened(folder)
    write_labels(folder, {name: [1, 1, 1, 1] for name in TRAIN + TEST})
    assert read_labels(folder / "aus_dict.pkl").values.shape == (7, 4)


def read_all(folder):
    samples = opened(folder)
    return [samples[index] for index in range(len(samples))]


def broken_labels(folder, name, value):
    write_labels(folder, {other: labels_of(other) for other in TRAIN + TEST} | {name: value})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "train_ids.csv").unlink(), r"there is no file .*train_ids.csv"),
        (lambda f: (f / "aus_dict.pkl").unlink(), r"there is no file .*aus_dict.pkl"),
        (lambda f: (f / "train_ids.csv").write_text(""), "the train split is empty\nhelp: "),
        (lambda f: (f / "train_ids.csv").write_text("SN001_1.jpg\n"), "list has `SN001_1.jpg`, the labels `SN001_1`"),
        (lambda f: broken_labels(f, "SN002_1", [1.0, 0.0]), "labels of `SN002_1` are 2 numbers, and most others 3"),
        (lambda f: broken_labels(f, "SN002_1", [1, np.nan, 0]), "labels of `SN002_1` are not all numbers"),
        (lambda f: broken_labels(f, "SN002_1", ["a", "b", "c"]), "labels of `SN002_1` are not a row of numbers"),
        (lambda f: write_labels(f, {n: [0, 1] for n in TRAIN}), "2 labels for a frame, and `action_units` names 3"),
        (lambda f: write_labels(f, [1, 2]), "holds a list, where a dict of labels"),
        (lambda f: (f / "imgs/SN001_2.jpg").unlink(), "no picture for 1 of 5 ids: `SN001_2`\nhelp: `missing"),
        (lambda f: (f / "imgs/SN001_2.jpg").write_bytes(b""), "SN001_2.jpg cannot be read.*\n.*`on_error = skip`"),
        (lambda f: write_picture(f, "SN001_2", (20, 20)), "SN001_2.jpg is 20×20 .*`SN001_1.jpg` is 20×24"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(damage, message, folder):
    damage(folder)
    with pytest.raises(NetcfgError, match=message):
        read_all(folder)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(NetcfgError, match="there is no folder .*nowhere\nhelp: `netcfg data make"):
        opened(tmp_path / "nowhere")
    with pytest.raises(NetcfgError, match="does not say where its folder is\nhelp: .*--data DIR"):
        AudetnetFolder().open("train", ("labels",))


def test_intensities_beyond_five_are_refused(folder):
    broken_labels(folder, "SN002_1", [0, 6, 0])
    with pytest.raises(NetcfgError, match="`SN002_1` reach from 0 to 6, and intensities from 0 to 5"):
        opened(folder, intensities=True)


def test_missing_pictures_can_be_skipped(folder, capsys):
    (folder / "imgs/SN001_2.jpg").unlink()
    assert len(opened(folder, missing="skip")) == len(TRAIN) - 1
    assert "left out for want of a picture: 1 id, `SN001_2`" in capsys.readouterr().err


def test_broken_pictures_can_be_skipped(folder, capsys):
    (folder / "imgs/SN001_2.jpg").write_bytes(b"")
    whole = (folder / "imgs/SN002_1.jpg").read_bytes()
    (folder / "imgs/SN002_1.jpg").write_bytes(whole[: len(whole) // 2])
    samples = opened(folder, on_error="skip")
    assert samples.table.ids == ("SN001_1", "SN001_3", "SN002_2")
    assert opened(folder, fields=("labels",), on_error="skip").table.ids == samples.table.ids
    assert capsys.readouterr().err.count("as they cannot be read: 2 pictures, `SN001_2.jpg`") == 1


def test_preparing_beforehand_names_a_broken_picture(folder):
    of_one_size = source(folder, image_size=(20, 24))  # others are not kept
    fields = of_one_size.fields()
    data = Data(of_one_size, (), fields, ("image",), Span(SourceFile("data.cfg", "{Data}"), 1))
    loader = Pipeline(data, "train", 2, workers=1)
    (folder / "imgs/SN001_2.jpg").write_bytes(b"")
    loader._samples.seconds_per_sample = 1.0
    with pytest.raises(NetcfgError, match=r"^\S*SN001_2.jpg cannot be read"):
        list(loader.prepare(1))


def test_bytes_after_a_picture_do_no_harm(folder):
    with (folder / "imgs/SN001_1.jpg").open("ab") as file:
        file.write(bytes(500))
    assert opened(folder)[0]["image"].shape == (20, 24, 3)


def test_pictures_of_no_list_are_only_noted(folder, capsys):
    write_picture(folder, "SN001_9")
    assert len(opened(folder)) == len(TRAIN)
    assert "no labelled id names them: 1 of 8 pictures" in capsys.readouterr().err


def test_a_network_of_another_size_is_refused_by_check():
    text = "{Data}\n[audetnet_folder]\nimage_size = 64\n{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[identity]\n"
    _, findings = netcfg.check(text)
    assert [finding.code for finding in findings] == ["NC301"]
