"""Labels and pictures: the numbers of both are read in one way for a whole folder, or refused."""

from __future__ import annotations

from pathlib import Path

import face_trees as trees
import numpy as np
import pytest

import netcfg
from netcfg.blocks.sources.audetnet_folder import AudetnetFolder
from netcfg.blocks.sources.clips import Clips
from netcfg.blocks.sources.disfa import Disfa
from netcfg.cli.main import main
from netcfg.datasets.pictures import notes
from netcfg.datasets.samples.label_files import read_labels
from netcfg.datasets.samples.pairing import Numbers, Pairing, expect_fit
from netcfg.source import NetcfgError

PEOPLE = ("SN001", "SN003", "SN004", "SN005", "SN006", "SN007")


@pytest.fixture(autouse=True)
def _said():
    notes._SAID.clear()


def write_disfa(
    root: Path, first: int, pattern: str = "%d.png", frames: int = 6, left_out: tuple[int, ...] = ()
):
    """Labels count from 1; the frame with an intensity of 3 is bright."""
    for subject in PEOPLE:
        labels = root / "ActionUnit_Labels" / subject
        labels.mkdir(parents=True)
        rows = "".join(f"{frame},{frame % 2 * 3}\n" for frame in range(1, frames + 1))
        for unit in trees.DISFA_AUS:
            (labels / f"{subject}_au{unit}.txt").write_text(rows)
        for frame in range(frames):
            if frame in left_out:
                continue
            level = 200 if (frame + 1) % 2 else 20
            path = root / "Videos_LeftCamera" / f"LeftVideo{subject}_comp" / (pattern % (frame + first))
            trees.write(path, np.full((32, 32, 3), level, np.uint8))
    return root


def opened(root: Path, **options):
    source = Disfa(path=str(root), image_size=32, validation_subjects=2, crop="none", **options)
    return source.open("train", ("image", "labels"))


def test_pictures_from_zero_are_refused_with_the_option_that_reads_them(tmp_path):
    write_disfa(tmp_path, 0)
    message = (
        r"pictures count from 0, labels from 1; by number 30 of 36 .* with `first_frame = 0` all\n"
        "help: write `first_frame = 0`"
    )
    for missing in ("stop", "skip", "black"):
        with pytest.raises(NetcfgError, match=message):
            opened(tmp_path, missing=missing)


def test_with_the_option_every_frame_has_its_own_label(tmp_path):
    samples = opened(write_disfa(tmp_path, 0), first_frame=0)
    assert len(samples) == 18
    for index in range(18):
        sample = samples[index]
        assert (sample["image"].mean() > 100) == (sample["labels"][0] == 1)


def test_a_reading_that_is_written_is_obeyed(tmp_path):
    with pytest.raises(NetcfgError, match="without a picture: 3 of 18 frames, `SN003_6`"):
        opened(write_disfa(tmp_path, 0), first_frame=1)


@pytest.mark.parametrize(("first", "option"), [(0, "first_frame"), (5, "first_frame")])
def test_other_beginnings_are_read_too(tmp_path, first, option):
    write_disfa(tmp_path, first)
    with pytest.raises(NetcfgError, match=f"`{option} = {first}` all"):
        opened(tmp_path)
    samples = opened(tmp_path, **{option: first})
    assert samples[0]["image"].mean() > 100
    assert samples.table.ids[0] == "SN003_1"


def test_lost_frames_do_not_hide_a_shift(tmp_path):
    write_disfa(tmp_path, 0, left_out=(3,))
    with pytest.raises(NetcfgError, match=r"by number 24 of 36 .* with `first_frame = 0` 30\n"):
        opened(tmp_path, missing="skip")
    assert len(opened(tmp_path, missing="skip", first_frame=0)) == 15


def test_a_frame_that_is_lost_is_only_that(tmp_path):
    write_disfa(tmp_path, 1, left_out=(3,))
    with pytest.raises(NetcfgError, match="without a picture: 3 of 18 frames, `SN003_4`"):
        opened(tmp_path)
    assert len(opened(tmp_path, missing="skip")) == 15


