"""The help of every command ends in examples, and these run."""

from __future__ import annotations

import glob
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_options_are_read import NET

from netcfg.cli.examples import EXAMPLES
from netcfg.cli.main import COMMANDS, _parser, main

ENDING_WITH_ONE = {
    "netcfg diff net.cfg other.cfg",
    "netcfg diff net.cfg net.cfg --set-b width=4 -o difference.svg",
}
"""A difference is told by the exit code."""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_in_examples_that_are_known(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    lines = capsys.readouterr().out.rstrip().splitlines()
    examples = list(EXAMPLES[command])
    assert [line.strip() for line in lines[-len(examples) :]] == examples
    assert lines[-len(examples) - 1] == "examples:"
    for example in examples:
        words = shlex.split(example)[1:]
        _parser(words).parse_args(words)


def test_choices_are_listed_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["graph", "net.cfg", "--palette", "gray"])
    said = capsys.readouterr().err
    assert "'grey', 'colour-blind', 'plain', 'strong'" in said or "grey, colour-blind, plain, strong" in said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two files, pictures, and a run of each file."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "net.cfg").write_text(NET)
    (folder / "other.cfg").write_text(NET.replace("kernel_size = 3", "kernel_size = 5"))
    (folder / "pictures").mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"pictures/{number}.png"), np.full((16, 16, 3), 40 * number, np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("net", "other"):
            words = f"train {name}.cfg --run-dir runs/{name}-1 --limit-batches 1 --workers 0"
            assert main(words.split()) == 0
        assert main("fmt net.cfg other.cfg".split()) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("example", [example for each in EXAMPLES.values() for example in each])
def test_examples_run(
    example: str,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = tmp_path / "here"
    shutil.copytree(place, here)
    monkeypatch.chdir(here)
    if example.startswith("netcfg sweep"):
        from netcfg.trainers.sweeps.sweep import Sweep

        monkeypatch.setattr(Sweep, "work", lambda self, *told: True)  # each run would be a process of its own
    if example == "netcfg new":  # which asks, and writes net.cfg where nobody answers
        (here / "net.cfg").unlink()
    monkeypatch.setattr("sys.stdin", open("/dev/null"))
    words = shlex.split(example)[1:]
    words = [found for word in words for found in (glob.glob(word) if "*" in word else [word])]
    wanted = int(example in ENDING_WITH_ONE or example.startswith("netcfg sweep"))
    assert main(words) == wanted, capsys.readouterr().err
