"""The examples of sections of one's own: each trains, and its author's imports are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import netcfg
from netcfg.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples" / "extensions"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_trains_on_the_section_of_its_file(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["train", str(FOLDER / f"{name}.cfg"), "--run-dir", str(run), "--device", "cpu"]) == 0
    result = json.loads((run / "result.json").read_text())
    assert result["epochs"] == 2
    resolved = (run / "resolved.cfg").read_text()
    assert f"[{name}]" in resolved or f"schedule = {name}" in resolved
    assert (run / "extensions" / f"{name}.py").read_bytes() == (FOLDER / f"{name}.py").read_bytes()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_as_it_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blocks", "--verify", str(FOLDER / f"{name}.py")]) == 0
    assert "1 verified: as they say" in capsys.readouterr().out


def test_every_example_is_on_the_page_that_leads_to_them() -> None:
    page = (FOLDER / "README.md").read_text()
    assert [name for name in EXAMPLES if f"[`{name}.py`]({name}.py)" not in page] == []
    for file in (ROOT / "cfg" / "README.md", ROOT / "examples" / "README.md"):
        assert "extensions" in file.read_text()


@pytest.mark.slow
def test_an_author_who_imports_from_the_blocks_has_types() -> None:
    """mypy, strict, sees netcfg as it is installed, or where `netcfg` was found."""
    place = Path(netcfg.__file__).parent.parent
    environment = dict(os.environ)
    if "site-packages" not in place.parts:
        environment["MYPYPATH"] = str(place)
    files = [str(path) for path in sorted(FOLDER.glob("*.py"))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"),
         "--cache-dir", str(ROOT / ".mypy_cache"), *files],
        cwd=FOLDER, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_that_is_promised_to_authors_is_there() -> None:
    import netcfg.blocks

    assert all(getattr(netcfg.blocks, name) is not None for name in netcfg.blocks.__all__)
    wanted = {
        "Block",
        "Loss",
        "Metric",
        "Source",
        "Transform",
        "Optimizer",
        "Sampler",
        "Schedule",
        "FieldSpec",
        "ShapeError",
        "made",
    }
    assert wanted <= set(netcfg.blocks.__all__)
