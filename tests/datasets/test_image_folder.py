"""`[image_folder]`: classes by folders, splits by folders or dealt, and networks that say nothing of data."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import cv2
import drawn_flowers as drawn
import numpy as np
import pytest
from PIL import Image

import netcfg
from netcfg.blocks.sources.image_folder import ImageFolder
from netcfg.cli.main import main
from netcfg.datasets.samples.dealing import Dealing, dealt
from netcfg.passes.read import shipped_folder
from netcfg.source import NetcfgError

TINY = (
    "{General}\n[variables]\nclasses = 10\n"
    "{Net}\n[net]\nchannels = 3\nheight = 24\nwidth = 24\n"
    "[convolutional]\nfilters = 16\nkernel_size = 3\nstride = 2\npad = True\nactivation = relu\nbatch_normalise = 1\n"
    "[convolutional]\nfilters = 32\nkernel_size = 3\nstride = 2\npad = True\nactivation = relu\nbatch_normalise = 1\n"
    "[convolutional]\nfilters = 32\nkernel_size = 3\nstride = 2\npad = True\nactivation = relu\nbatch_normalise = 1\n"
    "[flatten]\n[connected]\noutput_features = $classes\n"
)
SPLITS = ("train", "validation", "test")


@pytest.fixture
def flowers(tmp_path) -> Path:
    return drawn.write_flowers(tmp_path / "flowers", 12)


def source(folder: Path, **options: object) -> ImageFolder:
    return ImageFolder(path=str(folder), **options)


def refusal(folder: Path, split: str = "train", **options: object) -> str:
    with pytest.raises(NetcfgError) as caught:
        source(folder, **options).open(split, ("image", "class"))
    return str(caught.value)


def ids(folder: Path, split: str, **options: object) -> list[str]:
    return list(source(folder, **options).open(split, ("class",)).table.ids)


# --- reading


def test_classes_are_numbered_by_name_and_pictures_keep_their_size_until_one_is_asked_for(flowers):
    samples = source(flowers).open("train", ("image", "class"))
    assert source(flowers).fields()["class"].names == ("daisy", "rose", "tulip")
    for index in (0, len(samples) // 2, len(samples) - 1):
        name = samples.table.ids[index]
        picture = cv2.cvtColor(cv2.imread(str(flowers / name)), cv2.COLOR_BGR2RGB)
        assert np.array_equal(samples[index]["image"], picture)
        assert samples[index]["class"] == ("daisy", "rose", "tulip").index(name.partition("/")[0])
    assert source(flowers, image_size=32).open("train", ("image",))[0]["image"].shape == (32, 32, 3)


def test_a_picture_becomes_square_by_its_middle_stretched_or_with_black_beside_it(tmp_path):
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, 10:30] = 255
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        for number in range(4):
            cv2.imwrite(str(tmp_path / kind / f"{number}.png"), picture)

    def shown(fit: str) -> np.ndarray:
        return source(tmp_path, image_size=20, fit=fit).open("train", ("image",))[0]["image"][..., 0]

    assert (shown("crop") == 255).all()
    assert (shown("stretch")[:, :5] == 0).all()
    assert (shown("stretch")[:, 5:15] == 255).all()
    assert (shown("pad")[:5] == 0).all()
    assert (shown("pad")[5:15, 5:15] == 255).all()


def test_folders_inside_a_class_are_of_it_and_other_files_are_passed_over(flowers):
    shutil.move(flowers / "rose/1.jpg", (flowers / "rose/red").mkdir() or flowers / "rose/red/1.jpg")
    (flowers / "rose/notes.txt").write_text("roses")
    (flowers / "rose/.hidden.jpg").write_bytes(b"")
    found = [name for split in SPLITS for name in ids(flowers, split)]
    assert len(found) == 36
    assert "rose/red/1.jpg" in found


# --- splits


def test_each_class_is_dealt_by_its_shares_always_alike_and_no_picture_twice(flowers):
    by_split = {split: ids(flowers, split, validation_share=0.25, test_share=0.25) for split in SPLITS}
    assert sorted(sum(by_split.values(), [])) == sorted(
        f"{kind}/{number}.jpg" for kind in drawn.FLOWERS for number in range(1, 13)
    )
    for split, count in zip(SPLITS, (6, 3, 3), strict=True):
        kinds = [name.partition("/")[0] for name in by_split[split]]
        assert {kind: kinds.count(kind) for kind in drawn.FLOWERS} == dict.fromkeys(drawn.FLOWERS, count)
    assert ids(flowers, "test", validation_share=0.25, test_share=0.25) == by_split["test"]
    assert ids(flowers, "test", validation_share=0.25, test_share=0.25, seed=1) != by_split["test"]


def test_folds_are_tested_once_each(flowers):
    tested = [ids(flowers, "test", folds=4, fold=fold) for fold in range(4)]
    assert len(sum(tested, [])) == len(set(sum(tested, []))) == 36
    assert not set(ids(flowers, "train", folds=4, fold=1)) & set(tested[1])


def test_folders_of_splits_are_the_splits(tmp_path):
    drawn.write_flowers(tmp_path / "train", 6)
    drawn.write_flowers(tmp_path / "val", 3, seed=1)
    drawn.write_flowers(tmp_path / "test", 2, seed=2)
    assert [len(ids(tmp_path, split)) for split in SPLITS] == [18, 9, 6]
    shutil.rmtree(tmp_path / "val")
    assert [len(ids(tmp_path, split, validation_share=0.34)) for split in SPLITS] == [12, 6, 6]


def test_a_validation_folder_alone_is_the_test_and_validation_is_of_those_that_train(tmp_path):
    drawn.write_flowers(tmp_path / "train", 6)
    drawn.write_flowers(tmp_path / "val", 3, seed=1)
    assert [len(ids(tmp_path, split, validation_share=0.34)) for split in SPLITS] == [12, 6, 9]


def test_lists_say_who_is_in_which_split_and_the_rest_is_left_out_and_counted(flowers, capsys):
    (flowers / "train.txt").write_text(
        "".join(f"{kind}/{n}.jpg\n" for kind in drawn.FLOWERS for n in range(1, 9))
    )
    (flowers / "test.txt").write_text(
        "\ufeffrose/9 1\n\ndaisy/9 0\ntulip\\9.jpg\n"
    )  # without endings, with classes
    lists = {"train_list": "train.txt", "test_list": "test.txt"}
    by_split = {split: ids(flowers, split, **lists) for split in SPLITS}
    assert by_split["test"] == ["daisy/9.jpg", "rose/9.jpg", "tulip/9.jpg"]
    assert [len(by_split[split]) for split in SPLITS] == [21, 3, 3]
    assert "left out, as they stand in no list: 9 pictures" in capsys.readouterr().err
    (flowers / "valid.csv").write_text("image,class\nrose/10.jpg,rose\n")
    assert ids(flowers, "validation", **lists, validation_list="valid.csv") == ["rose/10.jpg"]
    assert len(ids(flowers, "train", **lists, validation_list="valid.csv")) == 24


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rose/99.jpg", "test.txt, line 2: there is no picture `rose/99.jpg`"),
        ("../secret/1.jpg", "test.txt, line 2: there is no picture `../secret/1.jpg`"),
        ("rose/1.jpg", r"test.txt, line 2: `rose/1.jpg` stands in .*train.txt, line 1, already"),
        ("rose/2.jpg", r"test.txt, line 2: `rose/2.jpg` stands in .*test.txt, line 1, already"),
    ],
)
def test_lists_of_splits_that_cannot_be_right_are_told_by_their_line(flowers, line, message):
    (flowers / "train.txt").write_text("rose/1.jpg\n")
    (flowers / "test.txt").write_text(f"rose/2.jpg\n{line}\n")
    assert re.search(message, refusal(flowers, train_list="train.txt", test_list="test.txt"))


def test_lists_of_splits_come_together_and_not_beside_folders_of_splits(flowers, tmp_path):
    with pytest.raises(netcfg.NetcfgError, match="needs both: `train_list` and `test_list`"):
        netcfg.load(f"{{Data}}\n[image_folder]\npath = {flowers}\ntrain_list = a.txt\n")
    assert "there is no list" in refusal(flowers, train_list="a.txt", test_list="b.txt")
    drawn.write_flowers(tmp_path / "both/train", 2)
    drawn.write_flowers(tmp_path / "both/test", 2)
    (tmp_path / "both/a.txt").write_text("rose/1.jpg\n")
    assert "holds folders of splits" in refusal(tmp_path / "both", train_list="a.txt", test_list="a.txt")


def test_a_group_stays_in_one_split(tmp_path):
    random = np.random.default_rng(0)
    for kind in ("ill", "well"):
        (tmp_path / kind).mkdir()
        for patient in range(12):
            for view in range(1 + patient % 3):
                picture = drawn.flower("rose", random)
                cv2.imwrite(str(tmp_path / kind / f"p{patient:02}_{view}.png"), picture)
    by_split = {split: ids(tmp_path, split, group_by=r"(p\d+)_", test_share=0.25) for split in SPLITS}
    patients = {split: {re.search(r"p\d+", name)[0] for name in by_split[split]} for split in SPLITS}
    assert patients["train"] | patients["validation"] | patients["test"] == {f"p{n:02}" for n in range(12)}
    assert not patients["train"] & (patients["validation"] | patients["test"])
    assert not patients["validation"] & patients["test"]
    assert all({"ill", "well"} == {name.partition("/")[0] for name in by_split[split]} for split in SPLITS)
    assert "finds nothing in 48 names of 48, such as ill/p00_0.png" in refusal(tmp_path, group_by=r"(q\d)")


@pytest.mark.parametrize("count", [3, 4, 7, 100])
def test_every_split_shows_a_class_of_three_pictures_or_more(count):
    for seed in range(5):
        parts = dealt(np.zeros(count, np.int64), Dealing(0.1, 0.1, seed=seed))
        assert set(parts.tolist()) == {0, 1, 2}


def test_what_is_dealt_is_near_its_share_also_in_groups():
    random = np.random.default_rng(0)
    classes = random.integers(0, 5, 2_000)
    groups = random.integers(0, 300, 2_000)
    for given in (None, groups):
        parts = dealt(classes, Dealing(0.2, 0.3), given)
        for kind in range(5):
            shares = np.bincount(parts[classes == kind], minlength=3) / (classes == kind).sum()
            assert np.allclose(shares, (0.5, 0.2, 0.3), atol=0.03), (kind, shares)


# --- what is refused


def test_a_class_folder_without_a_picture(flowers):
    (flowers / "lily").mkdir()
    assert "the class `lily` has no picture" in refusal(flowers)


def test_classes_that_differ_by_case_alone_are_found_when_the_file_is_checked(flowers):
    drawn.write_flowers(flowers, 2, kinds=("Rose",))
    _, (finding,) = netcfg.check(TINY, data=str(flowers))
    assert finding.code == "NC505"
    assert "`Rose` and `rose` as names of classes, which differ by case only" in finding.message
    assert "differ by case only" in refusal(flowers)


@pytest.mark.parametrize(
    "name", ["rose, red", "$rose", "rose #1", "it's a rose; red", " rose", 'the "rose"', "${x}"]
)
def test_classes_and_folders_of_any_names_stay_what_they_are_in_a_run(flowers, tmp_path, name):
    (flowers / "rose").rename(flowers / name)
    folder = flowers.rename(tmp_path / name.strip())
    program, findings = netcfg.check(TINY, data=str(folder))
    assert not findings
    assert program.data.source.path == str(folder)
    again, findings = netcfg.check(program.resolved)
    assert not findings
    assert again.data.source.classes == tuple(sorted(("daisy", name, "tulip")))
    assert len(again.data.source.open("train", ("class",))) == 24


def test_a_class_that_no_option_could_name(flowers):
    (flowers / "rose").rename(flowers / "'rose' \"red\"")
    assert "a name that no option can hold" in refusal(flowers)


def test_a_folder_of_another_class_than_those_known(flowers):
    said = refusal(flowers, "test", classes=("daisy", "rose"))
    assert "holds the class `tulip`, and known are `daisy`, `rose`" in said


def test_broken_and_missing_pictures_stop_or_are_left_out_and_named(flowers, capsys):
    (flowers / "rose/1.jpg").write_bytes((flowers / "rose/2.jpg").read_bytes()[:200])
    (flowers / "rose/3.jpg").unlink()
    (flowers / "rose/3.jpg").symlink_to(flowers / "nowhere.jpg")
    options = {"validation_share": 0.0, "test_share": 0.0}
    assert "without a picture: 1 of 36 samples, `rose/3.jpg`" in refusal(flowers, **options)
    samples = source(flowers, missing="skip", **options).open("train", ("image",))
    broken = samples.table.ids.index("rose/1.jpg")
    with pytest.raises(NetcfgError, match=r"rose/1\.jpg cannot be read: it is cut short"):
        samples[broken]
    left = source(flowers, missing="skip", on_error="skip", **options).open("train", ("image",))
    assert len(left) == 34
    assert "left out, as they cannot be read: 1 picture" in capsys.readouterr().err


def test_pictures_of_one_pixel_of_too_many_and_moving_ones(tmp_path):
    for kind in ("a", "b"):
        for number in range(3):
            drawn.write_flowers(tmp_path, 1, kinds=(kind,))
            (tmp_path / kind / "1.jpg").rename(tmp_path / kind / f"{number}.jpg")
    cv2.imwrite(str(tmp_path / "a/one.png"), np.full((1, 1, 3), 9, np.uint8))
    cv2.imwrite(
        str(tmp_path / "a/large.png"), np.random.default_rng(0).integers(0, 256, (400, 500, 3), np.uint8)
    )
    moving = [Image.fromarray(np.full((20, 20, 3), level, np.uint8)) for level in (30, 200)]
    for name in ("moving.webp", "moving.png"):
        moving[0].save(tmp_path / "b" / name, save_all=True, append_images=moving[1:], lossless=True)
    options = {"validation_share": 0.0, "test_share": 0.0, "image_size": 16, "max_pixels": 150_000}
    samples = source(tmp_path, **options).open("train", ("image",))
    shown = dict(zip(samples.table.ids, range(len(samples)), strict=True))
    assert (samples[shown["a/one.png"]]["image"] == 9).all()
    assert (
        np.abs(samples[shown["b/moving.webp"]]["image"].astype(int) - 30).max() < 3
    )  # the first of its pictures
    assert (samples[shown["b/moving.png"]]["image"] == 30).all()
    with pytest.raises(
        NetcfgError, match=r"large\.png cannot be read: it has 200,000 pixels, more than 150,000"
    ):
        samples[shown["a/large.png"]]
    skipping = source(tmp_path, **options, on_error="skip").open("train", ("image",))
    assert "a/large.png" not in skipping.table.ids


def test_phones_pictures_are_turned_grey_and_deep_ones_read_by_their_range(tmp_path):
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
    wide = Image.fromarray(np.zeros((10, 30, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    wide.save(tmp_path / "a/phone.jpg", exif=exif)
    cv2.imwrite(str(tmp_path / "a/grey.png"), np.full((5, 5), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "b/deep.png"), np.array([[0, 4095]], np.uint16))
    cv2.imwrite(str(tmp_path / "b/deep2.png"), np.array([[0, 2048]], np.uint16))
    options = {"validation_share": 0.0, "test_share": 0.0}
    samples = source(tmp_path, **options).open("train", ("image",))
    shown = {name: samples[row]["image"] for row, name in enumerate(samples.table.ids)}
    assert shown["a/phone.jpg"].shape == (30, 10, 3)
    assert (shown["a/grey.png"] == 77).all()
    assert shown["b/deep.png"][0, :, 0].tolist() == [0, 255]
    assert shown["b/deep2.png"][0, :, 0].tolist() == [0, 128]
    stored = source(tmp_path, **options, turn=False).open("train", ("image",))
    assert stored[stored.table.ids.index("a/phone.jpg")]["image"].shape == (10, 30, 3)


def test_a_folder_inside_the_one_that_is_given_is_pointed_at(tmp_path):
    drawn.write_flowers(tmp_path / "archive/flowers", 2)
    _, (finding,) = netcfg.check(TINY, data=str(tmp_path / "archive"))
    assert finding.help.endswith(f"looks like one of [image_folder]: `--data {tmp_path / 'archive/flowers'}`")


def test_what_asks_for_data_that_are_wrong_has_nothing_to_add(flowers):
    text = TINY.replace("$classes", "$data.class.classes")
    text += f"{{Data}}\n[image_folder]\npath = {flowers}\nfit = squeeze\n"
    _, (finding,) = netcfg.check(text)
    assert finding.message.startswith("`fit` must be one of")


def test_what_can_only_be_told_by_the_folder_is_asked_for_at_check_time(tmp_path):
    text = TINY.replace("$classes", "$data.class.classes") + "{Data}\n[image_folder]\nimage_size = 24\n"
    _, (finding,) = netcfg.check(text)
    assert "asks for the classes of `data.class`, which nobody has said" in finding.message
    folder = drawn.write_flowers(tmp_path, 2)
    program, findings = netcfg.check(text, data=str(folder))
    assert program is not None, findings
    assert program.networks["Net"].nodes[-1].output.shape == (3,)


# --- networks that say nothing of data


def test_a_network_alone_is_given_what_trains_it_and_the_number_of_its_classes(flowers):
    program, findings = netcfg.check(TINY, data=str(flowers))
    assert not findings
    assert program.networks["Net"].nodes[-1].output.shape == (3,)
    assert program.data.source.image_size == 24
    assert program.notes == (
        f"<text> says nothing of data: `Net` is trained on {flowers} (3 classes) as parts/image_classes.cfg says; "
        "`--set` changes image_size = 24, epochs = 30, batch_size = 32, learning_rate = 1e-3",
    )
    again, _ = netcfg.check(program.resolved)
    assert again.data.source.classes == ("daisy", "rose", "tulip")


def test_what_a_file_says_itself_wins(flowers):
    text = TINY + (
        "[training]\nmax_epochs = 3\nmonitor = None\n".join(("{General}\n", ""))
        + "{Optimizer}\n[sgd]\nnetworks = Net\nminimise = cross_entropy\n"
    )
    program, findings = netcfg.check(text, data=str(flowers))
    assert not findings
    assert program.training.max_epochs == 3
    assert [phase.optimizer.type_name for phase in program.phases] == ["sgd"]
    _, (finding, *_) = netcfg.check(TINY, variables={"classes": 5}, data=str(flowers))
    assert "gives 5 logits, but `class` has 3 classes" in finding.message


def test_every_classifier_of_the_zoo_takes_a_folder_of_classes(flowers):
    files = [
        path
        for path in sorted((shipped_folder() / "zoo").glob("*.cfg"))
        if "# Task: image classification" in path.read_text() and "{Data}" not in path.read_text()
    ]
    assert len(files) > 70
    for path in files[:: len(files) // 12]:
        program, findings = netcfg.check(path, data=str(flowers))
        assert program is not None, findings
        assert program.variables["classes"] == "3"
        assert program.phases


def test_several_networks_and_folders_of_no_classes_are_refused(flowers, tmp_path):
    two = TINY + TINY.partition("{Net}")[2].join(("{Other}", ""))
    _, (finding,) = netcfg.check(two, data=str(flowers))
    assert finding.code == "NC403"
    assert "of several networks say how they are trained" in finding.help
    (tmp_path / "nothing").mkdir()
    _, (finding,) = netcfg.check(TINY, data=str(tmp_path / "nothing"))
    assert "looks like the folder of no source" in finding.message


def test_a_run_learns_flowers_names_them_and_refuses_others(tmp_path, capsys):
    folder = drawn.write_flowers(tmp_path / "flowers", 40)
    file, run = tmp_path / "tiny.cfg", tmp_path / "run"
    file.write_text(TINY)
    told = ["train", str(file), "--data", str(folder), "--epochs", "20", "--workers", "0"]
    told += ["--run-dir", str(run)]
    assert main(told) == 0
    figures = json.loads((run / "result.json").read_text())
    assert figures["test"]["metrics"]["accuracy"]["accuracy"] >= 0.7
    capsys.readouterr()
    assert main(["predict", str(run), str(folder / "rose/1.jpg")]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["class"] == "rose"
    assert main(["eval", str(run)]) == 0
    assert "tulip" in capsys.readouterr().out
    (folder / "tulip").rename(folder / "lily")
    assert main(["eval", str(run), "--data", str(folder)]) == 1
    assert "holds the class `lily`, and known are `daisy`, `rose`, `tulip`" in capsys.readouterr().err


@pytest.mark.slow
def test_resnet18_from_the_zoo_learns_flowers(tmp_path):
    folder = drawn.write_flowers(tmp_path / "flowers", 40)
    run = tmp_path / "run"
    told = ["train", str(shipped_folder() / "zoo/resnet18.cfg"), "--data", str(folder), "--run-dir", str(run)]
    assert main([*told, "--set", "image_size=32", "--epochs", "6"]) == 0
    figures = json.loads((run / "result.json").read_text())
    assert figures["test"]["metrics"]["accuracy"]["accuracy"] >= 0.7


def test_a_class_that_is_a_link_to_a_folder_around_it(flowers):
    (flowers / "loop").symlink_to(flowers)
    assert "loop is a link to a folder that it lies in, and no class" in refusal(flowers)


def test_a_file_that_no_source_reads(flowers):
    (flowers / "notes.md").write_text("roses")
    _, (finding,) = netcfg.check(TINY, data=str(flowers / "notes.md"))
    assert "notes.md is a file that no source reads" in finding.message
    assert "[image_list] a csv" in finding.help
