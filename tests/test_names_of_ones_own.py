"""Templates of a file that are called like block types, and defaults that only some blocks can take."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcfg
from netcfg.blocks.registry import section_names

NET = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
TEMPLATE = "{Define @}\n[parameters]\nfilters = 4\n[convolutional]\nfilters = $filters\nkernel_size = 1\n"


def found(text: str | Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in netcfg.check(text)[1]]


@pytest.mark.parametrize("name", ["stack", "frame", "scale", "crop", "token", "parameter", "upsample"])
def test_a_files_own_template_wins_over_the_block_type_of_its_name(name: str) -> None:
    assert name in section_names("network")
    program, findings = netcfg.check(
        TEMPLATE.replace("@", name) + NET + f"[{name}]\nfilters = 5\nrepeat = 2\n[{name}]\n"
    )
    assert [(one.code, one.severity) for one in findings] == [("NC109", "warning")]
    assert program is not None
    assert [node.type for node in program.networks["Net"].blocks] == ["convolutional"] * 3


def test_shipped_templates_keep_to_the_block_types(tmp_path: Path) -> None:
    """A template `convolutional` of one's own has no part in the inside of a shipped one."""
    own = (
        "{Define convolutional}\n[identity]\n"
        + NET.replace("3", "64")
        + "[basic_block]\nplanes = 64\n[convolutional]\n"
    )
    (tmp_path / "net.cfg").write_text("{include blocks/resnet.cfg}\n" + own)
    program, findings = netcfg.check(tmp_path / "net.cfg")
    assert program is not None, [finding.message for finding in findings]
    types = [node.type for node in program.networks["Net"].blocks]
    assert types.count("convolutional") >= 2
    assert types[-1] == "identity"


@pytest.mark.parametrize("name", ["net", "input", "output", "defaults"])
def test_what_every_body_has_is_no_template(name: str) -> None:
    assert ("NC109", "error") in found("{Define " + name + "}\n[identity]\n" + NET + "[identity]\n")


WITH_BIAS = "[convolutional]\nfilters = 4\nkernel_size = 1\n"
WITHOUT = WITH_BIAS + "batch_normalise = True\n"
STARTS = "[defaults]\nconvolutional.bias_start = 0.5\nconvolutional.pad = 1\n"


def test_a_default_is_left_out_where_it_means_nothing() -> None:
    program, findings = netcfg.check(NET + STARTS + WITHOUT + WITH_BIAS + WITHOUT)
    assert not findings
    assert program is not None
    blocks = [node.block for node in program.networks["Net"].blocks]
    assert [block.bias_start is not None for block in blocks] == [False, True, False]
    assert {block.pad for block in blocks} == {(1,)}


def test_a_default_that_no_block_takes_is_one_error_at_its_line() -> None:
    _, (finding,) = netcfg.check(NET + STARTS + WITHOUT + WITHOUT)
    assert (finding.code, finding.span and finding.span.line) == ("NC105", 7)
    assert "bias_start" in finding.message


def test_a_default_counts_over_all_uses_of_its_template() -> None:
    template = "{Define t}\n[parameters]\nnorm\n[defaults]\nconvolutional.bias_start = 0\n" + WITHOUT.replace(
        "True", "$norm"
    )
    assert found(template + NET + "[t]\nnorm = True\n[t]\nnorm = False\n") == []
    assert found(template + NET + "[t]\nnorm = True\n[t]\nnorm = True\n") == [("NC105", "error")]


def test_what_a_block_says_itself_is_never_left_out() -> None:
    assert found(NET + STARTS + WITH_BIAS + WITHOUT + "bias_start = 1\n") == [("NC105", "error")]
