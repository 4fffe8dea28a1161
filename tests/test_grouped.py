"""Programs made from Python: the same as those of the file that they print."""

from __future__ import annotations

from typing import Any

import pytest

import netcfg
from netcfg.grouped import text_of
from netcfg.source import NetcfgError, ProgramError

SECTIONS: list[Any] = [
    ("net", {"channels": 3, "height": 8, "width": 8}),
    ("convolutional", {"filters": 4, "kernel_size": (3, 1), "pad": True, "activation": None}),
    "flatten",
    ("connected", {"output_features": 5, "name": "head"}),
]


def test_groups_become_the_program_that_their_text_is() -> None:
    program = netcfg.Program.from_groups({"Net": SECTIONS})
    assert [node.type for node in program.networks["Net"].blocks] == ["convolutional", "flatten", "connected"]
    again = netcfg.load(program.resolved)
    assert [node.output.shape for node in again.networks["Net"].blocks] == [
        node.output.shape for node in program.networks["Net"].blocks
    ]
    assert "kernel_size = 3, 1" in program.resolved
    assert "pad = True" in program.resolved


def test_variables_and_presets_are_set_as_in_a_file() -> None:
    groups = {
        "General": [("variables", {"width": 4}), ("preset wide", {"width": 9})],
        "Net": [("net", {"channels": 3}), ("convolutional", {"filters": "$width", "kernel_size": 1})],
    }

    def width(program: netcfg.Program) -> object:
        return program.networks["Net"].nodes[-1].output.shape[0]

    assert width(netcfg.Program.from_groups(groups)) == 4
    assert width(netcfg.Program.from_groups(groups, "wide")) == 9
    assert width(netcfg.Program.from_groups(groups, width=2)) == 2


def test_a_mistake_has_its_place_in_the_text() -> None:
    with pytest.raises(ProgramError) as caught:
        netcfg.Program.from_groups({"Net": [("net", {"channels": 3}), ("convolutionall", {})]})
    (finding,) = caught.value.findings
    assert (finding.code, finding.span and finding.span.line) == ("NC102", 4)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"Net": [("net", {"channels": {1: 2}})]}, "`channels = {1: 2}` cannot stand in a .cfg file"),
        ({"Net": [("net", {"name": "a\n[flatten]"})]}, "cannot stand in a .cfg file"),
        ({"Net": [("net", {"channels": []})]}, "cannot stand in a .cfg file"),
        ({"Net": [("net", {"name": "a # b"})]}, "cannot stand in a .cfg file"),
        ({"Net}": []}, "is no name of a group"),
        ({"Net": ["a]b"]}, "is no name of a section"),
        ({"Net": [("net", {"a = b": 1})]}, "is no name of an option"),
        ({"Net": [3]}, "is no section"),
        ({"Net": "net"}, "holds a list of sections"),
    ],
)
def test_what_no_file_can_hold_is_refused(groups: Any, said: str) -> None:
    with pytest.raises(NetcfgError, match="help: ") as caught:
        text_of(groups)
    assert said in str(caught.value)
