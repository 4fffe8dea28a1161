"""A run keeps the Python files that its program includes, and goes on with its copies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from netcfg.cli.main import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "extensions"


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path]:
    """The file of a program, and a run of one epoch of it."""
    for name in ("soft_threshold.py", "soft_threshold.cfg"):
        (tmp_path / name).write_text((EXAMPLE / name).read_text())
    file, run = tmp_path / "soft_threshold.cfg", tmp_path / "run"
    assert main(["train", str(file), "--run-dir", str(run), "--epochs", "1", "--device", "cpu"]) == 0
    return file, run


def change(file: Path) -> None:
    """A block that would end every run that used it."""
    python = file.with_suffix(".py")
    python.write_text(python.read_text().replace("return torch.sign(x)", "raise OSError('changed')"))
    os.utime(python, (1_700_000_000, 1_700_000_000))


def test_the_resolved_file_includes_the_copy(trained: tuple[Path, Path]) -> None:
    file, run = trained
    assert "{include extensions/soft_threshold.py}" in (run / "resolved.cfg").read_text().splitlines()
    copy = run / "extensions" / "soft_threshold.py"
    assert copy.read_bytes() == file.with_suffix(".py").read_bytes()
    origins = json.loads((run / "extensions" / "origins.json").read_text())
    assert origins == {"soft_threshold.py": str(file.with_suffix(".py").resolve())}


@pytest.mark.parametrize("named", [False, True])
def test_a_run_goes_on_with_its_copy_and_says_so(
    trained: tuple[Path, Path], named: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = trained
    change(file)
    given = [str(file)] if named else []
    assert main(["train", *given, "--resume", str(run), "--epochs", "2", "--device", "cpu"]) == 0
    told = capsys.readouterr().err
    assert told.count("warning[NC704 changed-extension]: ") == 1
    assert f"{file.with_suffix('.py')} has changed on 2023-11-14 " in told
    assert f"help: {run / 'extensions' / 'soft_threshold.py'} is that copy" in told
    assert json.loads((run / "result.json").read_text())["epochs"] == 2


def test_eval_uses_the_copy_and_says_so(
    trained: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = trained
    change(file)
    assert main(["eval", str(run), "--device", "cpu"]) == 0
    assert "warning[NC704 changed-extension]: " in capsys.readouterr().err


@pytest.mark.parametrize("is_gone", [False, True])
def test_an_unchanged_or_missing_file_is_no_news(
    trained: tuple[Path, Path], is_gone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = trained
    if is_gone:
        file.with_suffix(".py").unlink()
    assert main(["train", "--resume", str(run), "--epochs", "2", "--device", "cpu"]) == 0
    assert "NC704" not in capsys.readouterr().err


def test_another_program_than_the_runs_is_still_refused(
    trained: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = trained
    file.write_text(file.read_text().replace("start = 0.05", "start = 0.25"))
    assert main(["train", str(file), "--resume", str(run), "--device", "cpu"]) == 1
    assert "`start = 0.05` of [soft_threshold] is now `0.25`" in capsys.readouterr().err


@pytest.fixture
def variable(tmp_path: Path) -> tuple[Path, Path]:
    """As `trained`, with a learning rate that is a variable."""
    python = (EXAMPLE / "soft_threshold.py").read_text()
    text = (EXAMPLE / "soft_threshold.cfg").read_text().replace("rate = 0.01", "rate = $rate")
    (tmp_path / "soft_threshold.py").write_text(python)
    file, run = tmp_path / "soft_threshold.cfg", tmp_path / "run"
    file.write_text(text + "\n[variables]\nrate = 0.01\n")
    assert main(["train", str(file), "--run-dir", str(run), "--epochs", "1", "--device", "cpu"]) == 0
    return file, run


RATE = ("--set", "rate=0.002", "--epochs", "2", "--device", "cpu")


def test_a_changed_program_still_includes_the_copies(variable: tuple[Path, Path]) -> None:
    file, run = variable
    assert main(["train", "--resume", str(run), *RATE]) == 0
    resolved = (run / "resolved.cfg").read_text()
    assert "learning_rate = 0.002" in resolved
    assert "{include extensions/soft_threshold.py}" in resolved.splitlines()
    file.with_suffix(".py").unlink()
    assert main(["train", "--resume", str(run), "--epochs", "3", "--device", "cpu"]) == 0


def test_variables_are_not_dropped_where_a_python_file_has_changed(
    variable: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = variable
    change(file)
    assert main(["train", "--resume", str(run), *RATE]) == 1
    told = capsys.readouterr().err
    assert "error[NC406 cannot-resume]: `--set` and `--preset` need the run's Python files" in told
    assert f"put them back from {run}/extensions" in told


def test_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    from netcfg.trainers.runs.extension_copies import keep_copies

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"# {folder}\n")
    run = tmp_path / "run"
    run.mkdir()
    names = keep_copies(run, [tmp_path / "a" / "mine.py", tmp_path / "b" / "mine.py"])
    assert list(names.values()) == ["extensions/mine.py", "extensions/mine_2.py"]
    assert [(run / name).read_text() for name in names.values()] == ["# a\n", "# b\n"]
