"""Every code has an explanation, and every example in them is run."""

from __future__ import annotations

import ast
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import netcfg
from netcfg.cli.main import main
from netcfg.codes import CODES
from netcfg.explained import EXPLANATIONS
from netcfg.explained.explanation import CHECK
from netcfg.explained.programs import SMALL, TINY, TRAINED

CHECKED = [code for code, known in EXPLANATIONS.items() if known.command == CHECK and known.file == "net.cfg"]
COMMANDS = sorted(set(EXPLANATIONS) - set(CHECKED))
ROOT = Path(__file__).resolve().parent.parent
OLD_RUN = ROOT / "tests/trainers/old_run"


def codes_of(folder: Path, text: str) -> set[str]:
    (folder / "net.cfg").write_text(text)
    return {finding.code for finding in netcfg.check(folder / "net.cfg")[1]}


@pytest.mark.parametrize("code", CHECKED)
def test_the_wrong_example_gives_its_code_alone_and_the_right_one_none(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = EXPLANATIONS[code]
    folder = tmp_path / "project" / "networks"
    folder.mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "blocks.cfg").write_text("")
    monkeypatch.chdir(folder)
    assert codes_of(folder, known.wrong_text) == {code}
    assert codes_of(folder, known.right_text) == set()


def test_every_code_is_explained_by_examples() -> None:
    assert set(EXPLANATIONS) == set(CODES)
    for code, known in EXPLANATIONS.items():
        assert known.remedy.endswith("."), code
        assert known.wrong != known.right, code
        assert "@" in (known.frame or known.command), code
        assert known.wrong_command.startswith("netcfg "), code


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


# --- those of commands: what lies beside them, then both commands are run as they are printed


def small(folder: Path, text: str) -> None:
    (folder / "net.cfg").write_text(text)


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((16, 16, 3), value, np.uint8))


def half(path: Path, whole: Path) -> None:
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])


def clips(folder: Path, labels: str, first: int = 1) -> None:
    for subject in range(3):
        for number in range(first, first + 3):
            picture(folder / f"S{subject}/a/{number}.png")
    rows = [f"S{subject}/a,{number},{labels}" for subject in range(3) for number in range(1, 4)]
    (folder / "labels.csv").write_text("clip,frame,AU1,AU2\n" + "\n".join(rows) + "\n")


def run_of(folder: Path, name: str = "RUN") -> None:
    shutil.copytree(OLD_RUN, folder / name)


def changeable(folder: Path) -> None:
    text = TINY.replace("[flatten]", "[convolutional]\nfilters = $filters\nkernel_size = 3\n[flatten]", 1)
    variables = "{General}\n[training]\nmax_epochs = 1\n[variables]\nrate = 1e-3\nfilters = 2\n"
    small(folder, text + "learning_rate = $rate\n" + variables)
    assert main(["train", "net.cfg", "--run-dir", "RUN", "--limit-batches", "1"]) == 0


def extended(folder: Path) -> None:
    (folder / "mine.py").write_text(EXPLANATIONS["NC704"].right_text)
    small(folder, "{include mine.py}\n" + TINY.replace("[flatten]", "[mine]\n[flatten]", 1))
    assert main(["train", "net.cfg", "--run-dir", "RUN", "--epochs", "1", "--limit-batches", "1"]) == 0


def including(folder: Path) -> None:
    small(folder, "{include mine.py}\n" + SHORT.replace("[flatten]", "[mine]\n[flatten]"))


def packaged(folder: Path) -> None:
    place = folder / "theirs-1.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (place / "entry_points.txt").write_text("[netcfg.sections]\ntheirs = their_sections\n")


def others_weights(folder: Path) -> None:
    run_of(folder)
    save_file({"Other.weight": torch.zeros(3)}, folder / "of_another.safetensors")


def half_weights(folder: Path) -> None:
    run_of(folder)
    half(folder / "half_a_file.safetensors", folder / "RUN/checkpoints/best.safetensors")


def half_copied(folder: Path) -> None:
    for name in ("RUN", "HALF_COPIED"):
        run_of(folder, name)
    (folder / "HALF_COPIED/run.json").unlink()


def half_a_picture(folder: Path) -> None:
    run_of(folder)
    picture(folder / "whole.png")
    half(folder / "half_a_picture.png", folder / "whole.png")


def labelled(folder: Path) -> None:
    clips(folder / "clips_with_a_label_of_7", "1,7")
    clips(folder / "clips_with_labels_of_0_and_1", "1,0")


