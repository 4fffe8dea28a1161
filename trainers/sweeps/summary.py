"""What a sweep leaves behind beside its runs: its tables, and every figure of every run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netcfg.blocks.general.training import Published
from netcfg.files import write_beside
from netcfg.program import Program
from netcfg.results import Evaluation, csv_cell
from netcfg.trainers.reporting.figures import FOLDER
from netcfg.trainers.reporting.grid import Grid
from netcfg.trainers.sweeps.curves import write_curves
from netcfg.trainers.sweeps.folder import Run
from netcfg.trainers.sweeps.tables import Judged, sweep_grids, sweep_tables


def write_summary(
    path: Path, runs: Sequence[Run], variables: Sequence[str], settings: Mapping[str, Any]
) -> list[Grid]:
    """Write `sweep.json`, `sweep.csv` and `sweep.tex` anew, and give the tables."""
    program = runs[0].program
    split, judged = _judged(runs)
    published = published_of(program)
    grids = sweep_grids(variables, judged, split, published)
    summary = {
        "program": program.name,
        "settings": dict(settings),
        "split": split,
        "runs": [_run_json(run) for run in runs],
        "tables": [table.as_json() for table in sweep_tables(variables, judged, published)],
    }
    write_beside(path / "sweep.json", (json.dumps(summary, indent=2) + "\n").encode())
    write_beside(path / "sweep.csv", _csv(runs, variables).encode())
    latex = "\n".join(["% needs \\usepackage{booktabs}\n", *(grid.as_latex() for grid in grids)])
    write_beside(path / "sweep.tex", latex.encode())
    return grids


def draw_curves(path: Path, runs: Sequence[Run], variables: Sequence[str], name: str) -> list[Path]:
    """Draw what the runs have reached over the numbers of a variable; the pictures."""
    split, judged = _judged(runs)
    folder = path / FOLDER
    return [folder / f"{file}.svg" for file in write_curves(folder, name, variables, judged, split)]


def _judged(runs: Sequence[Run]) -> tuple[str, list[Judged]]:
    """What every run has reached (nothing yet, where it is not finished): on the test split, where there is one."""
    results = [run.result if run.state == "finished" else None for run in runs]
    split = "test" if any(result and result.test for result in results) else "validation"
    pairs = zip(runs, results, strict=True)
    return split, [
        Judged(tuple(run.values.values()), result.split(split) if result else Evaluation())
        for run, result in pairs
    ]


def published_of(program: Program) -> Published | None:
    """The figures that others have printed, where they are of the program's data."""
    published, data = program.published, program.data
    if published is None or data is None:
        return None
    return published if published.data is None or data.source.type_name in published.data else None


def _run_json(run: Run) -> dict[str, Any]:
    result = run.result
    return {
        "values": dict(run.values),
        "folder": run.path.name,
        "state": run.state,
        "epochs": run.epochs,
        "best_epoch": result.best_epoch if result else None,
        "message": run.message or None,
    }


def _csv(runs: Sequence[Run], variables: Sequence[str]) -> str:
    """Every figure of every finished run, a row each."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*variables, "split", "metric", "figure", "value"])
    for run in runs:
        result = run.result
        for split in ("validation", "test"):
            for metric, table in (result.split(split).tables if result else {}).items():
                for name, value in table.figures.items():
                    writer.writerow([*run.values.values(), split, metric, name, csv_cell(value)])
    return stream.getvalue()
