"""Includes: where a file is looked for, once each, and what cannot be included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import netcfg
from netcfg.source import Finding, findings_to_json, render, sorted_findings

NETWORK = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
BLOCK = '''"""A block of one's own."""

from __future__ import annotations

from netcfg.blocks.base import Block
from pydantic import Field


class TimesNumber(Block, name="times_number"):
    """Every number times a learned one.

    Example::

        [times_number]         # 3x8x8 -> 3x8x8
    """

    start: float = Field(1.0, description="what it is at first")

    def parameters(self, *inputs):
        return 1

    def lower(self, *inputs):
        import torch
        from torch import nn

        class Times(nn.Module):
            def __init__(self, start):
                super().__init__()
                self.factor = nn.Parameter(torch.tensor(start))

            def forward(self, x):
                return self.factor * x

        return Times(self.start)
'''


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def found(path: Path | str) -> list[Finding]:
    return sorted_findings(netcfg.check(path)[1])


def codes(path: Path | str) -> list[str]:
    return [finding.code for finding in found(path)]


# --- where


def test_an_include_is_beside_the_including_file(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cfg="{include parts/b.cfg}\n", parts__b_dot_cfg="{include c.cfg}\n")
    write(tmp_path, parts__c_dot_cfg=NETWORK + "[identity]\n")
    assert list(netcfg.load(tmp_path / "a.cfg").networks) == ["N"]


def test_what_is_not_beside_the_file_is_taken_from_the_shipped_ones(tmp_path: Path) -> None:
    text = "{include blocks/vgg16.cfg}\n{N}\n[net]\nchannels = 3\n[vgg16_features]\nfilters = 2\n"
    write(tmp_path, a_dot_cfg=text)
    assert netcfg.load(tmp_path / "a.cfg").networks["N"].nodes[-1].output.shape[0] == 16


def test_a_file_beside_the_including_one_wins_over_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cfg="{include blocks/vgg16.cfg}\n", blocks__vgg16_dot_cfg=NETWORK + "[identity]\n")
    assert list(netcfg.load(tmp_path / "a.cfg").networks) == ["N"]


def test_a_text_includes_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, b_dot_cfg=NETWORK + "[identity]\n")
    assert list(netcfg.load("{include b.cfg}\n").networks) == ["N"]


# --- once


def test_a_file_included_twice_is_read_once(tmp_path: Path) -> None:
    text = "{include b.cfg}\n{include ./b.cfg}\n{include c.cfg}\n"
    write(tmp_path, a_dot_cfg=text, b_dot_cfg=NETWORK + "[identity]\n", c_dot_cfg="{include b.cfg}\n# c\n")
    assert codes(tmp_path / "a.cfg") == []


def test_a_network_of_two_files_shows_both_places(tmp_path: Path) -> None:
    write(
        tmp_path, a_dot_cfg="{include b.cfg}\n" + NETWORK + "[identity]\n", b_dot_cfg=NETWORK + "[identity]\n"
    )
    (finding,) = found(tmp_path / "a.cfg")
    assert finding.code == "NC109"
    assert [note.span.file.name.endswith("b.cfg") for note in finding.notes] == [True]


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_cycle_is_one_finding_that_names_the_way_round(tmp_path: Path, length: int) -> None:
    for index in range(length):
        (tmp_path / f"f{index}.cfg").write_text(
            f"{{include f{(index + 1) % length}.cfg}}\n" + (NETWORK + "[identity]\n") * (not index)
        )
    (finding,) = found(tmp_path / "f0.cfg")
    assert finding.code == "NC008"
    assert " → ".join(f"f{index % length}.cfg" for index in range(length + 1)) in finding.message


def test_a_finding_in_an_included_file_shows_the_way_to_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_dot_cfg="\n{include b.cfg}\n",
        b_dot_cfg="{include c.cfg}\n",
        c_dot_cfg=NETWORK + "[idntity]\n",
    )
    (finding,) = found(tmp_path / "a.cfg")
    text = render(finding)
    assert finding.span is not None
    assert finding.span.file.name.endswith("c.cfg")
    assert text.index("b.cfg:1:10: note: included here") < text.index("a.cfg:2:10: note: included here")


# --- what cannot be included


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cfg="{include bloks.cfg}\n", blocks_dot_cfg="")
    (finding,) = found(tmp_path / "a.cfg")
    assert (finding.code, finding.help) == ("NC007", "did you mean `blocks.cfg`?")


def test_a_missing_shipped_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cfg="{include blocks/vgg19.cfg}\n")
    assert found(tmp_path / "a.cfg")[0].help == "did you mean `blocks/vgg16.cfg`?"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "NC006"),
        (b"# nothing here\n", "NC006"),
        (b"PK\x03\x04\0\0\0\0", "NC005"),
        ("{R\u00e9seau}\n".encode("latin-1"), "NC005"),
        (b"{a}\n\xff\xfe\n", "NC005"),
    ],
)
@pytest.mark.parametrize("included", [False, True])
def test_what_is_no_text_is_one_finding(tmp_path: Path, data: bytes, code: str, included: bool) -> None:
    (tmp_path / "b.cfg").write_bytes(data)
    (tmp_path / "a.cfg").write_text("{include b.cfg}\n" + NETWORK + "[identity]\n")
    assert codes(tmp_path / ("a.cfg" if included else "b.cfg")) == [code]


def test_a_byte_that_is_no_text_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_bytes("{R\u00e9seau}\n  \u00e9".encode() + b"\xff\n")
    (finding,) = found(tmp_path / "a.cfg")
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (2, 4)


@pytest.mark.parametrize(
    "name", ["missing.cfg", "folder", "folder/missing.cfg", "n" * 3000, "zero\0.cfg", ""]
)
def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    assert codes(tmp_path / name) == ["NC004"]


@pytest.mark.parametrize("name", ["folder", "n" * 3000, "zero\0.cfg", "..", "/", "''"])
def test_an_include_that_cannot_be_found_is_one_finding(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.cfg").write_text(f"{{include {name}}}\n")
    assert "NC007" in codes(tmp_path / "a.cfg") or codes(tmp_path / "a.cfg") == ["NC005"]


# --- Python files


def test_a_python_file_brings_its_own_blocks(tmp_path: Path) -> None:
    write(tmp_path, blocks_dot_py=BLOCK)
    write(tmp_path, a_dot_cfg="{include blocks.py}\n" + NETWORK + "[times_number]\nname = t\nstart = 3\n")
    program = netcfg.load(tmp_path / "a.cfg")
    network = netcfg.build(program)["N"]
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(network(x), 3 * x)
    assert list(network.state_dict()) == ["t.factor"]
    assert program.networks["N"].parameters == 1


def test_a_block_of_ones_own_has_checked_options(tmp_path: Path) -> None:
    write(tmp_path, blocks_dot_py=BLOCK.replace("times_number", "times_checked"))
    write(tmp_path, a_dot_cfg="{include blocks.py}\n" + NETWORK + "[times_checked]\nstart = many\nend = 1\n")
    assert codes(tmp_path / "a.cfg") == ["NC105", "NC103"]


def test_a_changed_python_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, a_dot_cfg="{include blocks.py}\n" + NETWORK + "[times_again]\nstop = 1\n")
    source = BLOCK.replace("times_number", "times_again")
    write(tmp_path, blocks_dot_py=source)
    assert codes(tmp_path / "a.cfg") == ["NC103"]
    write(tmp_path, blocks_dot_py=source.replace("start", "stop"))
    assert codes(tmp_path / "a.cfg") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\n\nraise ValueError('no')\n", 3),
        ("x = 1\ndef f(:\n", 2),
        ("import no_such_module_anywhere\n", 1),
        ("def f():\n    return 1 / 0\n\nf()\n", 2),
    ],
)
def test_a_broken_python_file_is_one_finding_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, blocks_dot_py=text, a_dot_cfg="{include blocks.py}\n" + NETWORK + "[identity]\n")
    (finding,) = found(tmp_path / "a.cfg")
    assert finding.code == "NC012"
    assert finding.message.startswith(f"blocks.py, line {line}: ")
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (1, 10)


def test_a_block_that_exists_already_is_refused(tmp_path: Path) -> None:
    write(tmp_path, blocks_dot_py=BLOCK.replace("times_number", "maxpool"))
    write(tmp_path, a_dot_cfg="{include blocks.py}\n" + NETWORK + "[identity]\n")
    (finding,) = found(tmp_path / "a.cfg")
    assert finding.code == "NC012"
    assert "netcfg.blocks.network.pooling.MaxPool" in finding.message


# --- limits, and what may not be read


def test_includes_may_be_nested_so_deep_and_no_deeper(tmp_path: Path) -> None:
    for index in range(1_200):
        (tmp_path / f"f{index}.cfg").write_text(f"{{include f{index + 1}.cfg}}\n")
    (tmp_path / "f1200.cfg").write_text(NETWORK + "[identity]\n")
    assert codes(tmp_path / f"f{1_200 - 64}.cfg") == []
    findings = found(tmp_path / "f0.cfg")
    assert findings[0].code == "NC015"
    assert str(findings[0].span).endswith("f64.cfg:1:10")
    assert {finding.code for finding in findings[1:]} <= {"NC208"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to check files in; beside it lies `outside.cfg`, and the working folder is another."""
    for name in ("inside", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside.cfg").write_text(NETWORK + "[identity]\n")
    (tmp_path / "outside.py").write_text("raise ValueError('was run')\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "inside"


@pytest.mark.parametrize("way", ["../outside.cfg", "../outside.py", "{folder}/outside.cfg", "link.cfg"])
def test_an_include_stays_inside_unless_it_is_allowed_out(tree: Path, way: str) -> None:
    (tree / "link.cfg").symlink_to(tree.parent / "outside.cfg")
    (tree / "a.cfg").write_text(
        "{include " + way.format(folder=tree.parent) + "}\n" + NETWORK.replace("N", "M") + "[identity]\n"
    )
    (finding,) = found(tree / "a.cfg")
    assert (finding.code, finding.span.line if finding.span else 0) == ("NC014", 1)
    assert "--allow-outside" in (finding.help or "")
    allowed = [finding.code for finding in netcfg.check(tree / "a.cfg", allow_outside=True)[1]]
    assert allowed == (["NC012"] if way.endswith(".py") else [])


def test_the_working_folder_may_be_included_from(tree: Path) -> None:
    (tree.parent / "elsewhere" / "b.cfg").write_text(NETWORK + "[identity]\n")
    (tree / "a.cfg").write_text("{include ../elsewhere/b.cfg}\n")
    assert codes(tree / "a.cfg") == []


SECRET = "swordfish = hunter2\n"


@pytest.mark.parametrize("name", ["secret.txt", "secret"])
def test_no_line_of_a_file_that_is_no_cfg_is_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SECRET + "daemon:x:0:0\n[default]\n")
    (tmp_path / "a.cfg").write_text("{include " + name + "}\n" + NETWORK + "[identity]\n")
    for path in (tmp_path / "a.cfg", tmp_path / name):
        (finding,) = found(path)
        assert finding.code == "NC005"
        assert not any(word in render(finding) for word in ("swordfish", "hunter2", "daemon", "default"))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.cfg")
    os.mkfifo(tmp_path / "pipe.py")
    for path in (tmp_path / "pipe.cfg", tmp_path, Path("/dev/zero"), Path("/dev/stdin")):
        assert codes(path) == ["NC004"]
    (tmp_path / "a.cfg").write_text("{include pipe.cfg}\n{include pipe.py}\n{include /dev/zero}\n")
    assert codes(tmp_path / "a.cfg") == ["NC007"] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise SystemExit(3)", "it ends the program (SystemExit: 3)"),
        ("import os\nos._exit(3)", "it ends the program (SystemExit: 3)"),
        ("import sys\nsys.exit()", "it ends the program (SystemExit)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('a\\nb')", "BaseException: a b"),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "E"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("raise ValueError('\\x1b[31m')", "ValueError: ␛[31m"),
    ],
)
def test_whatever_a_python_file_raises_is_a_finding_at_its_include(
    tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path, blocks_dot_py=text + "\n", a_dot_cfg="{include blocks.py}\n" + NETWORK + "[identity]\n")
    (finding,) = found(tmp_path / "a.cfg")
    assert (finding.code, finding.span.line if finding.span else 0) == ("NC012", 1)
    assert finding.message.partition(": ")[2].startswith(said)


def test_a_ctrl_c_while_a_python_file_hangs_names_the_file(tmp_path: Path) -> None:
    write(
        tmp_path, slow_dot_py="import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    )
    write(tmp_path, a_dot_cfg="{include slow.py}\n" + NETWORK + "[identity]\n")
    command = [sys.executable, "-m", "netcfg", "check", str(tmp_path / "a.cfg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert "slow.py was run" in done.stderr
    assert "a.cfg:1:10" in done.stderr


def test_what_a_python_file_prints_is_no_part_of_the_answer(tmp_path: Path) -> None:
    write(
        tmp_path, loud_dot_py="print('hello')\n", a_dot_cfg="{include loud.py}\n" + NETWORK + "[identity]\n"
    )
    command = [sys.executable, "-m", "netcfg", "check", "--format", "json", str(tmp_path / "a.cfg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["findings"] == []
    assert "hello" in done.stderr


# --- control characters


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x08", "\x7f", "\x9b", "\r"])
@pytest.mark.parametrize(
    "text",
    [
        "{N?x}\n[net]\nchannels = 3\n",
        NETWORK + "[identity]\nname = a?b\n",
        NETWORK + "[ident?ity]\n",
        NETWORK + "[identity]\nweights = a?b\n",
        NETWORK + "[identity] # a ? b\n",
        NETWORK + "[identity]\nfrom = ?1\n",
    ],
)
def test_control_characters_are_refused_and_shown_as_signs(tmp_path: Path, character: str, text: str) -> None:
    path = tmp_path / f"a{character}.cfg"
    path.write_text(text.replace("?", character), newline="")
    findings = found(path)
    assert "NC013" in [finding.code for finding in findings]
    shown = "".join(map(render, findings)) + json.dumps(findings_to_json(findings), ensure_ascii=False)
    assert character not in shown


def test_control_characters_from_outside_the_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("{General}\n[variables]\nv = 1\n" + NETWORK + "[identity]\n")
    _, findings = netcfg.check(tmp_path / "a.cfg", variables={"v": "\x1b[31m"})
    assert [finding.code for finding in findings] == ["NC013"]
    assert "\x1b" not in render(findings[0])


def test_a_long_value_does_not_fill_the_screen(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text(
        NETWORK + "[convolutional]\nfilters = " + "9" * 100_000 + "\nkernel_size = 1\n"
    )
    (finding,) = found(tmp_path / "a.cfg")
    assert len(render(finding)) < 3_000
