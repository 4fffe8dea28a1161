"""FFHQ's alignment by 68 points, and points in files beside pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_rules import golden
from PIL import Image

import netcfg
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.sources.image_list import ImageList
from netcfg.blocks.transforms.align_face import AlignFace
from netcfg.datasets.pictures.face_crop import read_landmarks
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms.align_face import AlignSample, ffhq_matrix
from netcfg.source import NetcfgError

POINTS = np.array(golden("fgnet_heatmaps")["landmarks_xy"], np.float32)


def corners(points: np.ndarray) -> np.ndarray:
    """FFHQ's square, written out: its corners left above, left below, right below, right above."""
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    mouth = (points[48] + points[54]) / 2
    eyes = (left + right) / 2
    down = mouth - eyes
    x = (right - left) - np.array([-down[1], down[0]])
    x = x / np.linalg.norm(x) * max(2 * np.linalg.norm(right - left), 1.8 * np.linalg.norm(down))
    y = np.array([-x[1], x[0]])
    middle = eyes + 0.1 * down
    return np.stack([middle - x - y, middle - x + y, middle + x + y, middle + x - y])


def turned(degrees: float, scale: float = 1.0) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((POINTS - 128) @ turn.T * scale + 128).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 20, -65])
def test_the_square_is_that_of_ffhq(degrees: float) -> None:
    """Its corners go to those of the result, half a pixel beyond the middles of its outer pixels."""
    points = turned(degrees)
    matrix = ffhq_matrix(points, 64)
    made = corners(points.astype(float)) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(made, [[-0.5, -0.5], [-0.5, 63.5], [63.5, 63.5], [63.5, -0.5]], atol=1e-9)


def test_a_face_lies_in_one_place_however_it_was_turned() -> None:
    aligned = [
        points @ matrix[:, :2].T + matrix[:, 2]
        for points in (turned(0), turned(30), turned(-50, 0.6))
        for matrix in [ffhq_matrix(points, 256)]
    ]
    np.testing.assert_allclose(aligned[1], aligned[0], atol=1e-3)
    np.testing.assert_allclose(aligned[2], aligned[0], atol=1e-3)


@pytest.mark.parametrize("size", [512, 128, 40])
def test_pictures_and_points_move_together(size: int) -> None:
    """A white spot at a point is where the point goes, in larger and in much smaller pictures."""
    points = turned(25)
    picture = np.zeros((256, 256, 3), np.uint8)
    x, y = np.rint(points[30]).astype(int)
    points[30] = x, y
    picture[y - 6 : y + 7, x - 6 : x + 7] = 255
    step = AlignSample("image", "landmarks", ("image",), ("mask",), size, 1.0)
    sample = {"image": picture, "landmarks": points, "mask": (picture[..., 0] > 0).astype(np.uint8)}
    made = step(sample, np.random.default_rng(0))
    assert made["image"].shape == (size, size, 3)
    for shown in (made["image"][..., 0].astype(float), made["mask"].astype(float)):
        rows, columns = np.indices(shown.shape)
        middle = (columns * shown).sum() / shown.sum(), (rows * shown).sum() / shown.sum()
        np.testing.assert_allclose(middle, made["landmarks"][30], atol=0.5)


def fields_of(points: int = 68, **more: FieldSpec) -> dict[str, FieldSpec]:
    own = {"image": FieldSpec((3, "h", "w"), "image"), "landmarks": FieldSpec((points, 2), "landmarks")}
    return own | more  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        (fields_of(49), {}, "aligns a face by its 68 points, and `landmarks` is 49×2"),
        (fields_of(66), {}, "aligns a face by its 68 points, and `landmarks` is 66×2"),
        (fields_of(), {"points": "eyes"}, "reads points of a face from `eyes`, which the data do not have"),
        (fields_of(), {"input": "landmarks"}, "reads pictures from `landmarks`, which holds no pictures"),
    ],
)
def test_what_has_no_such_face_is_refused(
    fields: dict[str, FieldSpec], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ShapeError) as error:
        AlignFace(**options).fields(fields)
    assert message in str(error.value)
    assert error.value.help


