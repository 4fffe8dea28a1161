"""What decoders say of broken files never reaches the terminal, and a process's own words always do."""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from netcfg.datasets.pictures.frames import open_frames
from netcfg.datasets.pictures.opencv import cv2, quiet
from netcfg.datasets.pictures.reading import read_picture
from netcfg.source import NetcfgError

NOISE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)


def broken(data: bytes) -> dict[str, bytes]:
    """A file of its head alone, with its second half gone, and with bytes in the middle that do not belong there."""
    half = len(data) // 2
    return {"head": data[:4000], "cut": data[:half], "middle": data[:half] + b"\x55" * 40 + data[half + 40 :]}


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tiff", ".bmp", ".webp"])
@pytest.mark.parametrize("how", ["cut", "middle"])
def test_a_broken_picture_is_silent(
    ending: str, how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = cv2.imencode(ending, NOISE)[1].tobytes()
    path = tmp_path / f"a{ending}"
    path.write_bytes(broken(data)[how])
    read_picture(path)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_ends_early_would_not_be_silent_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    data = cv2.imencode(".jpg", NOISE)[1].tobytes()
    cv2.imdecode(np.frombuffer(data[: len(data) // 2] + b"\xff\xd9", np.uint8), cv2.IMREAD_COLOR)
    assert "JPEG" in capfd.readouterr().err


@pytest.mark.parametrize(("ending", "code"), [(".avi", "MJPG"), (".mp4", "mp4v")])
@pytest.mark.parametrize("how", ["cut", "middle", "head"])
def test_a_broken_video_is_silent(
    ending: str, code: str, how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a{ending}"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 25.0, (64, 64))
    for shift in range(20):
        video.write(np.roll(NOISE, shift, 1))
    video.release()
    path.write_bytes(broken(path.read_bytes())[how])
    with suppress(NetcfgError):
        list(open_frames(path))
    assert capfd.readouterr() == ("", "")


def test_silence_ends_when_the_last_thread_has_ended_it(capfd: pytest.CaptureFixture[str]) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def decode() -> None:
        with quiet():
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=decode)
    thread.start()
    begun.wait(10)
    with quiet():
        os.write(2, b"of a decoder\n")
    os.write(2, b"of another decoder, still at work\n")
    may_end.set()
    thread.join(10)
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_process_forked_in_silence_is_not_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        child = os.fork()
        if child == 0:
            os.write(2, b"a worker\n")
            os._exit(0)
        os.waitpid(child, 0)
    sys.stderr.flush()
    assert capfd.readouterr().err == "a worker\n"


def test_opencv_is_imported_through_one_door() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    files = [
        path
        for folder in ("datasets", "trainers", "netcfg", "builder")
        for path in (root / folder).rglob("*.py")
    ]
    text = {path.name: path.read_text(encoding="utf-8") for path in files}
    importing = [name for name, written in text.items() if re.search(r"^\s*import cv2\b", written, re.M)]
    assert importing == ["opencv.py"]
