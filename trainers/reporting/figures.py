"""The matrices and curves of a split as pictures, and as tables for other programs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from netcfg.files import write_beside
from netcfg.results import Curve, Evaluation, Matrix, by_picture, cell_text, csv_cell
from netcfg.trainers.reporting.saved import saved

FOLDER = "figures"
_MOST_WRITTEN = 20
"""A matrix of more rows has no numbers in its cells, which nobody could read."""


def write_figures(folder: Path, evaluations: Mapping[str, Evaluation]) -> Iterator[tuple[str, bytes]]:
    """Write what there is to draw of evaluated splits, each as .svg, .png and .csv; yield its name and its PNG.

    `validation_confusion_matrix.svg`, say. Raises `NetcfgError` where a file cannot be written.
    """
    for split, evaluation in evaluations.items():
        drawings = [
            *(
                (matrix.name, _of_matrix(matrix, split), matrix_csv(matrix))
                for matrix in evaluation.matrices.values()
            ),
            *(
                (title, _of_curves(title, curves, split), curves_csv(curves))
                for title, curves in by_picture(evaluation.curves.values()).items()
            ),
        ]
        for title, figure, text in drawings:
            folder.mkdir(exist_ok=True)
            path = folder / f"{split}_{file_name(title)}"
            write_beside(path.with_name(f"{path.name}.csv"), text.encode())
            write_beside(path.with_name(f"{path.name}.svg"), saved(figure, "svg"))
            drawn = saved(figure, "png")
            write_beside(path.with_name(f"{path.name}.png"), drawn)
            yield path.name, drawn


def file_name(title: str) -> str:
    """A title as a part of a file name."""
    return re.sub(r"[^\w.-]+", "_", title)


def matrix_csv(matrix: Matrix) -> str:
    """A row for each row, after its name; a cell that cannot be known is empty."""
    corner = " / ".join(title for title in (matrix.row_title, matrix.column_title) if title)
    rows = zip(matrix.rows, matrix.cells, strict=True)
    return csv_text([(corner, *matrix.columns), *((name, *map(csv_cell, cells)) for name, cells in rows)])


def curves_csv(curves: Sequence[Curve]) -> str:
    """A row for each point, after the name of its curve."""
    head = ("curve", curves[0].x_title or "x", curves[0].y_title or "y")
    points = [
        (curve.name, csv_cell(x), csv_cell(y))
        for curve in curves
        for x, y in zip(curve.x, curve.y, strict=True)
    ]
    return csv_text([head, *points])


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as the text of a table."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


# --- drawing


def _of_matrix(matrix: Matrix, split: str) -> Any:
    """Cells shaded by their share of their row, and written out where there is room."""
    cells = [[0.0 if cell is None else cell for cell in row] for row in matrix.cells]
    sums = [sum(map(abs, row)) or 1.0 for row in cells]
    shares = [[cell / total for cell in row] for row, total in zip(cells, sums, strict=True)]
    side = 0.45 * max(len(matrix.rows), len(matrix.columns), 4)
    figure, axes = _axes(side + 2.2, side + 1.8)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(matrix.columns)), matrix.columns, rotation=90)
    axes.set_yticks(range(len(matrix.rows)), matrix.rows)
    axes.set(title=f"{matrix.name}, {split} split", xlabel=matrix.column_title, ylabel=matrix.row_title)
    if len(matrix.rows) <= _MOST_WRITTEN:
        for row, values in enumerate(matrix.cells):
            for column, value in enumerate(values):
                colour = "white" if shares[row][column] > 0.5 else "black"
                axes.text(
                    column, row, cell_text(value), ha="center", va="center", color=colour, fontsize="x-small"
                )
    return figure


def _of_curves(title: str, curves: Sequence[Curve], split: str) -> Any:
    """Lines on common axes; a single point is a mark."""
    from math import nan

    figure, axes = _axes(6.0, 4.5)
    for curve in curves:
        values = [nan if value is None else value for value in curve.y]
        axes.plot(curve.x, values, marker="o" if len(values) < 30 else "", markersize=3, label=curve.name)
    axes.set(title=f"{title}, {split} split", xlabel=curves[0].x_title, ylabel=curves[0].y_title)
    if all(curve.is_logarithmic for curve in curves):
        axes.set_xscale("log")
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend(fontsize="small")
    return figure


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return figure, figure.add_subplot()


__all__ = ["FOLDER", "csv_text", "curves_csv", "file_name", "matrix_csv", "write_figures"]
