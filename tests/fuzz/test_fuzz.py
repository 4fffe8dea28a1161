"""A few of the many that `python tests/fuzz/run.py` runs: whatever a file holds, a command answers with findings."""

from __future__ import annotations

import pytest
from through_commands import KINDS, faults_of, text_of


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_makes_a_command_fall_over(kind: str) -> None:
    faults = {seed: found for seed in range(40) if (found := faults_of(text_of(kind, seed)))}
    assert faults == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_always_gives_the_same_text(kind: str) -> None:
    assert [text_of(kind, seed) for seed in range(20)] == [text_of(kind, seed) for seed in range(20)]
    assert len({text_of(kind, seed) for seed in range(20)}) == 20
