"""The command line: exit codes, what goes to which stream, and that a refusal is a sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import netcfg
from netcfg.cli.main import COMMANDS, main
from netcfg.codes import CODES

GOOD = (
    "{General}\n"
    "[variables]\nwidth = 4\n"
    "[preset demo]\nwidth = 2\n"
    "{N}\n"
    "[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
    "[convolutional]\nname = stem\nfilters = $width\nkernel_size = 3\n"
    "[flatten]\n"
    "[connected]\nname = head\noutput_features = 5\nfreeze = True\n"
)
BAD = GOOD.replace("kernel_size = 3", "kernel_siz = 3")
WARNS = GOOD.replace("[flatten]", "[identity]\n[flatten]\nfrom = stem")
ROOT = Path(__file__).resolve().parent.parent


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder that holds `good.cfg`, `bad.cfg` and `warns.cfg`; no traceback ever shows."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("bad", BAD), ("warns", WARNS)):
        (tmp_path / f"{name}.cfg").write_text(text)

    def command(*arguments: str) -> Result:
        try:
            code = main(list(arguments))
        except SystemExit as exit:
            code = int(exit.code or 0)
        result = Result(code, *capsys.readouterr())
        assert "Traceback" not in result.out + result.err
        return result

    return command


# --- exit codes


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "good.cfg"],
        ["check", "warns.cfg"],
        ["summary", "good.cfg"],
        ["blocks"],
        ["blocks", "net"],
        ["explain"],
        ["explain", "NC103"],
        ["--help"],
        ["--version"],
        ["fmt", "good.cfg"],
        ["graph", "good.cfg"],
    ],
    ids=" ".join,
)
def test_what_is_done_exits_with_0(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "bad.cfg"],
        ["check", "good.cfg", "bad.cfg"],
        ["check", "missing.cfg"],
        ["check", "."],
        ["check", "good.cfg\n"],
        ["summary", "bad.cfg"],
        ["graph", "bad.cfg"],
        ["fmt", "missing.cfg"],
        ["blocks", "convolutoinal"],
        ["explain", "NC999"],
        ["check", "good.cfg", "--set", "width"],
        ["check", "good.cfg", "--set", "=3"],
        ["check", "good.cfg", "--set", "width="],
        ["check", "good.cfg", "--set", "widht=3"],
        ["check", "good.cfg", "--preset", "dmo"],
        ["summary", "good.cfg", "--set", "width=many"],
        ["graph", "good.cfg", "-o", "out.gif"],
        ["graph", "good.cfg", "-o", "out"],
        ["graph", "good.cfg", "-o", "missing/out.svg"],
        ["graph", "good.cfg", "--network", "M"],
        ["graph", "good.cfg", "--scale", "0"],
        ["graph", "good.cfg", "--scale", "nan"],
        ["graph", "good.cfg", "--columns", "0"],
        ["graph", "good.cfg", "--depth", "-1"],
    ],
    ids=" ".join,
)
def test_what_is_refused_exits_with_1_and_says_why(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.code == 1
    assert result.err.strip() or "error" in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chek", "good.cfg"],
        ["check"],
        ["check", "good.cfg", "--format", "xml"],
        ["summary"],
        ["explain", ""],
        ["graph", "good.cfg", "--scale", "big"],
        ["summary", "good.cfg", "--no-such"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert not arguments or result.err.startswith("error[NC801 wrong-command]: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("chek good.cfg", "there is no command `chek`\nhelp: did you mean `check`?"),
        ("summary good.cfg --formt json", "there is no option `--formt`\nhelp: did you mean `--format`?"),
        ("plan good.cfg bad.cfg", "`bad.cfg` is one too many"),
        ("check good.cfg --set width=3 --set width=4", "`--set width` is given twice"),
        ("summary good.cfg --depth 1 --depth 2", "`--depth` is given twice"),
        ("predict run a.png --turn --no-turn", "`--turn` and `--no-turn` exclude each other"),
        ("graph good.cfg -o a.svg --output b.svg", "`-o` and `--output` exclude each other"),
        ("graph good.cfg -o=", "-o/--output: must not be empty"),
        ("generate run -o new --seed=-1", "--seed: must be a whole number from 0"),
        (
            "graph good.cfg --scale big",
            "--scale: invalid float value: 'big'\nhelp: `netcfg graph --help` says",
        ),
    ],
)
def test_a_wrong_command_line_is_refused_as_all_else_is(run: Run, arguments: str, message: str) -> None:
    assert f"error[NC801 wrong-command]: {message}" in run(*arguments.split()).err


def test_a_file_that_is_not_there_has_one_finding(run: Run) -> None:
    told = run("check", "nowhere.cfg", "--set", "width=3", "--preset", "demo").out
    assert "NC004" in told
    assert told.count("error[") == 1


def test_a_file_that_cannot_be_drawn_has_one_finding(run: Run) -> None:
    for arguments in (["graph", "nowhere.cfg"], ["graph", "bad.cfg", "--training"]):
        result = run(*arguments)
        assert (result.code, result.err.count("error[")) == (1, 1)
        assert "note: no picture is written" in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0
    assert "usage: netcfg " + command in result.out


# --- check


def test_check_says_what_is_right(run: Run) -> None:
    assert run("check", "good.cfg").out == "good.cfg: ok (N; 837 parameters)\n".replace(
        "837", f"{4 * 28 + 5 * 145:,}"
    )


def test_check_shows_the_line_and_the_cure(run: Run) -> None:
    lines = run("check", "bad.cfg").out.splitlines()
    assert lines[0].startswith("bad.cfg:14:1: error[NC103 unknown-option]: ")
    assert lines[1:3] == ["    kernel_siz = 3", "    ^^^^^^^^^^"]
    assert lines[3] == "help: did you mean `kernel_size`?"


def test_check_reports_all_files(run: Run) -> None:
    out = run("check", "bad.cfg", "good.cfg", "missing.cfg").out
    assert [f"{name}.cfg: " in out for name in ("bad", "good", "missing")] == [True] * 3


def data_of(result: Result) -> Any:
    return json.loads(result.out)


def test_findings_as_data_have_all_their_parts(run: Run) -> None:
    data = data_of(run("check", "bad.cfg", "--format", "json"))
    assert data["version"] == 1
    (finding,) = data["findings"]
    assert list(finding) == ["code", "name", "severity", "message", "primary", "secondary", "help"]
    assert (finding["code"], finding["name"], finding["severity"]) == ("NC103", "unknown-option", "error")
    assert finding["primary"] == {"file": "bad.cfg", "line": 14, "column": 1, "end_column": 11}


def test_findings_as_data_have_their_second_place(run: Run) -> None:
    Path("two.cfg").write_text(GOOD + GOOD.partition("{N}")[1] + GOOD.partition("{N}")[2])
    (finding,) = data_of(run("check", "two.cfg", "--format", "json"))["findings"]
    assert finding["code"] == "NC109"
    assert [(place["line"], place["message"]) for place in finding["secondary"]] == [(6, "first here")]


def test_a_finding_without_a_place_says_so(run: Run) -> None:
    (finding,) = data_of(run("check", "missing.cfg", "--format", "json"))["findings"]
    assert (finding["code"], finding["primary"], finding["secondary"]) == ("NC004", None, [])


def test_no_findings_as_data_are_an_empty_list(run: Run) -> None:
    assert data_of(run("check", "good.cfg", "--format", "json")) == {"version": 1, "findings": []}


def test_warnings_as_data_are_no_errors(run: Run) -> None:
    result = run("check", "warns.cfg", "--format", "json")
    assert (result.code, [finding["severity"] for finding in data_of(result)["findings"]]) == (0, ["warning"])


def test_a_misspelt_file_names_the_nearest(run: Run) -> None:
    assert "did you mean `good.cfg`?" in run("check", "god.cfg").out


def test_a_misspelt_folder_is_said(run: Run) -> None:
    assert "there is no folder nowhere" in run("check", "nowhere/good.cfg").out


# --- settings


@pytest.mark.parametrize(
    ("options", "filters"),
    [
        ([], 4),
        (["--preset", "demo"], 2),
        (["--set", "width=3"], 3),
        (["--preset", "demo", "--set", " width = 5 "], 5),
    ],
)
def test_settings_reach_the_program(run: Run, options: list[str], filters: int) -> None:
    data = data_of(run("summary", "good.cfg", "--format", "json", *options))
    assert data["networks"][0]["layers"][0]["shape"] == [filters, 6, 6]


def test_a_setting_without_a_value_shows_how(run: Run) -> None:
    assert "NAME=VALUE" in run("check", "good.cfg", "--set", "width").err


@pytest.mark.parametrize(
    ("options", "help"),
    [(["--set", "widht=3"], "did you mean `width`?"), (["--preset", "dmo"], "did you mean `demo`?")],
)
def test_an_unknown_setting_names_the_nearest(run: Run, options: list[str], help: str) -> None:
    result = run("check", "good.cfg", *options)
    assert help in result.out + result.err


# --- summary


def test_the_summary_as_data_has_the_published_keys(run: Run) -> None:
    (network,) = data_of(run("summary", "good.cfg", "--format", "json"))["networks"]
    assert set(network) >= {"name", "inputs", "layers", "parameters", "trainable", "macs"}
    assert network["inputs"] == {"input": [3, 8, 8]}
    keys = {"index", "name", "type", "from", "shape", "parameters", "trainable", "macs", "line"}
    assert all(set(layer) >= keys for layer in network["layers"])


def test_the_summary_lists_the_blocks(run: Run) -> None:
    (network,) = data_of(run("summary", "good.cfg", "--format", "json"))["networks"]
    rows = [
        (layer["index"], layer["name"], layer["type"], layer["from"], layer["shape"])
        for layer in network["layers"]
    ]
    assert rows == [
        (0, "stem", "convolutional", ["input"], [4, 6, 6]),
        (1, "1", "flatten", ["stem"], [144]),
        (2, "head", "connected", ["1"], [5]),
    ]
    assert [(layer["axes"], layer["kind"]) for layer in network["layers"]] == [
        (["channels", "height", "width"], "number"),
        (["features"], "number"),
        (["features"], "number"),
    ]


def test_the_summary_knows_no_axes_that_nobody_said(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "unsaid.cfg"
    file.write_text(
        "{N}\n[net]\n[input]\nname = x\nshape = 3, 4\n[identity]\nfrom = x\n[output]\nname = y\n"
        "[input]\nname = step\nkind = class\n[identity]\nfrom = step\n[output]\nname = z\n"
    )
    (network,) = data_of(run("summary", str(file), "--format", "json"))["networks"]
    assert [(layer["shape"], layer["axes"], layer["kind"]) for layer in network["layers"]] == [
        ([3, 4], None, "number"),
        ([], [], "class"),
    ]


@pytest.mark.parametrize("file", ["good.cfg", str(ROOT / "cfg" / "audetnet.cfg")], ids=["good", "audetnet"])
def test_the_summary_counts_what_is_built(run: Run, file: str) -> None:
    networks = data_of(run("summary", file, "--format", "json"))["networks"]
    built = netcfg.build(netcfg.load(Path(file)))
    counted = {name: sum(value.numel() for value in module.parameters()) for name, module in built.items()}
    trained = {
        name: sum(value.numel() for value in module.parameters() if value.requires_grad)
        for name, module in built.items()
    }
    assert {network["name"]: network["parameters"] for network in networks} == counted
    assert {network["name"]: network["trainable"] for network in networks} == trained
    assert all(sum(layer["macs"] for layer in network["layers"]) == network["macs"] for network in networks)


def test_an_unknown_size_is_its_name(run: Run) -> None:
    Path("open.cfg").write_text("{N}\n[net]\nchannels = 3\n[maxpool]\npool_size = 2\nstride = 2\n")
    (network,) = data_of(run("summary", "open.cfg", "--format", "json"))["networks"]
    assert network["inputs"] == {"input": [3, "height", "width"]}


def test_the_summary_as_text_adds_up(run: Run) -> None:
    out = run("summary", "good.cfg").out
    assert "837 parameters (112 trainable, 725 frozen)" in out


def test_warnings_go_to_the_other_stream(run: Run) -> None:
    result = run("summary", "warns.cfg", "--format", "json")
    assert data_of(result)["networks"]
    assert "warning[NC209" in result.err


# --- graph


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("out.svg", b"<"),
        ("out.png", b"\x89PNG"),
        ("OUT.SVG", b"<"),
        ("out.json", b"{"),
        ("out.html", b"<!"),
        ("out.pdf", b"%PDF-1.4"),
        ("out.dot", b"digraph"),
        ("out.gv", b"digraph"),
        ("out.mmd", b"---\ntitle"),
        ("out.md", b"```mermaid"),
        ("out.tex", b"\\documentclass"),
        ("out.tikz", b"\\begin{tikzpicture}"),
    ],
)
def test_a_graph_is_drawn_where_asked(run: Run, name: str, start: bytes) -> None:
    assert run("graph", "good.cfg", "-o", name).out == f"{name}\n"
    assert Path(name).read_bytes().startswith(start)


@pytest.mark.parametrize("output", [(), ("-o", "net.svg"), ("-o", "./net.svg")])
def test_a_picture_never_replaces_the_file_that_it_shows(
    run: Run, tmp_path: Path, output: tuple[str, ...]
) -> None:
    file = (tmp_path / "good.cfg").rename(tmp_path / "net.svg")
    text = file.read_text()
    result = run("graph", "net.svg", *output)
    assert result.code == 1
    assert result.err.endswith(
        "the picture would take the place of what it shows\nhelp: give -o another name\n"
    )
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("option", "value", "help"),
    [
        ("--style", "volume", "volumes"),
        ("--direction", "left-rihgt", "left-right"),
        ("--labels", "shape,mac", "macs"),
        ("--heat", "parameter", "parameters"),
    ],
)
def test_an_unknown_look_is_refused_with_the_nearest(run: Run, option: str, value: str, help: str) -> None:
    result = run("graph", "good.cfg", option, value)
    assert result.err.startswith(f"error[NC801 wrong-command]: {option}: ")
    assert f"did you mean `{help}`?" in result.err


def test_every_look_draws_another_picture(run: Run) -> None:
    looks = (
        [],
        ["--style", "volumes"],
        ["--direction", "left-right"],
        ["--heat", "macs"],
        ["--labels", "none"],
    )
    pictures = []
    for look in looks:
        run("graph", "good.cfg", "-o", "out.svg", *look)
        pictures.append(Path("out.svg").read_bytes())
    assert len(set(pictures)) == len(looks)


def test_an_unknown_ending_lists_the_known(run: Run) -> None:
    err = run("graph", "good.cfg", "-o", "out.gif").err
    assert all(f"{ending}" in err for ending in (".svg", ".png", ".json", ".pdf", ".dot", "not `.gif`"))
    assert "an ending" in run("graph", "good.cfg", "-o", "out").err


def test_an_ending_that_is_nearly_right_is_set_right(run: Run) -> None:
    assert "did you mean `out.json`?" in run("graph", "good.cfg", "-o", "out.jsn").err


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{lin}", "no `{lin}`\nhelp: did you mean `line`?"),
        ("{line", "expected '}'"),
        ("{line:q}", "code 'q'"),
    ],
)
def test_a_template_of_links_that_cannot_be_filled_in_says_why(run: Run, template: str, reason: str) -> None:
    result = run("graph", "good.cfg", "--link", template)
    assert result.code == 1
    assert reason in result.err


def test_an_unknown_network_names_the_nearest(run: Run) -> None:
    assert "`N`" in run("graph", "good.cfg", "--network", "M").err


def test_a_picture_that_cannot_be_written_says_why(run: Run) -> None:
    Path("file").write_text("")
    for output in ("missing/out.svg", "file/out.svg", "missing/out.json"):
        assert f"cannot write {output}: " in run("graph", "good.cfg", "-o", output).err
    assert "there is no folder missing" in run("graph", "good.cfg", "-o", "missing/out.svg").err


def test_training_is_drawn_where_the_file_trains(run: Run) -> None:
    shutil.copytree(ROOT / "cfg", "cfg")
    assert run("graph", "cfg/audetnet.cfg", "--training", "-o", "a.pdf").out == "a.pdf\n"
    assert run("graph", "cfg/audetnet.cfg", "--training", "--phase", "main", "-o", "a.svg").out == "a.svg\n"
    assert "pair_critic" not in Path("a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["good.cfg", "--training"], "NC403 incomplete-training]: good.cfg trains nothing"),
        (["good.cfg", "--training", "--expand"], "--expand goes with pictures of networks"),
        (["good.cfg", "--training", "--labels", "macs"], "--labels goes with pictures of networks"),
        (["good.cfg", "--training", "--network", "N"], "--network goes with pictures of networks"),
        (["good.cfg", "--phase", "main"], "--phase goes with --training"),
        (
            ["cfg/audetnet.cfg", "--training", "--phase", "mian"],
            "no phase `mian`\nhelp: did you mean `main`?",
        ),
    ],
)
def test_training_that_cannot_be_drawn_says_why(run: Run, arguments: list[str], reason: str) -> None:
    shutil.copytree(ROOT / "cfg", "cfg")
    result = run("graph", *arguments)
    assert result.code == 1
    assert reason in result.err


# --- fmt


def test_fmt_rewrites_what_is_not_canonical(run: Run) -> None:
    assert run("fmt", "good.cfg").err == "formatted good.cfg\n"
    assert run("fmt", "good.cfg").err == ""
    assert (
        netcfg.load(Path("good.cfg")).networks["N"].parameters == netcfg.load(GOOD).networks["N"].parameters
    )


def test_fmt_check_changes_nothing(run: Run) -> None:
    result = run("fmt", "--check", "good.cfg")
    assert (result.code, result.err) == (1, "would change good.cfg\n")
    assert Path("good.cfg").read_text() == GOOD


def test_fmt_leaves_a_file_with_mistakes_as_it_is(run: Run) -> None:
    Path("broken.cfg").write_text("{N\n  [net]\n")
    assert run("fmt", "broken.cfg").code == 1
    assert Path("broken.cfg").read_text() == "{N\n  [net]\n"


def test_fmt_expand_prints_a_program_that_means_the_same(run: Run) -> None:
    out = run("fmt", "--expand", "--preset", "demo", "good.cfg").out
    assert netcfg.load(out).networks["N"].parameters == netcfg.load(GOOD, "demo").networks["N"].parameters


# --- blocks, explain


def test_blocks_lists_every_block(run: Run) -> None:
    out = run("blocks").out
    assert [
        name for name in ("convolutional", "synthetic_faces", "adam", "f1", "training") if name not in out
    ] == []


def test_a_page_shows_options_example_and_source(run: Run) -> None:
    out = run("blocks", "[convolutional]").out
    assert [
        part
        for part in ("filters", "required", "Example::", "netcfg.blocks.network.convolution, line")
        if part not in out
    ] == []


def test_an_unknown_block_names_the_nearest(run: Run) -> None:
    assert "did you mean `convolutional`?" in run("blocks", "convolutoinal").err


@pytest.mark.parametrize("asked", ["NC103", "nc103", "unknown-option", "[NC103 unknown-option]"])
def test_a_code_is_explained_however_it_is_written(run: Run, asked: str) -> None:
    assert run("explain", asked).out.startswith("NC103 unknown-option: ")


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(run: Run, code: str) -> None:
    assert re.fullmatch(rf"{code} [a-z-]+: [A-Z].+\.\n", run("explain", code).out.splitlines(True)[0])


def test_the_reference_page_is_the_one_generated() -> None:
    command = [sys.executable, "-m", "netcfg", "blocks", "--markdown"]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, check=True)
    page = (ROOT / "cfg" / "README.md").read_text(encoding="utf-8")
    assert page.endswith(done.stdout.decode()), "write it anew from `netcfg blocks --markdown`"


def test_a_reader_who_leaves_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object, **__: object) -> None:
        raise BrokenPipeError

    reading, writing = os.pipe()
    monkeypatch.setattr("builtins.print", leave)
    monkeypatch.setattr("sys.stdout", os.fdopen(writing, "w"))
    assert main(["blocks"]) == 0
    os.close(reading)
