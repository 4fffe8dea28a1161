"""A machine whose memory is full is told of, and nobody's fault."""

from __future__ import annotations

import pytest

from netcfg.blocks.sources.image_folder import ImageFolder
from netcfg.cli import check
from netcfg.cli.main import main
from netcfg.faults import NO_MEMORY, _remedy

LACKING = [
    MemoryError(),
    MemoryError("Unable to allocate 32.0 TiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", LACKING, ids=repr)
def test_it_is_no_fault_of_a_section(error: Exception) -> None:
    assert _remedy(error, ImageFolder) == NO_MEMORY


@pytest.mark.parametrize("error", LACKING, ids=repr)
def test_a_command_says_so_in_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(options: object) -> int:
        raise error

    monkeypatch.setattr(check, "run", run)
    assert main(["check", "a.cfg"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error[NC807 missing-equipment]: there is not enough memory\nhelp: ")
    assert "Traceback" not in told
