"""A stdout that is full, closed, or of ASCII: a sentence where the output is the result, while trainings go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from small_training import MEAN_COLOURS, small_training

NET = (
    "{Größe}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
    "[convolutional]\nname = stem\nfilters = 4\nkernel_size = 3\n"
)
LOST = "error[NC804 cannot-write]: the output cannot be written: "
LIGHT = [
    ("check", "net.cfg"),
    ("check", "net.cfg", "--format", "json"),
    ("summary", "net.cfg"),
    ("summary", "net.cfg", "--format", "csv"),
    ("fmt", "--expand", "net.cfg"),
    ("graph", "net.cfg", "-o", "net.svg"),
    ("blocks",),
    ("blocks", "convolutional"),
    ("explain",),
    ("--help",),
    ("check", "--help"),
]


def run(
    folder: Path, arguments: Iterable[str], after: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command through a shell; `after` says where its output goes."""
    (folder / "net.cfg").write_text(NET, encoding="utf-8")
    command = " ".join([sys.executable, "-m", "netcfg", *arguments, after])
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_on_a_full_device_a_light_command_is_refused_in_a_sentence(
    arguments: list[str], tmp_path: Path
) -> None:
    done = run(tmp_path, arguments, "> /dev/full")
    assert (done.returncode, done.stderr) == (1, f"{LOST}No space left on device\n")


@pytest.mark.parametrize("arguments", LIGHT[:4], ids=" ".join)
def test_without_a_stdout_it_is_too(arguments: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, arguments, ">&-")
    assert (done.returncode, done.stderr) == (1, f"{LOST}it is closed\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_difference_that_cannot_be_told_is_none_of_the_answers(tmp_path: Path) -> None:
    done = run(tmp_path, ("diff", "net.cfg", "net.cfg"), "> /dev/full")
    assert (done.returncode, done.stderr) == (2, f"{LOST}No space left on device\n")


@pytest.mark.parametrize("stream", ["2> /dev/full", "2>&-"])
def test_an_error_that_can_be_told_nowhere_is_still_the_exit_code(stream: str, tmp_path: Path) -> None:
    assert run(tmp_path, ("summary", "nowhere.cfg"), stream).returncode == 1
    done = run(tmp_path, ("summary", "net.cfg"), stream)
    assert (done.returncode, done.stdout.count("stem")) == (0, 1)


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    done = run(tmp_path, ("blocks", "--markdown"), "| true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_on_a_stdout_of_ascii_other_letters_are_written_in_ascii(
    arguments: list[str], tmp_path: Path
) -> None:
    done = run(tmp_path, arguments, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


def test_data_stay_what_they_are_on_a_stdout_of_ascii(tmp_path: Path) -> None:
    plain = run(tmp_path, ("summary", "net.cfg", "--format", "json"))
    ascii_only = run(tmp_path, ("summary", "net.cfg", "--format", "json"), PYTHONIOENCODING="ascii")
    assert "Größe" in plain.stdout
    assert json.loads(ascii_only.stdout) == json.loads(plain.stdout)


TRAINING = small_training(MEAN_COLOURS, subjects=3, monitor="bce_with_logits")


@pytest.mark.parametrize("after", ["> /dev/full", ">&-"])
def test_a_training_goes_on_without_its_stdout_and_says_so_once(after: str, tmp_path: Path) -> None:
    (tmp_path / "training.cfg").write_text(TRAINING)
    options = ("train", "training.cfg", "--device", "cpu", "--workers", "0", "--run-dir", "run")
    done = run(tmp_path, options, after)
    assert done.returncode == 0
    assert done.stderr.count("stdout is lost") == 1
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "run" / "result.json").read_text())["epochs"] == 2


def test_formatted_is_said_after_the_file_was_written(tmp_path: Path) -> None:
    (tmp_path / "untidy.cfg").write_text(NET.replace(" = ", "="), encoding="utf-8")
    done = run(tmp_path, ("fmt", "untidy.cfg"))
    assert (done.returncode, done.stderr) == (0, "formatted untidy.cfg\n")
    (tmp_path / "untidy.cfg").write_text(NET.replace(" = ", "="), encoding="utf-8")
    full = "ulimit -f 0; trap '' XFSZ;"  # no file may grow: as on a full disk
    command = f"{full} {sys.executable} -m netcfg fmt untidy.cfg"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "formatted" not in done.stderr
    assert "cannot write" in done.stderr
