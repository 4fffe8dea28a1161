"""Tables on terminals of any width: no line is wider, and no figure is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from netcfg.trainers.reporting.grid import Grid, Rows

GRID = Grid(
    "f1, best epoch (3)",
    ["validation", "test"],
    [Rows([("AU1", ["0.123", "0.456"]), ("AU12", ["–", "0.789"])]), Rows([("mean", ["0.321", "0.654"])])],
)


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(GRID.as_text())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", range(20, 60))
def test_no_figure_is_cut_and_no_line_too_wide(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    assert [figure for figure in ("0.123", "0.456", "0.789", "0.321", "0.654") if figure not in text] == []
    assert "…" not in text
    assert "validation" in text


def test_a_narrow_table_names_the_column_of_every_cell() -> None:
    lines = printed(20).splitlines()
    start = lines.index("AU12")
    assert lines[start : start + 3] == ["AU12", "  validation: –", "  test: 0.789"]


def test_a_wide_terminal_has_rows() -> None:
    assert [line for line in printed(60).splitlines() if "AU12" in line and "0.789" in line] != []
