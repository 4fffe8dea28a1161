"""Sections of others: included Python files that cannot be read, packages that bring sections, names used twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import netcfg
from netcfg.source import Finding, render, sorted_findings

NETWORK = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
SECTION = """
from netcfg.blocks import Block

class Same(Block, name="NAME"):
    def inline(self, *names):
        return names[0]
"""
ROOT = Path(netcfg.__file__).parent.parent


def section(name: str, class_name: str = "Same") -> str:
    return SECTION.replace("NAME", name).replace("Same", class_name)


def found(path: Path | str) -> list[Finding]:
    return sorted_findings(netcfg.check(path)[1])


def program(folder: Path, python: str, block: str = "identity", name: str = "mine") -> Path:
    (folder / f"{name}.py").write_text(python)
    path = folder / f"{name}.cfg"
    path.write_text(f"# one of my own\n{{include {name}.py}}\n{NETWORK}[{block}]\n")
    return path


def in_a_process(arguments: list[str], folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """netcfg as a command, with folders more that Python looks into for packages."""
    return subprocess.run(
        [sys.executable, "-m", "netcfg", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env=environment(*paths), timeout=60,
    )  # fmt: skip


def environment(*paths: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *paths]))}


def package(folder: Path, python: str, name: str = "bringer") -> Path:
    """An installed package, as far as Python can tell: its module, and the metadata pip would write."""
    metadata = folder / f"{name}-1.5.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (metadata / "entry_points.txt").write_text(f"[netcfg.sections]\n{name} = {name}_sections\n")
    (folder / f"{name}_sections.py").write_text(python)
    return folder


# --- files that cannot be read


@pytest.mark.parametrize(
    ("python", "message", "help"),
    [
        ("import einops_of_old\n", "ModuleNotFoundError: No module named", "`pip install einops_of_old`"),
        ("import no_such.sub\n", "ModuleNotFoundError: No module named", "`pip install no_such`"),
        ("raise SystemExit(3)\n", "it ends the program (SystemExit: 3)", "mend the Python file"),
        ("raise BaseException('all of it')\n", "BaseException: all of it", "mend the Python file"),
        ("raise GeneratorExit\n", "GeneratorExit", "mend the Python file"),
    ],
)
def test_what_a_file_raises_is_one_finding(tmp_path: Path, python: str, message: str, help: str) -> None:
    (finding,) = found(program(tmp_path, f"x = 1\n{python}"))
    assert finding.code == "NC012"
    assert finding.message.startswith(f"mine.py, line 2: {message}")
    assert finding.help == help
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (2, 10)
    assert [(note.span.line, note.message) for note in finding.notes] == [(2, "here")]


def test_a_package_has_the_name_it_is_installed_by(tmp_path: Path) -> None:
    text = "raise ModuleNotFoundError('no skimage', name='skimage.feature')\n"
    assert found(program(tmp_path, text))[0].help == "`pip install scikit-image`"


def test_a_file_beside_is_no_package_to_install(tmp_path: Path) -> None:
    (tmp_path / "helpers_of_mine.py").write_text("")
    (finding,) = found(program(tmp_path, "import helpers_of_mine\n"))
    assert (
        finding.help == "an included file is run by itself: put what it needs of helpers_of_mine.py into it"
    )


def test_an_error_leads_through_the_file_with_the_line_that_raised_it(tmp_path: Path) -> None:
    (finding,) = found(program(tmp_path, "def half(x):\n    return x / 0\n\nhalf(1)\n"))
    assert finding.message == "mine.py, line 2: ZeroDivisionError: division by zero"
    text = render(finding)
    assert "mine.py:4:1: note: here\n    half(1)\n    ^^^^^^^\n" in text
    assert "mine.py:2:12: note: in `half`\n        return x / 0\n               ^^^^^\n" in text


def test_what_a_file_prints_is_in_nobodys_way(tmp_path: Path) -> None:
    path = program(tmp_path, "print('hello')\n" + section("printing_block"), "printing_block")
    done = in_a_process(["summary", str(path), "--format", "json"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert "hello" in done.stderr


@pytest.mark.parametrize("command", [["check"], ["train"]])
def test_ctrl_c_in_a_file_that_hangs_names_it(tmp_path: Path, command: list[str]) -> None:
    path = program(tmp_path, "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "netcfg", *command, str(path)],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    for _ in range(600):
        if (tmp_path / "begun").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.strip() == f"interrupted while mine.py was run, which {path.name}:2:10 includes"


# --- names


def test_a_name_used_twice_in_one_file_names_both(tmp_path: Path) -> None:
    (finding,) = found(program(tmp_path, section("twice_here", "One") + section("twice_here", "Two")))
    assert finding.code == "NC012"
    mine = tmp_path / "mine.py"
    assert finding.message == (
        f"mine.py, line 10: [twice_here] is defined by both One in {mine} and Two in {mine}"
    )
    assert finding.help == "give one of them another name"


def test_a_name_used_by_two_files_of_a_program_names_both(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(section("of_two_files"))
    path = tmp_path / "two.cfg"
    path.write_text("{include a.py}\n{include b.py}\n" + NETWORK + "[of_two_files]\n")
    for _ in range(2):  # what has been read once is not run again, and must not pass for that
        (finding,) = found(path)
        assert f"both Same in {tmp_path / 'a.py'} and Same in {tmp_path / 'b.py'}" in finding.message
        assert finding.span is not None
        assert finding.span.line == 2


def test_programs_may_each_have_a_section_of_the_same_name(tmp_path: Path) -> None:
    paths = []
    for number in (1, 2, 3):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = section("of_each_own").replace("names[0]", f"names[0] + ' + {number}'")
        paths.append(program(folder, text, "of_each_own"))
    for number, path in [*enumerate(paths, 1), (1, paths[0])]:
        block = next(netcfg.load(path).networks["N"].blocks).block
        assert block.inline("x") == f"x + {number}"


def test_a_section_of_another_programs_file_is_not_known(tmp_path: Path) -> None:
    netcfg.load(program(tmp_path, section("of_the_first_only"), "of_the_first_only"))
    path = tmp_path / "other.cfg"
    path.write_text(NETWORK + "[of_the_first_only]\n")
    assert [finding.code for finding in found(path)] == ["NC102"]


# --- packages


def test_a_package_brings_sections(tmp_path: Path) -> None:
    place = package(tmp_path / "site", section("from_a_package"))
    (tmp_path / "a.cfg").write_text(NETWORK + "[from_a_package]\n")
    done = in_a_process(["check", "a.cfg"], tmp_path, place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "from_a_package" in in_a_process(["blocks"], tmp_path, place).stdout
    assert "[from_a_package]" in in_a_process(["blocks", "from_a_package"], tmp_path, place).stdout


def test_packages_are_not_read_for_names_that_are_known(tmp_path: Path) -> None:
    place = package(tmp_path / "site", "raise SystemExit('the package was read')\n")
    (tmp_path / "a.cfg").write_text(NETWORK + "[twin]\n{Define twin}\n[identity]\n")
    done = in_a_process(["check", "a.cfg"], tmp_path, place)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_package_is_one_finding(tmp_path: Path) -> None:
    place = package(tmp_path / "site", "import no_such_thing_at_all\n")
    (tmp_path / "a.cfg").write_text(NETWORK + "[idntity]\n")
    done = in_a_process(["check", "a.cfg"], tmp_path, place)
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert told.count("warning[NC703 broken-package]: the package bringer 1.5 brings no sections: ") == 1
    assert "help: `pip install no_such_thing_at_all`" in told
    assert "did you mean `identity`?" in told
    done = in_a_process(["blocks"], tmp_path, place)
    assert done.returncode == 0
    assert "the package bringer 1.5 brings no sections: " in done.stdout


def test_a_name_of_a_package_and_of_a_file_names_both(tmp_path: Path) -> None:
    place = package(tmp_path / "site", section("of_package_and_file", "Theirs"))
    path = program(tmp_path, section("of_package_and_file"), "of_package_and_file")
    done = in_a_process(["check", path.name], tmp_path, place)
    assert done.returncode == 1
    assert "mine.cfg:2:10: error[NC012 broken-extension]: mine.py, line 4: [of_package_and_file] is defined " \
        "by both bringer_sections.Theirs and Same in mine.py\n" in done.stdout + done.stderr  # fmt: skip


def test_a_name_of_a_package_and_of_netcfg_names_both(tmp_path: Path) -> None:
    place = package(tmp_path / "site", section("kept_of_the_package") + section("maxpool", "Other"))
    (tmp_path / "a.cfg").write_text(NETWORK + "[kept_of_the_package]\n")
    done = in_a_process(["check", "a.cfg"], tmp_path, place)
    assert done.returncode == 1
    assert "the package bringer 1.5 brings no sections: [maxpool] is defined by both " \
        "netcfg.blocks.network.pooling.MaxPool and bringer_sections.Other" in done.stdout + done.stderr  # fmt: skip
