"""Flow that was found once is read from disk: what counts as the same, and what happens to damage and full disks."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from moving_clip import MovingClip
from numpy.typing import NDArray

from netcfg.datasets.flow.cache import FlowCache, open_cache
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.flow.samples import FlowSamples
from netcfg.files import user_cache


def picture(seed: int = 0, height: int = 6, width: int = 9) -> NDArray[np.uint8]:
    found = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    found[..., 2] = 0
    return found


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    cache = FlowCache(tmp_path / "new" / "flow")
    assert cache.read("a") is None
    cache.write("a", picture(0))
    cache.write("b", picture(1, 9, 6))
    found = cache.read("a")
    assert found is not None
    assert np.array_equal(found, picture(0))
    assert np.array_equal(FlowCache(cache.folder).read("b"), picture(1, 9, 6))  # a later run
    assert len(entries(tmp_path)) == 2


def test_without_shared_memory_flow_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("multiprocessing.RawValue", full)
    cache = FlowCache(tmp_path)
    cache.write("a", picture())
    assert cache.read("a") is not None


def test_a_second_run_reads_no_frames(tmp_path: Path) -> None:
    first = FlowSamples(MovingClip(), FlowPictures(), (24, 24), FlowCache(tmp_path))
    flows = [first[index]["flow"] for index in range(3)]
    assert first.samples.decoded == 4  # two pairs; the last sample has that of the one before
    second = FlowSamples(MovingClip(), FlowPictures(), (24, 24), FlowCache(tmp_path))
    assert all(np.array_equal(second[index]["flow"], flows[index]) for index in range(3))
    assert second.samples.decoded == 0


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": FlowPictures("farneback")},
        {"pictures": FlowPictures("dis", "fixed")},
        {"pictures": FlowPictures("dis", "fixed", 8.0)},
        {"size": (12, 12)},
        {"samples": MovingClip(crop=(0, 24, 0, 24))},
    ],
)
def test_other_flow_is_other_content(tmp_path: Path, change: dict[str, object]) -> None:
    made = {
        "samples": MovingClip(),
        "pictures": FlowPictures(),
        "size": (24, 24),
        "cache": FlowCache(tmp_path),
    }
    FlowSamples(**made)[0]
    FlowSamples(**{**made, **change})[0]
    assert len(entries(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "foreign"])
def test_a_damaged_entry_is_found_anew(tmp_path: Path, damage: str) -> None:
    cache = FlowCache(tmp_path)
    samples = FlowSamples(MovingClip(), FlowPictures(), (24, 24), cache)
    flow = samples[0]["flow"]
    (entry,) = entries(tmp_path)
    data = bytearray(entry.read_bytes())
    data[100] ^= 1
    entry.write_bytes({"cut": data[:-1], "empty": b"", "changed": data, "foreign": b"no flow" * 9}[damage])
    assert np.array_equal(samples[0]["flow"], flow)
    assert samples.samples.decoded == 4
    assert np.array_equal(samples[0]["flow"], flow)  # the entry is whole again
    assert samples.samples.decoded == 4


def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, monkeypatch, capfd) -> None:
    def refuse(handle: int, mode: str) -> None:
        os.close(handle)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cache = FlowCache(tmp_path)
    samples = FlowSamples(MovingClip(), FlowPictures(), None, cache)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", refuse)
        flows = [samples[index]["flow"] for index in (0, 1)]
    told = capfd.readouterr().err
    assert told.count("warning: optical flow cannot be kept in") == 1
    assert "(No space left on device)" in told
    assert entries(tmp_path) == []
    assert np.array_equal(samples[1]["flow"], flows[1])


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path, capfd) -> None:
    (tmp_path / "file").write_text("")
    cache = FlowCache(tmp_path / "file" / "flow")
    assert "cannot be kept in" in capfd.readouterr().err
    cache.write("a", picture())
    assert cache.read("a") is None
    assert capfd.readouterr().err == ""


def test_a_folder_that_was_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    cache = FlowCache(tmp_path / "flow")
    (tmp_path / "flow").rmdir()
    cache.write("a", picture())
    assert cache.read("a") is not None


def test_many_writers_of_one_entry_leave_it_whole(tmp_path: Path) -> None:
    cache = FlowCache(tmp_path)

    def use(number: int) -> bool:
        cache.write("a", picture())
        found = cache.read("a")
        return found is not None and np.array_equal(found, picture())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(100)))
    assert len(entries(tmp_path)) == 1


def test_the_cache_can_lie_anywhere_or_nowhere(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NETCFG_CACHE", str(tmp_path / "own"))
    assert open_cache("auto").folder == tmp_path / "own" / "flow" == user_cache() / "flow"
    assert open_cache(str(tmp_path / "other")).folder == tmp_path / "other"
    assert open_cache(None) is None
    assert open_cache("auto") is open_cache("auto")  # all splits say together that a disk is full
    monkeypatch.delenv("NETCFG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_cache() == tmp_path / "xdg" / "netcfg"
