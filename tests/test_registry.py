"""Sections are found by name, and no more files are read for that than needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from netcfg.blocks.registry import GROUPS, Group, _module, find, section_names, sections


@pytest.mark.parametrize("group", GROUPS)
def test_the_index_has_just_the_shipped_sections(group: Group) -> None:
    shipped = {
        name: section.__module__
        for name, section in sections(group).items()
        if section.__module__.startswith("netcfg.")
    }
    seen = {name: _module(group, name) for name in section_names(group)}
    assert {name: f"netcfg.blocks.{module}" for name, module in seen.items() if module} == shipped


def test_finding_a_section_reads_its_own_file_alone() -> None:
    code = (
        "import sys; from netcfg.blocks.registry import find\n"
        "assert find('metric', 'auc').type_name == 'auc'\n"
        "print(sorted(name for name in sys.modules if name.startswith('netcfg.blocks.metrics.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "netcfg.blocks.metrics.f1" not in done.stdout
    assert "netcfg.blocks.metrics.auc" in done.stdout


def test_a_name_that_is_none_finds_nothing() -> None:
    assert find("network", "../net") is None
    assert find("loss", "base") is None
