"""The guides in examples/: every file in them checks, every command in them runs, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcfg
from netcfg.cli.main import _parser, main
from netcfg.codes import _GUIDES, CODES

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
GUIDES = ("start", "own_data", "coming_from", "several_networks", "papers", "exports")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")


def parts(guide: str) -> Iterator[tuple[str, str]]:
    """The language and the text of what a guide shows, in order."""
    for found in FENCE.finditer((EXAMPLES / f"{guide}.md").read_text(encoding="utf-8")):
        yield found[1], found[2]


@pytest.mark.parametrize("guide", GUIDES)
def test_files_of_a_guide_check_and_its_commands_are_known(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for language, text in parts(guide):
        assert language in ("sh", "ini", "python")
        if language == "ini":
            write_file(text)
        for words in commands(text) if language == "sh" else ():
            assert words[0] == "netcfg"
            _parser(words[1:]).parse_args(words[1:])


def commands(text: str) -> Iterator[list[str]]:
    """The words of each line."""
    yield from (shlex.split(line, comments=True) for line in text.splitlines())


def write_file(text: str) -> None:
    """Write a file as it is called, and check it."""
    name = re.match(r"# (\S+\.cfg)\n", text)
    assert name, "its first line says what the file is called"
    Path(name[1]).write_text(text)
    program, findings = netcfg.check(Path(name[1]))
    # Of what comes with the data only `--data` tells.
    assert program is not None or "$data" in text, findings


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES)
def test_all_that_a_guide_shows_works(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # as for a reader who starts Python there
    for language, text in parts(guide):
        if language == "ini":
            write_file(text)
        elif language == "python":
            exec(compile(text, guide, "exec"), {})
        else:
            for words in commands(text):
                assert main(words[1:]) == 0, (words, capsys.readouterr().err)


@pytest.mark.parametrize("guide", [*GUIDES, "README"])
def test_links_of_a_guide_lead_somewhere(guide: str) -> None:
    text = (EXAMPLES / f"{guide}.md").read_text(encoding="utf-8")
    for path, anchor in LINK.findall(text):
        target = EXAMPLES / (path or f"{guide}.md")
        assert target.exists(), path
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            names = {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}
            assert anchor[1:] in names, anchor


def test_every_guide_is_named_in_the_list() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [guide for guide in GUIDES if f"({guide}.md)" not in text] == []


def test_findings_name_pages_that_are_there() -> None:
    pages = {code.guide for code in CODES.values()} - {""}
    assert {"examples/start.md", "examples/coming_from.md", "examples/own_data.md"} <= pages
    for page in pages:
        assert (EXAMPLES.parent / page).is_file(), page
    listed = [code for codes in _GUIDES.values() for code in codes.split()]
    assert sorted(listed) == sorted(set(listed)), "a code has one page"
    assert set(listed) <= set(CODES)


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("{Net}\n[net]\nchannels = 3\n[Conv2d]\n[Linear]\n", "more: examples/coming_from.md"),
        ("{Net\n[net]\nchannels = 3\n", "more: examples/start.md"),
        ("{Net}\n[net]\nchannels = 3\nheight = 4\nwidth = 4\n[flatten]\nfrom = nowhere\n", ""),
    ],
)
@pytest.mark.parametrize("command", ["check", "summary"])
def test_what_is_said_of_mistakes_ends_with_a_page_where_one_deals_with_them(
    command: str,
    text: str,
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text(text)
    assert main([command, "net.cfg"]) == 1
    said = "".join(capsys.readouterr())
    assert said.count("more: ") == (1 if page else 0)
    if page:
        assert said.endswith(f"{page}\n")


def test_the_page_of_a_code_ends_with_its_guide(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "NC506"]) == 0
    assert capsys.readouterr().out.endswith("\n\nMore: examples/own_data.md\n")
    assert main(["explain", "NC301"]) == 0
    assert "More:" not in capsys.readouterr().out
