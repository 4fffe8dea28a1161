"""Pictures that were decoded once are read from disk by later epochs and runs; the cache keeps to its limit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import netcfg
from netcfg.datasets.flow.cache import FlowCache
from netcfg.datasets.pictures.cache_limit import VARIABLE, make_room
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.samples import memory, table_samples
from netcfg.datasets.sources import beside
from netcfg.datasets.sources.example_folders import write_image_pairs
from netcfg.source import NetcfgError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "cache"
    monkeypatch.setenv("NETCFG_CACHE", str(place))
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    place = tmp_path / "pictures"
    for name in ("daisy", "rose"):
        (place / name).mkdir(parents=True)
        for number in range(6):
            cv2.imwrite(
                str(place / name / f"{number}.png"), rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
            )
    return place


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded."""
    found: list[str] = []
    own = table_samples.expect_picture

    def counting(path: str, *rest: object) -> object:
        found.append(str(path))
        return own(path, *rest)

    monkeypatch.setattr(table_samples, "expect_picture", counting)
    return found


def opened(folder: Path, keep: str = "disk", workers: int = 0, size: int = 32) -> Pipeline:
    text = (
        f"{{Data}}\n[image_folder]\npath = {folder}\nvalidation_share = 0\ntest_share = 0\nimage_size = {size}\n"
        f"[horizontal_flip]\n{{N}}\n[net]\ninputs = data.image\n[flatten]\n[connected]\noutput_features = 2\n"
        "{Loss}\n[cross_entropy]\ninput = N\ntarget = class\n"
    )
    data = netcfg.load(text).data
    assert data is not None
    return Pipeline(data, "train", 4, shuffle="epoch", keep=keep, workers=workers)  # type: ignore[arg-type]


def batches(pipeline: Pipeline, epoch: int = 0) -> list[dict[str, torch.Tensor]]:
    found = [batch.fields for batch in pipeline.epoch(epoch)]
    pipeline.close()
    return found


def test_a_later_run_decodes_nothing_but_what_tells_the_size(
    folder: Path, cache: Path, decoded: list[str]
) -> None:
    plain = batches(opened(folder, "none"))
    torch.testing.assert_close(batches(opened(folder)), plain)
    decoded.clear()
    torch.testing.assert_close(batches(opened(folder)), plain)
    assert len(decoded) == 2, "the first sample tells the size, the last one how long one takes"
    (kept,) = (cache / "pictures").iterdir()
    assert (kept / "image.bytes").stat().st_size == 12 * 32 * 32 * 3
    torch.testing.assert_close(batches(opened(folder, workers=2)), plain)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "rose" / "1.png").write_bytes((folder / "daisy" / "1.png").read_bytes()),
        lambda folder: (folder / "rose" / "1.png").unlink(),
        lambda folder: os.utime(folder / "rose" / "1.png", (5, 5)),
    ],
)
def test_other_files_are_other_pictures(folder: Path, change: Callable[[Path], object]) -> None:
    batches(opened(folder))
    change(folder)
    torch.testing.assert_close(batches(opened(folder)), batches(opened(folder, "none")))


def test_other_sizes_and_labels_are_kept_apart(folder: Path, cache: Path) -> None:
    batches(opened(folder))
    torch.testing.assert_close(batches(opened(folder, size=16)), batches(opened(folder, "none", size=16)))
    again = opened(folder)
    assert len(list((cache / "pictures").iterdir())) == 2
    again.close()
    (folder / "daisy").rename(folder / "tulip")  # the classes change their numbers
    torch.testing.assert_close(batches(opened(folder)), batches(opened(folder, "none")))
    assert len(list((cache / "pictures").iterdir())) == 3


