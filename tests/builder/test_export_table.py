"""The table of the shipped networks' exports in examples/exports.md: it is whole, and what writes it works."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from netcfg.passes.read import shipped_folder

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "examples" / "exports.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / "exports.py"))


def rows(head: str) -> list[list[str]]:
    """The cells of the table's rows."""
    text = PAGE.partition(head)[2]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[1:]]


def test_its_files_are_shipped_and_each_of_its_cells_is_a_figure_or_a_reason(script: dict[str, Any]) -> None:
    found = rows(script["HEAD"])
    assert found
    for file, _networks, parameters, *cells in found:
        assert (shipped_folder() / f"{file.strip('`')}.cfg").is_file(), file
        assert parameters.replace(",", "").isdecimal()
        for cell, limit in zip(cells, (1e-6, 1e-5, 1e-5), strict=True):
            known = [part for part in cell.split("; ") if ": " not in part]
            assert all(part == "–" or float(part) <= limit for part in known), (file, cell)


def test_a_row_says_the_worst_and_what_stays_behind(script: dict[str, Any]) -> None:
    some = {"file": "net", "network": "A", "parameters": 2000}
    other = some | {"network": "B", "parameters": 10}
    results = [
        some | {"form": "py", "worst": 0.0},
        other | {"form": "py", "worst": 0.0},
        some | {"form": "pt2", "worst": 2e-7},
        other | {"form": "pt2", "worst": 3e-6},
        other | {"form": "onnx", "why": "it draws"},
    ]
    assert script["table"](results).splitlines()[2] == "| `net` | A, B | 2,010 | 0 | 3e-06 | B: it draws |"


def test_what_is_kept_is_not_exported_again(script: dict[str, Any]) -> None:
    kept = [{"file": "zoo/squeezenet1_1", "network": "SqueezeNet", "form": form} for form in ("py", "onnx")]
    (left,) = script["left_to_do"](["zoo/squeezenet1_1"], 50, kept)
    assert (left[0], *left[2:]) == ("zoo/squeezenet1_1", "SqueezeNet", "pt2")
    assert not list(script["left_to_do"](["zoo/squeezenet1_1"], 0.5, []))


@pytest.mark.slow
def test_a_network_leaves_in_all_three_ways(script: dict[str, Any]) -> None:
    program = script["small"]("zoo/distillation")
    for form in script["FORMS"]:
        assert script["tried"]("zoo/distillation", program, "Student", form)["worst"] <= 1e-5
