"""Folders as they come: lists with a mistake, masks and clips that cannot be read. One clear finding, or it works."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netcfg.blocks.sources.clip_folder import ClipFolder
from netcfg.blocks.sources.image_list import ImageList
from netcfg.blocks.sources.image_pairs import ImagePairs
from netcfg.cli.main import main
from netcfg.datasets.sources.example_folders import write_clip_folder, write_image_pairs
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError

SPLITS = ("train", "validation", "test")
EVERY = {"validation_share": 0.0, "test_share": 0.0}


def picture(path: Path, size: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(len(str(path)) + size).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(levels).save(path)


def listed(folder: Path, *further: str, name: str = "labels.csv") -> Path:
    """A dozen pictures and their list, with further lines."""
    for number in range(12):
        picture(folder / f"{number}.png")
    rows = [f"{number}.png,{'ab'[number % 2]}" for number in range(12)]
    (folder / name).write_text("\n".join(["path,class", *rows, *further]))
    return folder


def masked_list(folder: Path) -> Path:
    """Pictures with a mask each, by a list."""
    write_image_pairs(folder)
    names = sorted(path.stem for path in (folder / "masks").iterdir())
    endings = {path.stem: path.name for path in (folder / "images").iterdir()}
    rows = [f"images/{endings[name]},masks/{name}.png" for name in names]
    (folder / "all.csv").write_text("\n".join(["path,mask", *rows]))
    return folder


def read_all(source, split="train", fields=("image",)) -> None:
    samples = source.open(split, fields)
    for row in range(len(samples)):
        samples[row]


def refusal(source, split="train", fields=("image",)) -> str:
    with pytest.raises(NetcfgError) as caught:
        read_all(source, split, fields)
    return str(caught.value)


# --- lists


def test_a_list_of_pictures_may_be_called_as_labels_of_clips_are(tmp_path):
    assert source_of(listed(tmp_path)).source.type_name == "image_list"


def test_labels_of_clips_stay_those_of_clips(tmp_path):
    picture(tmp_path / "anna" / "smile" / "1.png")
    (tmp_path / "labels.csv").write_text("clip,frame,AU6\nanna/smile,1,1\n")
    assert source_of(tmp_path).source.type_name == "clips"


@pytest.mark.parametrize("name", ["labels.csv", "mine.csv"])
def test_a_list_without_a_row_is_said(tmp_path, name, capsys):
    picture(tmp_path / "1.png")
    (tmp_path / name).write_text("path,class\n")
    assert main(["data", "show", str(tmp_path)]) == 1
    assert "no row below it" in capsys.readouterr().err


@pytest.mark.parametrize("split", SPLITS)
def test_a_doubled_path_is_refused_though_its_rows_come_into_two_splits(tmp_path, split):
    source = ImageList(path=str(listed(tmp_path, "./3.png,b")))
    assert "line 14: `3.png` stands in line 5 already" in refusal(source, split)


def test_a_row_of_too_few_cells_is_counted_in_words(tmp_path):
    with pytest.raises(NetcfgError, match="line 14: 1 cell, and there are 2 columns"):
        ImageList(path=str(listed(tmp_path, "3.png"))).open("train", ("image",))


# --- masks


def _break(folder: Path) -> str:
    broken = sorted((folder / "masks").iterdir())[2]
    broken.write_bytes(broken.read_bytes()[:60])
    return broken.name


@pytest.mark.parametrize("kind", ["pairs", "list"])
def test_broken_masks_are_left_out_where_broken_pictures_are(tmp_path, kind, capsys):
    folder = masked_list(tmp_path)
    name = _break(folder)
    if kind == "pairs":
        stop, skip = (ImagePairs(path=str(folder), **EVERY, on_error=how) for how in ("stop", "skip"))
    else:
        place = str(folder / "all.csv")
        stop, skip = (ImageList(path=place, **EVERY, on_error=how) for how in ("stop", "skip"))
    assert f"{name} cannot be read as a mask" in refusal(stop, fields=("mask",))
    samples = skip.open("train", ("image", "mask"))
    assert len(samples) == len(stop.open("train", ("image",))) - 1
    assert all(samples[row]["mask"].shape == samples[row]["image"].shape[:2] for row in range(len(samples)))
    assert f"1 mask, `{folder}/masks/{name}`" in capsys.readouterr().err


def test_a_mask_of_a_list_has_the_size_of_its_picture(tmp_path):
    folder = masked_list(tmp_path)
    mask = sorted((folder / "masks").iterdir())[2]
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(mask)
    source = ImageList(path=str(folder / "all.csv"), image_size=16, **EVERY)
    assert f"{mask} is 5×7, and its picture" in refusal(source, fields=("image", "mask"))


def test_data_show_names_a_mask_that_no_training_could_read(tmp_path, capsys):
    write_image_pairs(tmp_path)
    name = _break(tmp_path)
    assert main(["data", "show", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"{name} cannot be read as a mask" in shown
    assert "pixels of `mask`" in shown
    assert "--all" not in shown  # every one was looked at


# --- clips


def clips(folder: Path) -> Path:
    write_clip_folder(folder, ("wave", "jump"))
    return folder


def opened(folder: Path, **options):
    return [ClipFolder(path=str(folder), image_size=16, **options).open(split, ("clip",)) for split in SPLITS]


def test_a_clip_without_frames_does_not_hide_what_the_folder_is(tmp_path):
    folder = clips(tmp_path)
    shutil.rmtree(folder / "wave" / "clip_3")
    (folder / "wave" / "clip_3").mkdir()
    assert source_of(folder).source.type_name == "clip_folder"
    with pytest.raises(NetcfgError, match=r"without a frame: 1 clip of \d+, `wave/clip_3`"):
        opened(folder)


def test_broken_frames_clips_and_videos_are_left_out_where_asked_for(tmp_path, capsys):
    folder = clips(tmp_path)
    before = sum(map(len, opened(folder)))
    shutil.rmtree(folder / "wave" / "clip_3")
    (folder / "wave" / "clip_3").mkdir()
    (folder / "jump" / "clip_99.mp4").write_bytes(b"no video")
    frames = sorted((folder / "jump" / "clip_2").iterdir())
    frames[1].write_bytes(b"no picture")
    found = opened(folder, on_error="skip")
    assert sum(map(len, found)) == before - 1
    lengths = {name: len(samples[row]["clip"]) for samples in found for row, name in enumerate(samples.names)}
    assert lengths["jump/clip_2"] == len(frames) - 1
    said = capsys.readouterr().err
    assert "`wave/clip_3`" in said
    assert "`jump/clip_99`" in said
    assert frames[1].name in said


def test_a_folder_of_which_no_clip_can_be_read_is_refused(tmp_path):
    for label in ("wave", "jump"):
        for number in range(4):
            (tmp_path / label / f"clip_{number}").mkdir(parents=True)
            (tmp_path / label / f"clip_{number}" / "1.png").write_bytes(b"no picture")
    with pytest.raises(NetcfgError, match="no clip of the split can be read"):
        opened(tmp_path, on_error="skip")


def test_too_large_frames_are_refused_as_pictures_are(tmp_path):
    folder = clips(tmp_path)
    picture(folder / "wave" / "clip_0" / "1.jpg", 200)  # noise, so that its file is no small one
    source = ClipFolder(path=str(folder), image_size=16, fold=4, max_pixels=10_000)
    assert "it has 40,000 pixels, more than 10,000" in refusal(source, fields=("clip",))
