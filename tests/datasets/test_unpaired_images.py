"""`[unpaired_images]`: two kinds of pictures, of which no one belongs to another."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import netcfg
from netcfg.blocks.sources.unpaired_images import UnpairedImages
from netcfg.datasets.pipeline import Pipeline
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError


def write(folder: Path, count: int, first: int) -> None:
    """Pictures of 16 pixels whose level is their number, from `first`."""
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((16, 16, 3), first + number, np.uint8))


@pytest.fixture
def cyclegan(tmp_path) -> Path:
    for name, count, first in (("trainA", 6, 0), ("trainB", 9, 100), ("testA", 2, 50), ("testB", 3, 150)):
        write(tmp_path / name, count, first)
    return tmp_path


def levels(folder: Path, split: str, epochs: int, **options: object) -> list[list[tuple[int, int]]]:
    """The pairs of each epoch, as levels."""
    text = f"{{Data}}\n[unpaired_images]\npath = {folder}\nimage_size = 16\n"
    text += "".join(f"{key} = {value}\n" for key, value in options.items())
    text += "{N}\n[net]\n[input]\nname = image\nchannels = 3\nheight = 16\nwidth = 16\n"
    text += "[input]\nname = other\nchannels = 3\nheight = 16\nwidth = 16\n"
    text += "[combine_add]\ncombine_layers = image, other\n"
    pipeline = Pipeline(netcfg.load(text).data, split, 4)
    shown = []
    for epoch in range(epochs):
        pairs = []
        for batch in pipeline.epoch(epoch):
            one, other = (batch.fields[name][:, 0, 0, 0].tolist() for name in ("image", "other"))
            pairs += list(zip(one, other, strict=True))
        shown.append(pairs)
    return shown


def test_in_training_each_picture_meets_another_one_in_each_epoch(cyclegan):
    assert source_of(cyclegan).source is UnpairedImages
    first, second = levels(cyclegan, "train", 2, validation_share=0)
    assert [one for one, _ in first] == [one for one, _ in second] == list(range(6))
    assert {other for _, other in first + second} <= set(range(100, 109))
    assert first != second
    assert levels(cyclegan, "train", 2, validation_share=0) == [first, second]


def test_evaluation_takes_them_by_turns(cyclegan):
    assert levels(cyclegan, "test", 2) == [[(50, 150), (51, 151)]] * 2


def test_without_folders_of_splits_each_kind_is_dealt(tmp_path):
    write(tmp_path / "A", 10, 0)
    write(tmp_path / "B", 20, 100)
    source = UnpairedImages(path=str(tmp_path), test_share=0.2, validation_share=0.1)
    found = {split: source.open(split, ("image", "other")) for split in ("train", "validation", "test")}
    assert [len(samples) for samples in found.values()] == [7, 1, 2]
    assert [len(samples.second) for samples in found.values()] == [14, 2, 4]
    others = [set(samples.second.table.ids) for samples in found.values()]
    assert len(set.union(*others)) == 20


def test_a_kind_without_pictures_is_named(tmp_path):
    write(tmp_path / "trainA", 4, 0)
    (tmp_path / "trainB").mkdir()
    with pytest.raises(NetcfgError, match="trainB holds no picture for the train split"):
        UnpairedImages(path=str(tmp_path)).open("train", ("image",))
    (tmp_path / "trainB").rmdir()
    with pytest.raises(NetcfgError, match="holds no folder `trainB` or `B`"):
        UnpairedImages(path=str(tmp_path)).open("train", ("image",))


def listed(folder: Path, **lists: str) -> Path:
    write(folder / "A", 4, 0)
    write(folder / "B", 5, 100)
    for name, text in lists.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


LISTS = {"train_list": "train.txt", "test_list": "test.txt"}


def test_lists_name_pictures_of_both_kinds(tmp_path):
    folder = listed(
        tmp_path, train="A/0.png\nA/1.png\nB/0.png\nB/1.png\n", test="A/2.png\nA/3\nB/3.png\nB/4.png\n"
    )
    assert levels(folder, "test", 1, **LISTS) == [[(2, 103), (3, 104)]]
    (shown,) = levels(folder, "train", 1, validation_share=0, **LISTS)
    assert [one for one, _ in shown] == [0, 1]
    assert {other for _, other in shown} <= {100, 101}


def test_a_list_that_names_no_picture_of_one_kind_is_refused(tmp_path):
    folder = listed(tmp_path, train="A/0.png\nB/0.png\n", test="A/2.png\n")
    with pytest.raises(NetcfgError, match="holds no picture for the test split"):
        UnpairedImages(path=str(folder), **LISTS).open("test", ("image", "other"))


def test_lists_beside_folders_of_splits_are_refused(cyclegan):
    (cyclegan / "train.txt").write_text("0.png\n")
    (cyclegan / "test.txt").write_text("1.png\n")
    with pytest.raises(NetcfgError, match="holds folders of splits, and there are lists of them"):
        UnpairedImages(path=str(cyclegan), **LISTS).open("test", ("image", "other"))