def flowers(folder: Path) -> None:
    (folder / "empty").mkdir()
    for number in range(20):
        picture(folder / f"flowers/{'rose' if number % 2 else 'daisy'}/{number}.png")


def frames(folder: Path) -> None:
    picture(folder / "one.png")
    for number in range(3):
        picture(folder / f"folder_of_frames/{number}.png", 40 * number)


def swept_by_another(folder: Path) -> None:
    """Another sweep works in `RUNS`, and one into `OTHERS` is done."""
    small(folder, SHORT.replace("\n[training]", RATE) + "learning_rate = $rate\n")
    assert main(["sweep", "net.cfg", "--over", "rate=0.1", "--run-dir", "OTHERS"]) == 0
    (folder / "RUNS").mkdir()
    HELD[:] = []
    HELD.append((folder / "RUNS/.lock").open("w"))
    fcntl.flock(HELD[0], fcntl.LOCK_EX)


HELD: list[IO[str]] = []
SCENES: dict[str, Callable[[Path], object]] = {
    "NC004": lambda folder: small(folder, SMALL),
    "NC005": lambda folder: (small(folder, SMALL), (folder / "best.safetensors").write_bytes(b"\xff\0")),
    "NC012": lambda folder: small(folder, "{include mine.py}\n" + SMALL),
    "NC113": lambda folder: small(folder, "{General}\n[preset demo]\n" + SMALL),
    "NC404": lambda folder: None,
    "NC405": lambda folder: None,
    "NC406": changeable,
    "NC414": lambda folder: None,
    "NC504": half_a_picture,
    "NC505": labelled,
    "NC506": flowers,
    "NC507": lambda folder: clips(folder / "recordings", "1,0", 0),
    "NC508": frames,
    "NC601": run_of,
    "NC602": others_weights,
    "NC603": half_weights,
    "NC701": lambda folder: small(
        folder, "{include mine.py}\n" + SMALL.replace("[flatten]", "[mine]\n[flatten]")
    ),
    "NC702": including,
    "NC703": packaged,
    "NC704": extended,
    "NC801": lambda folder: small(folder, TRAINED),
    "NC802": run_of,
    "NC803": lambda folder: (small(folder, SHORT), run_of(folder)),
    "NC804": lambda folder: None,
    "NC805": swept_by_another,
    "NC806": lambda folder: small(folder, "{include mine.py}\n" + SHORT.replace("{Net}", "[mine]\n{Net}", 1)),
    "NC807": lambda folder: small(folder, SHORT),
    "NC808": lambda folder: None,
    "NC809": half_copied,
}
SHORT = "{General}\n[training]\nmax_epochs = 1\nbatch_size = 64\n" + TINY
RATE = "\n[variables]\nrate = 1e-3\n[training]"


def told(
    folder: Path, file: str, text: str, command: str, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """What a command says, its status first; in a process of its own where it reads a Python file."""
    if text:
        (folder / file).write_text(text)
    if file.endswith(".py"):
        paths = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        words = [sys.executable, "-m", *shlex.split(command)]
        # Python takes bytecode for that of a file by length and second, which both texts may have in common.
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
        return done.returncode, done.stdout + done.stderr
    capfd.readouterr()
    status = main(shlex.split(command)[1:])
    return status, "".join(capfd.readouterr())


TRAINING = {"NC405", "NC414", "NC702", "NC704", "NC803", "NC805", "NC806", "NC807"}
MARKED = [pytest.param(code, marks=[pytest.mark.slow] * (code in TRAINING)) for code in COMMANDS]


@pytest.mark.parametrize("code", MARKED)
def test_the_wrong_command_gives_its_code_and_the_right_one_does_not(
    code: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = EXPLANATIONS[code]
    SCENES[code](tmp_path)
    status, wrong = told(tmp_path, known.file, known.wrong_text, known.wrong_command, capfd)
    assert f"[{code} {CODES[code].name}]: " in wrong
    status, right = told(tmp_path, known.file, known.right_text, known.right_command, capfd)
    assert status == 0, right
    assert code not in right


def test_the_command_shows_cause_example_and_remedy() -> None:
    command = [sys.executable, "-m", "netcfg", "explain", "NC302"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = (CODES["NC302"].meaning, "kernel_size = 33", "kernel_size = 31", EXPLANATIONS["NC302"].remedy)
    assert [part for part in parts if part not in out] == []
