"""Every file in `check/` is wrong in the way its name says; the expected code stands beside the line it is found at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netcfg
from netcfg.source import render, sorted_findings

FILES = sorted((Path(__file__).parent / "check").glob("*.cfg"))
MARK = re.compile(r"# ([EW]): (NC\d\d\d)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_is_found_once_at_its_line(path: Path) -> None:
    expected = [
        (number, "error" if kind == "E" else "warning", code)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for kind, code in MARK.findall(line)
    ]
    program, findings = netcfg.check(path)
    found = sorted_findings(findings)
    assert [(f.span.line, f.severity, f.code) for f in found if f.span] == expected, "\n".join(
        map(render, found)
    )
    assert (program is None) == any(kind == "error" for _, kind, _ in expected)
    assert all(f.span for f in found)