PROGRAM = """{{General}}
[training]
batch_size = 2

{{Data}}
[image_list]
path = {folder}
train_list = train.csv
test_list = test.csv
landmark_files = aligned_images, aligned_landmarks
{more}

[align_face]
size = 64

[heatmaps]
size = 32
sigma = 5

{{Net}}
[net]
channels = 3
height = 64
width = 64

[convolutional]
filters = 2
kernel_size = 3
stride = 2
pad = 1

{{Loss}}
[mse]
input = Net
target = heatmaps

{{Optimizer}}
[adam]
networks = Net
minimise = mse
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """FG-Net's layout: lists with an index column of no name, pictures and points of the same paths."""
    for part in ("aligned_images", "aligned_landmarks"):
        (tmp_path / "BP4D" / part / "F001" / "T1").mkdir(parents=True)
    rows = []
    for number in range(1, 9):
        name = f"F001/T1/{number:05d}"
        picture = np.full((256, 256 + number, 3), 20 * number, np.uint8)
        Image.fromarray(picture).save(tmp_path / "BP4D" / "aligned_images" / f"{name}.jpg")
        np.save(tmp_path / "BP4D" / "aligned_landmarks" / f"{name}.npy", turned(3 * number))
        rows.append(f"{number - 1},BP4D/aligned_images/{name}.jpg,{number % 2},{number // 4 % 2}")
    for name, part in (("train", rows[:6]), ("test", rows[6:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([",image_path,au1,au12", *part, ""]))
    return tmp_path


def test_the_originals_lists_train_with_points_in_files(folder: Path) -> None:
    data = netcfg.load(PROGRAM.format(folder=folder, more="")).data
    assert data is not None
    assert data.fields["labels"].names == ("AU1", "AU12")
    pipeline = Pipeline(data, "train", 2)
    batch = pipeline.finish(next(iter(pipeline.epoch())))
    assert batch["image"].shape == (2, 3, 64, 64)
    assert batch["heatmaps"].shape == (2, 2, 32, 32)
    # However each face was turned, it lies in one place now.
    np.testing.assert_allclose(batch["landmarks"][0], batch["landmarks"][1], atol=1e-3)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS[:49], "00001.npy has 49 points, and 68 are needed"),
        (POINTS + 400, "the middle of its `landmarks` is"),
        (np.array([{"a": 1}], object), "00001.npy holds no landmarks that netcfg can read"),
        (None, "there are no points"),
    ],
)
def test_points_that_cannot_be_are_told_with_their_file(folder: Path, points: Any, message: str) -> None:
    file = folder / "BP4D" / "aligned_landmarks" / "F001" / "T1" / "00001.npy"
    file.unlink()
    if points is not None:
        np.save(file, points, allow_pickle=True)
    pipeline = Pipeline(netcfg.load(PROGRAM.format(folder=folder, more="")).data, "train", 8)
    with pytest.raises(NetcfgError) as error:
        next(iter(pipeline.epoch()))
    assert message in str(error.value)
    assert "00001" in str(error.value)
    assert "help:" in str(error.value) or "no landmarks" in message


def test_a_folder_that_is_not_in_the_path_is_told(folder: Path) -> None:
    text = PROGRAM.format(folder=folder, more="").replace("aligned_images, aligned", "pictures, aligned")
    with pytest.raises(NetcfgError, match=r"looks for the folder `pictures`, which is not in the path"):
        Pipeline(netcfg.load(text).data, "train", 2)


def test_landmarks_of_numpy_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    np.testing.assert_allclose(read_landmarks(tmp_path / "a.npy"), POINTS)


def test_nobody_is_in_two_splits_who_lies_in_one_folder(tmp_path: Path) -> None:
    rows = []
    for subject in range(6):
        for number in range(4):
            path = tmp_path / "BP4D" / "aligned_images" / f"F{subject:03d}" / "T1" / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 32), (40 * subject, 9, 9)).save(path)
            rows.append(f"{path.relative_to(tmp_path)},{number % 2}")
    (tmp_path / "train.csv").write_text("\n".join(["image_path,au1", *rows[:20], ""]))
    (tmp_path / "test.csv").write_text("\n".join(["image_path,au1", *rows[20:], ""]))
    source = ImageList(path=str(tmp_path), image_size=32, group_below="aligned_images", validation_share=0.4)
    splits = {split: source.open(split, ("labels",)).table.ids for split in ("train", "validation")}
    people = {split: {name.split("/")[2] for name in ids} for split, ids in splits.items()}
    assert not people["train"] & people["validation"]
    assert len(people["validation"]) == 2
    wrong = ImageList(path=str(tmp_path), image_size=32, group_below="pictures")
    with pytest.raises(NetcfgError, match="lies in no folder below `pictures`, which `group_below` names"):
        wrong.open("train", ("labels",))
