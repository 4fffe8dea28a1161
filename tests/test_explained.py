"""Every code has an explanation, and every example in them is run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import netcfg
from netcfg.codes import CODES
from netcfg.explained import EXPLANATIONS

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
    files = {"NC004", "NC005", "NC012", "NC013", "NC014", "NC015", "NC113", "NC115"}
    runs = {"NC404", "NC405", "NC406", "NC411", "NC601", "NC602", "NC603"}
    sections = {"NC701", "NC702", "NC703", "NC704"}
    assert set(CODES) - set(SHOWN) == files | runs | sections


def test_every_code_that_the_sources_give_is_declared() -> None:
    named = set()
    for folder in ("netcfg", "datasets", "builder", "trainers"):
        for path in (ROOT / folder).rglob("*.py"):
            named |= set(re.findall(r"\"(NC\d\d\d)\"", path.read_text(encoding="utf-8")))
    assert named <= set(CODES)


def test_the_command_shows_cause_example_and_remedy() -> None:
    command = [sys.executable, "-m", "netcfg", "explain", "NC302"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = (CODES["NC302"].meaning, "kernel_size = 33", "kernel_size = 31", EXPLANATIONS["NC302"].remedy)
    assert [part for part in parts if part not in out] == []
