"""A schedule of one's own that is untrue is named, with the method to write; the shipped ones are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from netcfg.blocks.optimizers.schedules import SCHEDULES
from netcfg.cli.main import main
from netcfg.contract import verify

HEAD = """from netcfg.blocks import Schedule


class Mine(Schedule, schedule="{name}"):
    \"\"\"Learning rates of one's own.\"\"\"

"""


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_shipped_schedule_is_as_it_says(name: str) -> None:
    assert [str(breach) for breach in verify(SCHEDULES[name])] == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return 0.5 - finished", "-0.5"),
        ("return float('nan')", "nan"),
        (
            "object.__setattr__(self, '_n', getattr(self, '_n', 0) + 1)\n        return float(self._n)",
            "another one",
        ),
    ],
)
def test_an_untrue_schedule_is_named(
    body: str, found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    method = f"    def factor(self, finished, max_epochs):\n        {body}\n"
    name = f"mine_{abs(hash(body))}"  # one process knows a schedule's name once
    (tmp_path / "mine.py").write_text(HEAD.format(name=name) + method)
    assert main(["blocks", "--verify", str(tmp_path / "mine.py")]) == 1
    said = capsys.readouterr().out
    assert f"[{name}]" in said
    assert found in said
    assert "write `factor`" in said
