"""Every shipped section type keeps its contract: what its class says of it is what it does."""

from __future__ import annotations

import pytest

from netcfg.blocks.registry import GROUPS, Group, sections
from netcfg.contract import verify

ALL: list[tuple[Group, str]] = [(group, name) for group in GROUPS for name in sections(group)]


@pytest.mark.parametrize(("group", "name"), ALL)
def test_a_section_is_what_it_says(group: Group, name: str) -> None:
    assert [str(breach) for breach in verify(sections(group)[name])] == []
