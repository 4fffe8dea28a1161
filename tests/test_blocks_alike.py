"""Blocks that say the same are checked once: each keeps its own name and place, and is told its own mistakes."""

from __future__ import annotations

import netcfg
from netcfg.program import Program

HEAD = "{Net}\n[net]\n[input]\nname = x\naxes = channels, height, width\nshape = 8, 6, 6\n"


def checked(text: str) -> tuple[Program | None, list[tuple[str, int]]]:
    program, findings = netcfg.check(HEAD + text)
    return program, [(finding.code, finding.span.line if finding.span else 0) for finding in findings]


def conv(**options: object) -> str:
    given = {"filters": 8, "kernel_size": 3, "stride": 1, "pad": 1, "activation": "relu", **options}
    return "[convolutional]\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


def test_each_keeps_its_name_and_place() -> None:
    program, _ = checked(
        conv(name="a") + conv() + conv(name="b") + conv(name="c", filters=4) + conv(name="d")
    )
    assert program is not None
    nodes = list(program.networks["Net"].blocks)
    assert [node.block.name for node in nodes] == ["a", None, "b", "c", "d"]
    assert [node.block.written_at for node in nodes] == [node.span for node in nodes]
    assert len({node.span.line for node in nodes}) == len(nodes)
    assert [node.output.shape[0] for node in nodes] == [8, 8, 8, 4, 8]


def test_a_block_that_goes_by_axes_keeps_its_name() -> None:
    body = "[global_avgpool]\nname = gate\n" + "".join(
        f"[combine_multiply]\n{name}combine_layers = x, gate\n"
        for name in ("name = first\n", "", "name = last\n")
    )
    program, _ = checked(body)
    assert program is not None
    nodes = list(program.networks["Net"].blocks)[1:]
    assert [node.block.name for node in nodes] == ["first", None, "last"]
    assert [node.block.written_at for node in nodes] == [node.span for node in nodes]
    assert [node.output.axes for node in nodes] == ["CHW"] * 3


def test_the_same_mistake_is_told_of_each() -> None:
    _, found = checked(conv(name="a", stride=0) + conv(name="b", stride=0))
    assert [code for code, _ in found] == ["NC105", "NC105"]
    assert found[0][1] != found[1][1]


def test_a_bad_name_is_told_where_the_options_are_known() -> None:
    _, found = checked(conv(name="a") + conv(name="x" * 300))
    assert [code for code, _ in found] == ["NC105"]
    _, found = checked(conv(name="a") + conv(name="b") + "name = c\n")
    assert [code for code, _ in found] == ["NC106"]


def test_the_same_options_on_other_signals_are_another_block() -> None:
    program, _ = checked(conv(name="a", stride=2) + conv(name="b", stride=2))
    assert program is not None
    assert [node.output.shape for node in program.networks["Net"].blocks] == [(8, 3, 3), (8, 2, 2)]