def test_numbers_with_gaps_are_paired_by_order_where_there_are_as_many(tmp_path):
    for subject in PEOPLE:
        write_one_clip(tmp_path, subject, [10, 20, 40, 80])
    rows = [f"{subject}/c,{frame},{frame % 2}" for subject in PEOPLE for frame in range(1, 5)]
    (tmp_path / "labels.csv").write_text("\n".join(["clip,frame,AU1", *rows]))
    options = {
        "path": str(tmp_path),
        "labels": str(tmp_path / "labels.csv"),
        "action_units": ("1",),
        "image_size": 32,
    }
    with pytest.raises(NetcfgError, match="with `pair_by = order` all"):
        Clips(**options, missing="skip").open("train", ("image", "labels"))
    samples = Clips(**options, pair_by="order").open("train", ("image", "labels"))
    assert [int(samples[index]["image"][0, 0, 0]) for index in range(4)] == [10, 20, 40, 80]
    trees.write(tmp_path / "SN003/c/90.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(NetcfgError, match="5 pictures for 4 labels, which `pair_by = order` cannot pair"):
        Clips(**options, pair_by="order").open("train", ("image", "labels"))


def write_one_clip(root: Path, subject: str, numbers: list[int]) -> None:
    for number in numbers:
        trees.write(root / subject / "c" / f"f{number:03d}.png", np.full((32, 32, 3), number, np.uint8))


def test_labels_from_zero_are_read_too(tmp_path):
    for subject in PEOPLE:
        write_one_clip(tmp_path, subject, [1, 2, 3])
    rows = [f"{subject}/c,{frame},0" for subject in PEOPLE for frame in range(3)]
    (tmp_path / "labels.csv").write_text("\n".join(["clip,frame,AU1", *rows]))
    options = {
        "path": str(tmp_path),
        "labels": str(tmp_path / "labels.csv"),
        "action_units": ("1",),
        "image_size": 32,
    }
    with pytest.raises(
        NetcfgError, match="pictures count from 1, labels from 0.* with `first_label = 0` all"
    ):
        Clips(**options).open("train", ("image",))
    samples = Clips(**options, first_label=0).open("train", ("image",))
    assert [int(samples[index]["image"][0, 0, 0]) for index in range(3)] == [1, 2, 3]


def test_a_picture_without_a_number_is_no_frame(tmp_path, capsys):
    write_disfa(tmp_path, 1)
    for subject in PEOPLE:
        trees.write(
            tmp_path / f"Videos_LeftCamera/LeftVideo{subject}_comp/cover.png",
            np.full((32, 32, 3), 9, np.uint8),
        )
    samples = opened(tmp_path)
    assert samples[0]["image"].mean() > 100
    assert "as their names have no number: `cover.png`" in capsys.readouterr().err


def test_more_pictures_than_labels_of_two_readings_are_said(tmp_path, capsys):
    for subject in PEOPLE:
        write_one_clip(tmp_path, subject, [0, 1, 2, 3])
    rows = [f"{subject}/c,{frame},0" for subject in PEOPLE for frame in range(1, 4)]
    (tmp_path / "labels.csv").write_text("\n".join(["clip,frame,AU1", *rows]))
    options = {
        "path": str(tmp_path),
        "labels": str(tmp_path / "labels.csv"),
        "action_units": ("1",),
        "image_size": 32,
    }
    samples = Clips(**options).open("train", ("image",))
    assert int(samples[0]["image"][0, 0, 0]) == 1
    assert "equal numbers are paired\nhelp: `first_frame = 0`" in capsys.readouterr().err


def test_flow_pictures_are_numbered_as_the_frames(tmp_path):
    write_disfa(tmp_path / "data", 0)
    for subject in PEOPLE:
        for frame in range(6):
            trees.write(
                tmp_path / "flow" / subject / f"{frame}.png", np.full((32, 32, 3), 10 * frame, np.uint8)
            )
    source = Disfa(
        path=str(tmp_path / "data"), image_size=32, validation_subjects=2, crop="none", first_frame=0,
        flow=str(tmp_path / "flow"),
    )  # fmt: skip
    samples = source.open("train", ("image", "flow"))
    assert [int(samples[index]["flow"][0, 0, 0]) for index in range(6)] == [0, 10, 20, 30, 40, 50]


def test_a_folder_that_is_written_from_a_database_is_paired_too(tmp_path, capsys):
    write_disfa(tmp_path / "d", 0)
    command = ["data", "make", "audetnet", str(tmp_path / "out"), "--from", "disfa", str(tmp_path / "d")]
    assert main(command) == 1
    assert "`first_frame = 0` all" in capsys.readouterr().err
    assert main([*command, "--first-frame", "0", "--image-size", "32"]) == 0
    labels = read_labels(tmp_path / "out/aus_dict.pkl")
    assert len(labels.ids) == 36
    picture = netcfg_picture(tmp_path / "out/imgs/SN001_1.jpg")
    assert picture.mean() > 100
    assert labels.values[labels.rows["SN001_1"]].max() == 3


def netcfg_picture(path):
    from netcfg.datasets.pictures.reading import expect_picture

    return expect_picture(path)


def test_options_that_say_nothing_together_are_refused():
    text = (
        "{Data}\n[disfa]\npath = x\npair_by = order\nfirst_frame = 0\n{N}\n[net]\nchannels = 3\n[identity]\n"
    )
    _, findings = netcfg.check(text)
    assert [finding.code for finding in findings] == ["NC105"]
    assert "pairs by order" in findings[0].message


def test_clips_that_disagree_are_read_by_what_fits_most():
    place = Path("clip")
    mixed = [
        Numbers(frozenset({1, 2, 3}), frozenset({0, 1, 2}), place),
        Numbers(frozenset({1, 2}), frozenset({0, 1}), place),
        Numbers(frozenset({1, 2}), frozenset({1, 2, 3}), place),
    ]
    with pytest.raises(
        NetcfgError, match=r"by number 5 of 7 labelled frames have a picture, with `first_frame = 0` 6"
    ):
        expect_fit(Pairing(), mixed)
    expect_fit(Pairing(first_frame=1), mixed)
    expect_fit(Pairing(), [])


def test_ids_of_audetnets_folder_are_paired_with_pictures_in_the_same_way(tmp_path):
    main(["data", "make", "audetnet", str(tmp_path), "--image-size", "32"])
    for path in sorted((tmp_path / "imgs").iterdir()):
        clip, _, number = path.stem.rpartition("_")
        path.rename(path.with_name(f"{clip}_{int(number) - 1}.jpg"))
    source = AudetnetFolder(path=str(tmp_path), missing="skip")
    with pytest.raises(NetcfgError, match=r"by number 9 of 12 .* with `first_frame = 0` all"):
        source.open("train", ("image",))
    shifted = source.model_copy(update={"first_frame": 0, "missing": "stop"}).open("train", ("image",))
    assert len(shifted) == 8
    first = netcfg_picture(tmp_path / "imgs" / f"{shifted.table.ids[0].rpartition('_')[0]}_0.jpg")
    assert (shifted[0]["image"] == first).all()
