"""Nothing nests calls as deep as the input is long, nothing doubles unseen, limits are those of a program."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.passes import templates, walk

N = 1500  # Python allows 1,000 calls, one inside the other
NET = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
LAST = "[net]\nchannels = 3\n[identity]\n"
VARIABLES = "{General}\n[variables]\n"
VARIABLES = "{General}\n[variables]\n"
ONE = "[convolutional]\nfilters = 4\nkernel_size = 1\n"


def lines(form: str, count: int = N) -> str:
    return "".join(
        form.replace("@+", str(i + 1)).replace("@-", str(i - 1)).replace("@", str(i)) for i in range(count)
    )


LONG = {
    "blocks": NET + ONE * N,
    "variables": "{General}\n[variables]\n" + lines("v@ = $v@+\n") + f"v{N} = 4\n" + NET + "[flatten]\n",
    "computed variables": "{General}\n[variables]\n" + lines("v@ = ${v@+ + 1}\n") + f"v{N} = 4\n" + NET + "[flatten]\n",
    "defaults of parameters": "{Define t}\n[parameters]\na0 = 4\n" + lines("a@+ = ${a@}\n") + f"[flatten]\n{NET}[t]\n",
    "networks that feed each other": lines("{N@}\n[net]\ninputs = N@+\n[identity]\n") + f"{{N{N}}}\n{LAST}",
    "inputs like another's": lines("{N@}\n[net]\n[input]\nname = a\nlike = N@+\n[identity]\n") + f"{{N{N}}}\n{LAST}",
    "the same network again": "{N}\n" + LAST + lines("{N@}\n[net]\nsame_as = N\n"),
    "sizes of the block before": NET + ONE.replace("[convolutional]\n", "[convolutional]\nname = c0\n")
    + lines("[convolutional]\nname = c@+\nfilters = $c@.channels\nkernel_size = 1\n"),
    "shared parameters": NET.replace("3", "4") + ONE.replace("[convolutional]\n", "[convolutional]\nname = c0\n")
    + lines("[convolutional]\nname = c@+\nfilters = 4\nkernel_size = 1\nshared_with = c@\n"),
    "blocks that are not there": NET + "[identity]\nif = False\n" * N + "[flatten]\n",
    "turns": NET + f"[identity]\nrepeat = {N}\n",
    "copies": NET + f"[identity]\ncopies = {N}\njoin = add\n",
    "rows": "{Table t}\nfilters\n" + "4\n" * N + NET + "[convolutional]\nkernel_size = 1\nrows = t\n",
    "a condition": NET + "[identity]\nif = ${" + " and ".join(["1"] * 80) + "}\n[flatten]\n",
    "an expression": NET + "[identity]\nif = ${" + "-" * 490 + "1}\n[flatten]\n",
}  # fmt: skip


@pytest.mark.parametrize("what", LONG)
def test_long_files_are_read(what: str) -> None:
    assert [(one.code, one.message) for one in netcfg.check(LONG[what])[1] if one.severity == "error"] == []


REFUSED = {
    "templates": ("NC304", lines("{Define t@}\n[t@+]\n") + f"{{Define t{N}}}\n[flatten]\n" + NET + "[t0]\n"),
    "a circle of networks": ("NC203", lines("{N@}\n[net]\ninputs = N@+\n[identity]\n").replace(f"N{N}\n", "N0\n")),
    "a circle of variables": ("NC009", VARIABLES + lines("v@ = $v@+\n") + f"v{N} = $v0\n{NET}[flatten]\n"),
    "brackets": ("NC009", NET + "[identity]\nif = ${" + "(" * 240 + "1" + ")" * 240 + "}\n[flatten]\n"),
    "brackets of a formula": ("NC105", NET + "[formula]\nvalue = " + "(" * 900 + "in" + ")" * 900 + "\n"),
    "signs of a formula": ("NC105", NET + "[formula]\nvalue = " + "-" * 1900 + "in\n"),
    "dots of a name": ("NC105", NET + "[flatten]\nname = " + ".".join("a" * N) + "\n"),
    "braces of a header": ("NC002", "{" * N + "Net" + "}" * N + "\n"),
    "doubling sizes": ("NC304", NET + "[combine_concat]\ncombine_layers = -1, -1\n" * N),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_too_deep_is_one_finding(what: str) -> None:
    code, text = REFUSED[what]
    findings = [one for one in netcfg.check(text)[1] if one.severity == "error"]
    assert [one.code for one in findings] == [code]
    assert len(findings[0].message) < 3_000


@pytest.mark.parametrize(
    "command", [["summary"], ["summary", "--format", "json"], ["fmt", "--expand"], ["graph", "-o", "a.json"]]
)
def test_commands_take_long_files(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text(LONG["blocks"])
    assert main([command[0], "net.cfg", *command[1:]]) == 0


def too_large(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one finding where a program may have 100 blocks."""
    for module in (walk, templates):
        monkeypatch.setattr(module, "MAX_BLOCKS", 100)
    (finding,) = [one for one in netcfg.check(text)[1] if one.severity == "error"]
    assert finding.code == "NC304"
    return finding.message


def test_blocks_are_counted_over_all_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = "[net]\nchannels = 3\n[identity]\nrepeat = 40\n"
    message = too_large(
        "{A}\n" + network + "{B}\n" + network + "{C}\n" + network + "{D}\n" + network, monkeypatch
    )
    assert message == (
        "the program expands to more than 100 blocks: 18 in this network so far, and 82 in those before it"
    )


@pytest.mark.parametrize(
    "use", ["repeat = 5\ncopies = 5\nrows = rows", "copies = 30\nrepeat = 2", "rows = rows\nrepeat = 9"]
)
def test_ways_of_repeating_are_counted_together(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = "{Table rows}\nname\na\nb\nc\n"
    template = "{Define t}\n[identity]\nrepeat = 4\n"
    assert too_large(template + table + NET + f"[t]\n{use}\n", monkeypatch).startswith(
        "the program expands to more"
    )


def test_templates_that_leave_no_block_are_counted_over_all_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{Define t}\n[identity]\nif = False\n"
    network = "[net]\nchannels = 3\n[t]\nrepeat = 20\n[identity]\n"
    message = too_large(template + "".join(f"{{N{i}}}\n{network}" for i in range(4)), monkeypatch)
    assert message == "the program expands to more than 100 blocks in uses of templates"
