"""Every code has an explanation, and every example in them is run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.codes import CODES
from netcfg.explained import EXPLANATIONS
from netcfg.explained.programs import SMALL, TRAINED

SHOWN = [code for code, known in EXPLANATIONS.items() if known.frame]
ROOT = Path(__file__).resolve().parent.parent


def codes_of(folder: Path, text: str) -> set[str]:
    (folder / "net.cfg").write_text(text)
    return {finding.code for finding in netcfg.check(folder / "net.cfg")[1]}


@pytest.mark.parametrize("code", SHOWN)
def test_the_wrong_example_gives_its_code_alone_and_the_right_one_none(code: str, tmp_path: Path) -> None:
    known = EXPLANATIONS[code]
    assert codes_of(tmp_path, known.wrong_text) == {code}
    assert codes_of(tmp_path, known.right_text) == set()


def test_every_code_is_explained_by_an_example_or_a_command() -> None:
    assert set(EXPLANATIONS) == set(CODES)
    for known in EXPLANATIONS.values():
        assert known.remedy.endswith(".")
        assert bool(known.frame) != known.command.startswith("netcfg ")


def test_no_more_codes_than_these_are_without_an_example() -> None:
    commands = {f"NC80{number}" for number in range(1, 9)}
    data = {f"NC50{number}" for number in range(4, 9)}
    files = {"NC004", "NC005", "NC012", "NC013", "NC014", "NC015", "NC113", "NC115"}
    runs = {"NC404", "NC405", "NC406", "NC411", "NC414", "NC601", "NC602", "NC603"}
    sections = {"NC701", "NC702", "NC703", "NC704"}
    assert set(CODES) - set(SHOWN) == files | runs | sections | commands | data


def test_every_code_that_the_sources_give_is_declared() -> None:
    named = set()
    for folder in ("netcfg", "datasets", "builder", "trainers"):
        for path in (ROOT / folder).rglob("*.py"):
            named |= set(re.findall(r"\"(NC\d\d\d)\"", path.read_text(encoding="utf-8")))
    assert named <= set(CODES)


def test_every_refusal_has_a_code() -> None:
    """What a command refuses prints `error[NCnnn name]`, also where no place in a file is to blame."""
    without = []
    for folder in ("netcfg", "datasets", "builder", "trainers"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)) if "NetcfgError(" in text else ():
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NetcfgError":
                    is_told = len(node.args) > 1 or isinstance(node.args[0], ast.Starred)
                    if not is_told and not any(keyword.arg == "code" for keyword in node.keywords):
                        without.append(f"{path}:{node.lineno}")
    assert not without


def small(folder: Path, text: str = SMALL) -> str:
    (folder / "net.cfg").write_text(text)
    return str(folder / "net.cfg")


def picture(folder: Path) -> str:
    cv2.imwrite(str(folder / "one.png"), np.zeros((16, 16, 3), np.uint8))
    return str(folder / "one.png")


def clips(folder: Path, labels: str, frames: range = range(1, 4)) -> str:
    for subject in range(3):
        place = folder / "data" / f"S{subject}" / "a"
        place.mkdir(parents=True)
        for number in frames:
            cv2.imwrite(str(place / f"{number}.png"), np.zeros((16, 16, 3), np.uint8))
    rows = [f"S{subject}/a,{number},{labels}" for subject in range(3) for number in range(1, 4)]
    (folder / "data/labels.csv").write_text("clip,frame,AU1,AU2\n" + "\n".join(rows) + "\n")
    return str(folder / "data")


def broken_video(folder: Path) -> str:
    (folder / "half.mp4").write_bytes(b"no video")
    return str(folder / "half.mp4")


def taken(folder: Path) -> str:
    (folder / "flow").mkdir()
    (folder / "flow/mine.txt").write_text("mine")
    return str(folder / "flow")


DRAWN = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[random]\nshape = 4\n"
COMMANDS = {
    "NC504": lambda folder: ["flow", broken_video(folder), "-o", str(folder / "flow")],
    "NC505": lambda folder: ["data", "show", clips(folder, "1,7")],
    "NC506": lambda folder: ["data", "show", str(folder)],
    "NC507": lambda folder: ["data", "show", clips(folder, "1,0", range(3))],
    "NC508": lambda folder: ["flow", picture(folder), "-o", str(folder / "flow")],
    "NC801": lambda folder: ["graph", small(folder), "--phase", "main", "-o", str(folder / "a.svg")],
    "NC802": lambda folder: ["eval", str(folder / "nowhere")],
    "NC803": lambda folder: ["data", "make", "audetnet", taken(folder)],
    "NC804": lambda folder: ["zoo", "alexnet", "-o", str(folder / "nowhere/my.cfg")],
    "NC807": lambda folder: ["train", small(folder, TRAINED), "--device", "cuda:77"],
    "NC808": lambda folder: ["export", small(folder, DRAWN), "-o", f"{folder}/net.py"],
}


@pytest.mark.parametrize("code", COMMANDS)
def test_a_command_that_is_refused_says_the_code(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(COMMANDS[code](tmp_path)) != 0
    assert f"error[{code} {CODES[code].name}]: " in capsys.readouterr().err


def test_the_command_shows_cause_example_and_remedy() -> None:
    command = [sys.executable, "-m", "netcfg", "explain", "NC302"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = (CODES["NC302"].meaning, "kernel_size = 33", "kernel_size = 31", EXPLANATIONS["NC302"].remedy)
    assert [part for part in parts if part not in out] == []
