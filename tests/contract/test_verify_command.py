"""`netcfg blocks --verify`: what it takes, and what it says of what it cannot take."""

from __future__ import annotations

from pathlib import Path

import pytest

from netcfg.cli.main import main
from netcfg.extensions import leave_files

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted((ROOT / "examples" / "extensions").glob("*.py"))


def test_a_section_that_is_what_it_says_ends_cleanly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blocks", "--verify", "[identity]", "cross_entropy"]) == 0
    assert capsys.readouterr().out == "2 verified: as they say\n"


def test_an_unknown_name_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blocks", "--verify", "identty"]) == 1
    assert "did you mean `identity`?" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blocks", "--verify", "nowhere.py"]) == 1
    assert "there is no file nowhere.py" in capsys.readouterr().err


def test_a_file_without_sections_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    assert main(["blocks", "--verify", str(tmp_path / "empty.py")]) == 1
    assert "defines no section" in capsys.readouterr().err


def test_a_file_that_cannot_be_run_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text("x = 1\nx.y\n")
    assert main(["blocks", "--verify", str(tmp_path / "broken.py")]) == 1
    assert "broken.py, line 2" in capsys.readouterr().err


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_of_a_section_of_ones_own_keeps_its_contract(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["blocks", "--verify", str(path)]) == 0, capsys.readouterr().out
    leave_files()  # the next test has its own sections
