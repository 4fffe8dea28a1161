"""`examples/notebook.ipynb`, executed as a reader would, and what its objects show of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "notebook.ipynb"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The code cells with their outputs, from a kernel of their own."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = str(tmp_path_factory.mktemp("notebook"))
    resources = {"metadata": {"path": place}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any, kind: str) -> str:
    """What a cell's value shows of that kind."""
    (value,) = (output.data for output in cell.outputs if output.output_type == "execute_result")
    return str(value[kind])


@pytest.mark.slow
def test_programs_pictures_runs_and_tables_show_themselves(cells: list[Any]) -> None:
    program, volumes, step, plan, network, run, figures, judged, frame = cells
    assert shown(program, "image/svg+xml").startswith("<svg")
    assert "#0072b2" in shown(volumes, "image/svg+xml"), "the palette that was asked for"
    assert "bce_with_logits" in shown(step, "image/svg+xml")
    assert "<caption>" in shown(plan, "text/html")
    assert "On every batch" in shown(plan, "text/html")
    assert ">f1<" in shown(judged, "text/html")
    assert "torch.Size([1, 2])" in shown(network, "text/plain")
    assert "<table><caption>" in shown(run, "text/html")
    printed = "".join(output.text for output in run.outputs if output.output_type == "stream")
    assert [line.split()[0] for line in printed.splitlines() if "bce_with_logits" in line] == ["1", "2"]
    assert shown(figures, "text/plain").endswith(", 2)")
    assert "validation.f1" in shown(frame, "text/html")


def test_the_notebook_is_kept_without_outputs() -> None:
    """They would be of one machine, and each run of it a change."""
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    kept = [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
    assert kept == []
