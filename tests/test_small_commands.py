"""`new`, `doctor` and `completion`."""

from __future__ import annotations

import configparser
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import netcfg
from netcfg.cli.doctor import OPTIONAL
from netcfg.cli.main import COMMANDS, main
from netcfg.cli.new import SIZES, TASKS, text_of


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("size", SIZES)
def test_what_new_writes_checks_without_a_warning(task: str, size: str) -> None:
    for preset in (None, "demo"):
        program, findings = netcfg.check(text_of("Mine", task, size), preset)
        assert findings == []
        assert program is not None


def test_new_asks_three_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("Faces\nexpression\n\n"))
    assert main(["new"]) == 0
    assert capsys.readouterr().err.count("?") == 3
    assert (tmp_path / "faces.cfg").read_text() == text_of("Faces", "expression", "small")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("A-b\n", "a network cannot be called `A-b`"),
        ("A\nexpresion\n", "`expresion` is no answer to: What is it to learn?"),
        ("There\nexpression\nsmall\n", "there.cfg is there already"),
    ],
)
def test_new_refuses(
    answers: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.cfg").write_text("mine")
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    assert main(["new"]) == 1
    assert said in capsys.readouterr().err
    assert (tmp_path / "there.cfg").read_text() == "mine"


def test_the_scripts_know_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        text = capsys.readouterr().out
        assert [command for command in COMMANDS if command not in text] == []
        assert all(word in text for word in ("convolutional", "resnet18", "NC101", "precision"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        (("netcfg", "predi"), ["predict"]),
        (("netcfg", "zoo", "resnet1"), ["resnet101", "resnet152", "resnet18"]),
        (("netcfg", "train", "a.cfg", "--precision", "b"), ["bf16"]),
        (("netcfg", "train", "--lim"), ["--limit-batches"]),
    ],
)
def test_bash_completes(
    line: tuple[str, ...], found: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "netcfg.bash"
    script.write_text(capsys.readouterr().out)
    words = " ".join(f"'{word}'" for word in line)
    place = f"COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}"
    ask = f"source {script}; {place}; _netcfg; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert sorted(done.stdout.split()) == found


def test_doctor_knows_what_every_extra_is_for() -> None:
    """But those of developers and of notebooks, which are started by their own programs."""
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).resolve().parent.parent / "setup.cfg", encoding="utf-8")
    extras = setup["options.extras_require"]
    for extra in set(extras) - {"test", "notebook"}:
        for package in extras[extra].split():
            name = re.split("[<>=]", package)[0]
            assert OPTIONAL[name][2] == f"netcfg[{extra}]", name


def test_doctor_says_versions_devices_codecs_cache_and_what_is_lacking(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NETCFG_CACHE", str(tmp_path))
    (tmp_path / "kept").write_bytes(b"x" * 1000)
    monkeypatch.setattr("netcfg.cli.doctor.find_spec", lambda name: None if name == "pandas" else object())
    assert main(["doctor", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cache"] == {"folder": str(tmp_path), "files": 1, "bytes": 1000}
    assert found["devices"][0] == "cpu"
    assert found["codecs"]["FFV1"] in (True, False)
    assert found["versions"]["torch"]
    assert [one["install"] for one in found["lacking"]] == ["pip install 'pandas'"]
    assert main(["doctor"]) == 0
    assert "lacking    pandas, for `to_frame` in Python: pip install 'pandas'" in capsys.readouterr().out
