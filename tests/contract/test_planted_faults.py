"""Sections that are wrong about themselves in one way: `netcfg blocks --verify` says which way, and what to write."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BLOCKS = {
    "no_macs": ("multiply-accumulates", "macs"),
    "no_parameter": ("parameters", "parameters"),
    "other_name": ("names of parameters", "Parameters: in its page"),
    "hidden": ("parameters", "lower"),
    "overwritten": ("overwritable", "overwritable"),
    "centred": ("by_sample", "by_sample"),
    "chance": ("by_sample", "by_sample"),
    "no_memory": ("kept for the gradient", "kept"),
    "odd_half": ("shape", "shape"),
    "idle": ("option", "shape, inline or lower"),
    "narrow": ("reach", "reach"),
    "leaking": ("stops_gradient", "stops_gradient"),
    "two_ways": ("inline", "inline"),
    "no_pickle": ("pickle", "lower"),
    "secret_view": ("is_view", "is_view"),
    "in_place": ("overwriting", "overwriting"),
}


@cache
def verified(file: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code of --verify over a file, and the lines of each section. In a process of its own, whose sections
    no other test sees."""
    done = subprocess.run(
        [sys.executable, "-m", "netcfg", "blocks", "--verify", str(HERE / file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("["):
            lines.setdefault(line[1:].partition("]")[0], []).append(line)
    return done.returncode, lines


@pytest.mark.parametrize("name", BLOCKS)
def test_a_planted_fault_of_a_block_is_its_one_line(name: str) -> None:
    code, lines = verified("faulty_blocks.py")
    check, method = BLOCKS[name]
    assert code == 1
    assert len(lines[name]) == 1, lines[name]
    assert f" {check}: declared " in lines[name][0]
    assert lines[name][0].endswith(f": write `{method}`")


def test_a_block_that_keeps_its_contract_has_no_line() -> None:
    _, lines = verified("faulty_blocks.py")
    assert "plain" not in lines


def test_what_authors_import_stays_a_function_when_its_file_is_read() -> None:
    import netcfg.blocks.made
    from netcfg.blocks import made

    assert made is netcfg.blocks.made.made