def test_what_does_not_fit_into_memory_lies_on_disk(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches(opened(folder, "auto"))
    assert not (cache / "pictures").exists()
    monkeypatch.setattr(memory, "free_memory", lambda: 1_000)
    batches(opened(folder, "auto"))
    assert len(list((cache / "pictures").iterdir())) == 1


@pytest.mark.parametrize("spoil", ["short", "gone", "black"])
def test_a_damaged_place_is_gone_on_without(folder: Path, cache: Path, spoil: str) -> None:
    plain = batches(opened(folder))
    (kept,) = (cache / "pictures").iterdir()
    if spoil == "short":
        (kept / "image.bytes").write_bytes(b"1")
    elif spoil == "black":  # as a machine leaves it that stops before the disk has all
        (kept / "image.bytes").write_bytes(bytes((kept / "image.bytes").stat().st_size))
    else:
        (kept / "image.bytes").unlink()
    torch.testing.assert_close(batches(opened(folder)), plain)


def test_the_limit_holds_for_pictures_and_flow_and_the_oldest_go_first(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = FlowCache(cache / "flow")
    for number in range(4):
        flow.write(str(number), np.zeros((50, 50, 3), np.uint8))
    entries = sorted(path for path in (cache / "flow").rglob("*") if path.is_file())
    for age, path in enumerate(entries):
        os.utime(path, (1_000 + age, 1_000 + age))
    batches(opened(folder, size=32))  # 36,864 bytes and more
    size = entries[0].stat().st_size
    monkeypatch.setenv(VARIABLE, str((37_100 + 2.5 * size) / 1e9))
    assert make_room(1)
    assert [path.exists() for path in entries] == [False, False, True, True]
    assert len(list((cache / "pictures").iterdir())) == 1
    monkeypatch.setenv(VARIABLE, "0.00001")
    assert make_room(1)
    assert not any(path.exists() for path in entries)
    assert not list((cache / "pictures").iterdir())
    assert not make_room(20_000)


def test_data_larger_than_the_limit_are_not_kept(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    plain = batches(opened(folder))
    assert len(plain) == 3
    assert not list((cache / "pictures").iterdir())


def test_a_limit_that_is_no_number_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "20GB")
    with pytest.raises(NetcfgError, match="NETCFG_CACHE_LIMIT is a number of gigabytes from 0, found `20GB`"):
        make_room(1)


def with_masks(folder: Path, classes: int = 3, **options: Any) -> Pipeline:
    text = (
        f"{{Data}}\n[image_pairs]\npath = {folder}\nvalidation_share = 0\ntest_share = 0\nimage_size = 32\n"
        f"classes = {classes}\n{{N}}\n[net]\ninputs = data.image\n[convolutional]\nfilters = {classes}\n"
        "kernel_size = 1\n{Loss}\n[cross_entropy]\ninput = N\ntarget = mask\n"
    )
    data = netcfg.load(text).data
    assert data is not None
    return Pipeline(data, "train", 4, **{"keep": "disk", **options})


def test_masks_are_kept_with_their_pictures_and_made_anew_where_a_mask_has_changed(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_pairs(tmp_path / "pairs")
    plain = batches(with_masks(tmp_path / "pairs", keep="none"))
    torch.testing.assert_close(batches(with_masks(tmp_path / "pairs")), plain)
    (kept,) = (cache / "pictures").iterdir()
    assert {path.name for path in kept.iterdir()} == {"image.bytes", "mask.bytes", "filled"}
    read: list[object] = []
    own = beside.read_mask
    monkeypatch.setattr(beside, "read_mask", lambda path, how: read.append(path) or own(path, how))
    torch.testing.assert_close(batches(with_masks(tmp_path / "pairs")), plain)
    assert len(read) == 2, "the first sample tells the size, the last one how long one takes"
    batches(with_masks(tmp_path / "pairs", classes=5))
    assert len(list((cache / "pictures").iterdir())) == 2, "read as masks of other classes"
    mask = next((tmp_path / "pairs/masks").iterdir())
    os.utime(mask, (5, 5))
    batches(with_masks(tmp_path / "pairs"))
    assert len(list((cache / "pictures").iterdir())) == 3


def test_an_evaluation_reads_what_a_training_kept_and_keeps_nothing_itself(
    tmp_path: Path, cache: Path, decoded: list[str]
) -> None:
    write_image_pairs(tmp_path / "pairs")
    plain = batches(with_masks(tmp_path / "pairs", remember=False))
    assert not (cache / "pictures").exists()
    batches(with_masks(tmp_path / "pairs"))
    decoded.clear()
    torch.testing.assert_close(batches(with_masks(tmp_path / "pairs", remember=False)), plain)
    assert len(decoded) == 2
