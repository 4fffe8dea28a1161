"""Faces before backgrounds: what is known of the original by numbers, and what must hold of any composition."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from golden_rules import assert_record, golden, uniform
from torch.nn import functional

import netcfg
from netcfg.blocks.base import ShapeError
from netcfg.blocks.transforms.composition import OverBackground, PoorPicture
from netcfg.datasets.transforms import composition
from netcfg.datasets.transforms.composition import Motion, as_bytes, sampling_matrix, stretched
from netcfg.source import NetcfgError

SIDE = 148
SPEC = netcfg.blocks.fields.FieldSpec


@pytest.mark.parametrize(
    ("name", "case"), list(zip("ab", golden("feratt_synthesis")["theta_cases"], strict=True))
)
def test_matrices_are_the_originals(name: str, case: dict[str, Any]) -> None:
    u = uniform(f"theta.{name}", 9)
    motion = Motion(
        30 * u[0],
        (0.2 * SIDE * u[1], 0.2 * SIDE * u[2]),
        0.1 * SIDE * np.stack([u[3:6], u[6:9]], 1),
    )
    for found, expected in zip(motion.matrices(SIDE), ("rotation", "translation", "warp"), strict=True):
        np.testing.assert_allclose(found[:2], case[expected], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sampling_matrix(motion, SIDE), case["theta"], atol=1e-6)


def test_normalisation_is_the_originals() -> None:
    expected = golden("feratt_synthesis")["normalisation"]
    image = np.floor((uniform("norm.image", 192) + 1) / 2 * 200 + 20).reshape(8, 8, 3).astype(np.uint8)
    inside = (uniform("norm.mask", 64) > -0.3).reshape(8, 8)
    values = stretched(image, inside, "maximum")
    assert_record(torch.from_numpy(values), expected["values"], 1e-6)
    found = torch.from_numpy(as_bytes(values, "maximum")[inside].astype(np.float64))
    assert_record(found, expected["uint8_inside_mask"], 1e-6)


def face_on_black(side: int = 64) -> np.ndarray[Any, Any]:
    picture = np.zeros((side, side, 3), np.uint8)
    cv2.ellipse(picture, (side // 2, side // 2), (side // 3, side // 2 - 4), 0, 0, 360, (150, 120, 100), -1)
    cv2.rectangle(picture, (side // 3, side // 3), (side // 2, side // 2 - 4), (40, 60, 220), -1)
    return picture


def made(section: OverBackground, seed: int = 3) -> dict[str, Any]:
    fields = {"image": netcfg.blocks.fields.FieldSpec((3, 64, 64), "image")}
    return section.lower(fields)({"image": face_on_black()}, np.random.default_rng(seed))


def section(**options: Any) -> OverBackground:
    return OverBackground.model_validate({"size": 64, "border": 8, **options})


def test_the_face_lies_where_the_mask_says_and_the_matrix_brings_it_back() -> None:
    upright = made(section(rotation=0, shift=0, warp=0, scale=0, flip=0))
    np.testing.assert_allclose(upright["transform"], [1, 0, 0, 0, 1, 0], atol=1e-6)
    sample = made(section(scale=0, flip=0))
    assert sample["image"].shape == sample["target"].shape == (80, 80, 3)
    assert sample["mask"].shape == (80, 80, 1)
    inside = sample["mask"][..., 0] > 0
    assert not sample["target"][~inside].any()
    assert (sample["image"][~inside] > 0).mean() > 0.9, "there is something behind the face"

    grid = functional.affine_grid(
        torch.from_numpy(sample["transform"]).view(1, 2, 3), (1, 1, 80, 80), align_corners=False
    )
    moved = torch.from_numpy(sample["mask"]).movedim(-1, 0)[None] / 255
    back = functional.grid_sample(moved.float(), grid, align_corners=False)[0, 0] > 0.5
    start = upright["mask"][..., 0] > 0
    overlap = (back.numpy() & start).sum() / (back.numpy() | start).sum()
    assert overlap > 0.85


def test_a_face_may_reach_beyond_its_landmarks() -> None:
    points = np.array([[20, 24], [44, 24], [44, 48], [20, 48]], np.float32)
    areas = []
    for margin in (0.0, 0.1):
        still = section(inside="points", margin=margin, rotation=0, shift=0, warp=0, scale=0, flip=0)
        fields = {"image": SPEC((3, 64, 64), "image"), "points": SPEC((4, 2), "landmarks")}
        sample = {"image": face_on_black(), "points": points}
        mask = still.lower(fields)(sample, np.random.default_rng(0))["mask"]
        areas.append(np.sqrt((mask > 0).sum()))
    assert areas[1] - areas[0] == pytest.approx(2 * 0.1 * 64, abs=3)
    with pytest.raises(ShapeError, match="reads no landmarks"):
        section(margin=0.1).fields({"image": SPEC((3, 64, 64), "image")})


@pytest.mark.parametrize("side", [148, 74, 37])
def test_the_cut_is_as_narrow_in_small_pictures(side: int) -> None:
    """FERAtt takes 3 pixels of its 148 off; as many of a picture of 37 would take the brows off a face."""
    inside = np.zeros((side, side), bool)
    inside[side // 4 : -side // 4, side // 4 : -side // 4] = True
    taken = (inside.sum(1).max() - composition.cleaned(inside).sum(1).max()) / 2
    assert taken == round(3 * side / 148)


def test_a_face_may_be_told_by_another_field_and_keep_its_colours() -> None:
    whole = np.full((64, 64, 3), 90, np.uint8)
    inside = np.zeros((64, 64, 1), np.uint8)
    inside[16:48, 16:48] = 255
    spec = netcfg.blocks.fields.FieldSpec
    fields = {"image": spec((3, 64, 64), "image"), "face": spec((1, 64, 64), "image")}
    transform = section(
        inside="face", colour=True, stretch="none", relight=False, rotation=0, shift=0, warp=0
    )
    sample = transform.lower(fields)({"image": whole, "face": inside}, np.random.default_rng(0))
    assert 0.05 < (sample["mask"] > 0).mean() < 0.25
    assert set(np.unique(sample["target"])) <= {0, 90}
    assert transform.reads(["mask"]) == ("image", "face")


def test_splits_that_are_left_alone_have_the_same_fields() -> None:
    transform = section(when="train")
    plain = transform.bypass({})
    assert plain is not None
    sample = plain({"image": face_on_black(100)}, np.random.default_rng(0))
    drawn = made(transform)
    assert {name: value.shape for name, value in sample.items()} == {
        name: value.shape for name, value in drawn.items()
    }
    np.testing.assert_array_equal(sample["transform"], np.array([1, 0, 0, 0, 1, 0], np.float32))


def test_backgrounds_come_from_a_folder(tmp_path: Path) -> None:
    for number, value in enumerate((20, 200)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((90, 120, 3), value, np.uint8))
    options = {"backgrounds": str(tmp_path), "stretch": "none"}
    shown = {int(made(section(**options), seed)["image"][0, 0, 0]) for seed in range(12)}
    assert shown == {20, 200}
    assert {int(made(section(**options, skip_first=True), seed)["image"][0, 0, 0]) for seed in range(8)} == {
        200
    }


def test_an_empty_folder_of_backgrounds_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="holds no pictures"):
        made(section(backgrounds=str(tmp_path)))
    with pytest.raises(NetcfgError, match="there is no folder"):
        made(section(backgrounds=str(tmp_path / "none")))
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(NetcfgError, match="its first is left out"):
        made(section(backgrounds=str(tmp_path), skip_first=True))


def test_it_composes_any_source() -> None:
    """A program whose losses read the new fields."""
    text = Path(__file__).with_name("over_background.cfg").read_text()
    program = netcfg.load(text)
    assert program.data is not None
    from netcfg.datasets.pipeline import Pipeline

    pipeline = Pipeline(program.data, "train", 4)
    batch = pipeline.finish(next(iter(pipeline.epoch())))
    assert batch["image"].shape == batch["target"].shape == (4, 3, 32, 32)
    assert set(batch["mask"].unique().tolist()) <= {0.0, 1.0}
    again = pipeline.finish(next(iter(pipeline.epoch())))
    torch.testing.assert_close(batch["image"], again["image"])


def test_poor_pictures_keep_their_size() -> None:
    picture = face_on_black(40)
    poor = PoorPicture(size=20, equalise=1, noise=1).lower(
        {"image": netcfg.blocks.fields.FieldSpec((3, 40, 40), "image")}
    )
    found = pickle.loads(pickle.dumps(poor))({"image": picture}, np.random.default_rng(0))["image"]
    assert found.shape == picture.shape
    assert found.dtype == np.uint8
    assert (found != picture).any()
    assert isinstance(poor, composition.PoorPicture)
