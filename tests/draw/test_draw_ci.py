"""The tests of pages are never left out in CI: without a browser they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from browser import is_skipped

HERE = Path(__file__).resolve().parent
CI = HERE.parents[1] / ".ci" / "run"


@pytest.mark.parametrize(
    ("environment", "chromium", "skipped"),
    [
        ({}, None, True),
        ({}, "/usr/bin/chromium", False),
        ({"NETCFG_BROWSER": "required"}, None, False),
        ({"NETCFG_BROWSER": "required"}, "/usr/bin/chromium", False),
        ({"NETCFG_BROWSER": ""}, None, True),
    ],
)
def test_without_a_browser_they_are_skipped_unless_it_is_required(
    environment: dict[str, str], chromium: str | None, skipped: bool
) -> None:
    assert is_skipped(environment, chromium) is skipped


@pytest.mark.parametrize(
    ("required", "code", "word"), [("", 0, "skipped"), ("required", 1, "is no chromium")]
)
def test_a_machine_without_a_browser(tmp_path: Path, required: str, code: int, word: str) -> None:
    """A test file of one test, run where no program of that name can be found."""
    (tmp_path / "test_one.py").write_text(
        "from browser import browser, needs_chromium\npytestmark = needs_chromium\ndef test_it(browser): pass\n"
    )
    environment = {**os.environ, "PATH": str(tmp_path), "NETCFG_BROWSER": required, "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, word in done.stdout) == (code, True), done.stdout


def test_ci_requires_it() -> None:
    assert "export NETCFG_BROWSER=required" in CI.read_text().splitlines()
