"""`netcfg data show` of pictures: sizes, mean, what stands in two splits, and a sheet with labels drawn in."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import drawn_flowers as drawn
import numpy as np
import pytest

from netcfg.blocks.sources.image_folder import ImageFolder
from netcfg.cli.main import main
from netcfg.datasets.examining import examine
from netcfg.datasets.pictures.drawn_labels import class_colour, with_mask, with_points
from netcfg.datasets.sources.example_folders import write_image_pairs

SPLITS = ("train", "validation", "test")


@pytest.fixture
def flowers(tmp_path) -> Path:
    for place, split in enumerate(("train", "val", "test")):
        drawn.write_flowers(tmp_path / "flowers" / split, 5, seed=place)
    return tmp_path / "flowers"


def opened(folder: Path) -> dict:
    source = ImageFolder(path=str(folder))
    return {split: source.open(split, ("image",)) for split in SPLITS}


def test_sizes_are_told_and_mean_and_deviation_of_pictures_that_count_alike(flowers):
    found = examine(opened(flowers))
    pictures = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in flowers.rglob("*.jpg")]
    pixels = [picture.reshape(-1, 3) / 255 for picture in pictures]
    mean = np.mean([own.mean(axis=0) for own in pixels], axis=0)
    squares = np.mean([(own**2).mean(axis=0) for own in pixels], axis=0)
    assert (found.opened, found.of) == (45, 45)
    assert np.allclose(found.mean, mean)
    assert np.allclose(found.std, np.sqrt(squares - mean**2))
    assert sorted(map(tuple, found.sizes.tolist())) == sorted(picture.shape[:2] for picture in pictures)


def test_equal_files_are_found_across_splits_and_not_within_one(flowers):
    assert examine(opened(flowers)).equal.count == 0
    shutil.copy(flowers / "train/rose/1.jpg", flowers / "train/rose/9.jpg")
    assert examine(opened(flowers)).equal.count == 0
    shutil.copy(flowers / "train/rose/2.jpg", flowers / "test/tulip/9.jpg")
    found = opened(flowers)
    ((one, other),) = examine(found).equal.pairs
    assert {found[split].table.ids[index] for split, index in (one, other)} == {"rose/2.jpg", "tulip/9.jpg"}


def test_a_picture_that_was_only_written_anew_is_nearly_the_same(flowers):
    picture = cv2.imread(str(flowers / "train/daisy/3.jpg"))
    assert examine(opened(flowers)).near.count == 0
    cv2.imwrite(str(flowers / "val/daisy/9.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 60])
    cv2.imwrite(str(flowers / "test/daisy/9.png"), cv2.resize(picture, None, fx=1.3, fy=1.3))
    found = opened(flowers)
    pairs = {
        frozenset(found[split].table.ids[index] + " " + split for split, index in pair)
        for pair in examine(found).near.pairs
    }
    assert frozenset(("daisy/3.jpg train", "daisy/9.jpg validation")) in pairs
    assert frozenset(("daisy/3.jpg train", "daisy/9.png test")) in pairs
    assert len(pairs) == 3


def test_pictures_that_show_nothing_are_no_twins(flowers):
    for split in ("train", "test"):
        cv2.imwrite(str(flowers / split / "rose/white.png"), np.full((30, 30 + len(split), 3), 255, np.uint8))
    assert examine(opened(flowers)).near.count == 0


def test_show_tells_classes_sizes_twins_and_what_cannot_be_read(flowers, capsys):
    shutil.copy(flowers / "train/rose/2.jpg", flowers / "test/rose/9.jpg")
    (flowers / "test/rose/1.jpg").write_bytes(b"no picture")
    assert main(["data", "show", str(flowers)]) == 0
    out = capsys.readouterr().out
    assert "tulip │ 5 (33%)" in out
    assert "46 pictures: " in out
    assert "mean = 0." in out
    assert "rose/1.jpg of test: " in out
    assert (
        "1 pair of pictures the same, byte for byte, in two splits: rose/2.jpg (train) and rose/9.jpg (test)"
        in out
    )


def test_show_of_a_file_of_data_and_of_all_pictures(tmp_path, capsys):
    drawn.write_flowers(tmp_path / "all", 4)
    names = [f"{kind}/{n}.jpg" for kind in drawn.FLOWERS for n in range(1, 5)]
    lines = [
        "file,kind,size",
        *(f"{name},{name.partition('/')[0]},{'' if '1' in name else 3}" for name in names),
    ]
    (tmp_path / "flowers.csv").write_text("\n".join(lines))
    assert main(["data", "show", str(tmp_path / "flowers.csv"), "--all"]) == 0
    out = capsys.readouterr().out
    assert "[image_list]" in out
    assert "12 pictures: " in out
    assert "`size` is not known of" in out


def test_the_sheet_shows_masks_before_and_after_augmentation(tmp_path, capsys):
    write_image_pairs(tmp_path / "pairs")
    file = tmp_path / "net.cfg"
    file.write_text(
        f"{{Data}}\n[image_pairs]\npath = {tmp_path / 'pairs'}\nimage_size = 48\nclasses = 3\n"
        "[horizontal_flip]\nprobability = 1\n[normalise]\nmean = 0.5\n"
        "{N}\n[net]\nchannels = 3\nheight = 48\nwidth = 48\n[convolutional]\nfilters = 3\nkernel_size = 1\n"
        "{Loss}\n[cross_entropy]\ninput = N\ntarget = mask\n"
        "{Optimizer}\n[sgd]\nnetworks = N\nminimise = cross_entropy\n"
    )
    sheet = tmp_path / "sheet.png"
    assert main(["data", "show", str(file), "-o", str(sheet), "--count", "1", "--augmented"]) == 0
    assert "1 of 8 train samples, each before and after augmentation" in capsys.readouterr().out
    shown = cv2.imread(str(sheet))[4:44, 4:164].astype(int)  # picture, mask, both mirrored; 40 pixels each
    assert np.abs(shown[:, :40][:, ::-1] - shown[:, 80:120]).mean() < 12
    assert np.abs(shown[:, 40:80][:, ::-1] - shown[:, 120:160]).mean() < 12
    assert np.abs(shown[:, :40] - shown[:, 40:80]).mean() > 12


def test_show_tells_how_much_each_class_of_a_mask_takes_and_which_number_is_none(tmp_path, capsys):
    mask = np.zeros((10, 20), np.uint8)
    mask[:, 10:] = 1
    mask[0, :10] = 255
    for number in range(8):
        for kind, picture in (("images", np.full((10, 20, 3), 9 * number, np.uint8)), ("masks", mask)):
            (tmp_path / kind).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / kind / f"{number}.png"), picture)
    assert main(["data", "show", str(tmp_path)]) == 0
    assert (
        "pixels of `mask`: class0 45.0%, class1 50.0%, no class 5.0% (of 6 masks" in capsys.readouterr().out
    )
    (tmp_path / "net.cfg").write_text(
        f"{{Data}}\n[image_pairs]\npath = {tmp_path}\nclasses = a, b\nignore = 7\n"
        "{N}\n[net]\nchannels = 3\n[global_avgpool]\n"
    )
    assert main(["data", "show", str(tmp_path / "net.cfg")]) == 0
    assert "holds the number 255 (10 pixels), which is no class" in capsys.readouterr().out


def test_masks_and_points_are_drawn_where_they_are():
    picture = np.full((8, 8, 3), 100, np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    mask[2:4, 2:4] = 1
    mask[6] = 255
    drawn_in = with_mask(picture, mask, 255)
    assert (drawn_in[0, 0] == 100).all()
    assert (drawn_in[2, 2] == (np.array(class_colour(1)) * 0.6 + 40).round()).all()
    assert set(np.unique(drawn_in[6]).tolist()) == {100, 255}
    assert [class_colour(number) for number in range(4)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
    ]
    dotted = with_points(picture, np.array([[2.0, 5.0]]))
    rows, columns = np.nonzero((dotted != 100).any(axis=2))
    assert abs(rows.mean() / 12 - 5.5) < 0.2
    assert abs(columns.mean() / 12 - 2.5) < 0.2


def test_the_sheet_shows_grey_pictures_beside_coloured_ones(tmp_path, capsys):
    file = tmp_path / "net.cfg"
    file.write_text(
        "{Data}\n[synthetic_faces]\nsubjects = 4\nclips = 1\nimage_size = 48\n"
        "[over_background]\nsize = 40\nborder = 2\n"
        "{N}\n[net]\ninputs = data.image\n[convolutional]\nfilters = 1\nkernel_size = 1\n"
        "{Loss}\n[mse]\ninput = N\ntarget = mask\n{Optimizer}\n[sgd]\nnetworks = N\nminimise = mse\n"
    )
    sheet = tmp_path / "sheet.png"
    assert main(["data", "show", str(file), "-o", str(sheet), "--count", "1", "--augmented"]) == 0, (
        capsys.readouterr()
    )
    shown = cv2.imread(str(sheet)).astype(int)
    # The last picture of the row is the face's mask: grey, black and white.
    right = shown[4:44, -44:-4]
    assert (right.max(axis=2) - right.min(axis=2)).max() <= 12
    assert right.min() < 40
    assert right.max() > 200
