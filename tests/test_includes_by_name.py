"""`{include FILE as NAME}`: two files that call something by one name."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcfg
from netcfg.compile import check

UNITS = (
    "{Table stages}\nfilters kernel_size\n4 1\n8 3\n"
    "{Define unit}\n[parameters]\nstages = stages\n[convolutional]\nrows = $stages\npad = True\nactivation = $act\n"
    "{Define body}\n[unit]\n[unit]\nstages = stages\n[defaults]\nunit.stages = stages\n[unit]\n"
    "{General}\n[variables]\nact = relu\n[training]\nmax_epochs = 3\n{M}\n[net]\nchannels = 3\n[identity]\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "units.cfg").write_text(UNITS)
    (tmp_path / "other.cfg").write_text("{Define body}\n[softmax]\ndim = 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_files_with_one_name_are_told_apart(folder: Path) -> None:
    text = (
        "{include units.cfg as u}\n{include other.cfg}\n{include units.cfg as v}\n{N}\n[net]\nchannels = 3\n"
    )
    text += "[u.body]\n[v.body]\n[body]\n[convolutional]\nrows = u.stages\n"
    program = netcfg.load(text)
    assert list(program.networks) == ["N"]  # that of the file stays behind
    types = [node.type for node in program.networks["N"].blocks]
    assert types == ["convolutional"] * 12 + ["softmax"] + ["convolutional"] * 2
    assert program.variables == {"act": "relu"}
    again = netcfg.load(program.resolved)
    assert [node.path for node in again.networks["N"].nodes] == [
        node.path for node in program.networks["N"].nodes
    ]


def test_without_names_the_error_names_both_and_the_remedy(folder: Path) -> None:
    (finding,) = check(
        "{include units.cfg}\n{include other.cfg}\n{N}\n[net]\nchannels = 3\n[body]\n[body]\n"
    )[1]
    assert finding.code == "NC109"
    assert finding.span is not None
    assert (finding.span.file.name, finding.span.line) == ("<text>", 6)
    assert [note.span.file.name for note in finding.notes] == ["units.cfg", "other.cfg"]
    assert "{include units.cfg as a}" in (finding.help or "")


def test_files_of_one_name_and_number_are_told_apart(tmp_path: Path) -> None:
    for folder, kernel in (("x", 3), ("y", 5)):
        (tmp_path / folder).mkdir()
        body = f"[convolutional]\nfilters = 4\nkernel_size = {kernel}\n"
        text = f"{{Define unit}}\n{body}{{Define stage_{folder}}}\n[unit]\n"
        (tmp_path / folder / "net2.cfg").write_text(text)
    # Called as the second `net2` would be, were numbers written right behind the word.
    (tmp_path / "net22.cfg").write_text("{Define unit}\n[identity]\n{Define stage_z}\n[unit]\n")
    includes = "".join(f"{{include {name}}}\n" for name in ("x/net2.cfg", "y/net2.cfg", "net22.cfg"))
    network = "{N}\n[net]\nchannels = 3\nheight = 9\nwidth = 9\n[stage_x]\n[stage_y]\n[stage_z]\n"
    (tmp_path / "net.cfg").write_text(includes + network)
    graph = netcfg.load(tmp_path / "net.cfg").networks["N"]
    assert [node.type for node in graph.blocks] == ["convolutional", "convolutional", "identity"]
    assert [node.block.options()["kernel_size"] for node in list(graph.blocks)[:2]] == [(3,), (5,)]


def test_a_table_of_two_files_is_one_error(folder: Path) -> None:
    (folder / "more.cfg").write_text("{Table stages}\nfilters kernel_size\n6 1\n")
    (finding,) = check(
        "{include units.cfg}\n{include more.cfg}\n{N}\n[net]\nchannels = 3\n[convolutional]\nrows = stages\n"
    )[1]
    assert finding.code == "NC109"


def test_names_that_two_files_give_are_each_file_s_own(folder: Path) -> None:
    """What a file writes means what it defines, or what it alone includes; nobody needs to know of the other's."""
    layer = (
        "{Define layer}\n[convolutional]\nfilters = WIDTH\nkernel_size = 1\n{Define NAME}\n[layer]\n[layer]\n"
    )
    for name, width in (("one", 2), ("two", 5)):
        (folder / f"{name}.cfg").write_text(
            layer.replace("WIDTH", str(width)).replace("NAME", f"{name}_body")
        )
    (folder / "user.cfg").write_text("{include two.cfg}\n{Define of_two}\n[layer]\n")
    both = "{include one.cfg}\n{include user.cfg}\n"
    text = both + "{N}\n[net]\nchannels = 3\n[one_body]\n[two_body]\n[of_two]\n"
    program = netcfg.load(text)
    widths = [int(next(iter(node.outputs.values())).shape[0]) for node in program.networks["N"].blocks]
    assert widths == [2, 2, 5, 5, 5]
    again = netcfg.load(program.resolved)
    assert [node.path for node in again.networks["N"].nodes] == [
        node.path for node in program.networks["N"].nodes
    ]
    own = netcfg.load(both + "{Define layer}\n[identity]\n{N}\n[net]\nchannels = 3\n[layer]\n[one_body]\n")
    assert [node.type for node in own.networks["N"].blocks] == ["identity", "convolutional", "convolutional"]


@pytest.mark.parametrize(
    ("include", "code"),
    [
        ("missing.cfg as r", "NC007"),
        ("units.cfg as 3r", "NC007"),
        ("mine.py as r", "NC005"),
        ("loop.cfg as r", "NC008"),
    ],
)
def test_includes_that_cannot_be(folder: Path, include: str, code: str) -> None:
    (folder / "mine.py").write_text("")
    (folder / "loop.cfg").write_text("{include loop.cfg as r}\n{Define t}\n[identity]\n")
    findings = check(f"{{include {include}}}\n{{N}}\n[net]\nchannels = 3\n[identity]\n")[1]
    assert [finding.code for finding in findings] == [code]


def test_files_that_include_each_other_twice_are_not_read_for_ever(folder: Path) -> None:
    for number in range(40):
        name = f"bomb{number + 1}.cfg"
        text = f"{{include {name} as x}}\n{{include {name} as y}}\n{{Define t}}\n[identity]\n"
        (folder / f"bomb{number}.cfg").write_text(text)
    (folder / "bomb40.cfg").write_text("{Define t}\n[identity]\n")
    findings = check("{include bomb0.cfg as b}\n{N}\n[net]\nchannels = 3\n[b.t]\n")[1]
    assert [finding.code for finding in findings] == ["NC015"]


def test_a_name_inside_a_name_is_there_under_each(folder: Path) -> None:
    (folder / "outer.cfg").write_text("{include other.cfg as o}\n{Define both}\n[o.body]\n[o.body]\n")
    text = "{include outer.cfg as u}\n{include outer.cfg as v}\n{N}\n[net]\nchannels = 3\n"
    text += "[u.both]\n[v.both]\n[v.o.body]\n"
    assert len(netcfg.load(text).networks["N"].nodes) == 6
