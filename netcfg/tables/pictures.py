"""A table of runs as a picture: a box for the figures of each cell, or a bar for their mean."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from netcfg.tables.cells import Cells

KINDS = ("box", "bar")
_WIDTH = 0.8
"""Of all rows of a column together, of the room between two columns."""
# Source: Okabe and Ito, Color Universal Design (2008).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
_HATCHES = ("", "//", "..", "xx")
"""After all colours have been used once, a pattern tells rows apart."""


def drawn(table: Cells, kind: str, ending: str, title: str = "") -> bytes:
    """The picture as the bytes of a .svg, .pdf or .png file. Columns are groups; rows have a colour each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(3.5, 1.2 + 0.35 * len(table.rows) * len(table.columns)), 3.0), dpi=200)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    share = _WIDTH / len(table.rows)
    handles = []
    for place, row in enumerate(table.rows):
        at = [number - _WIDTH / 2 + share * (place + 0.5) for number in range(len(table.columns))]
        look = {
            "facecolor": _COLOURS[place % len(_COLOURS)],
            "hatch": _HATCHES[place // len(_COLOURS) % len(_HATCHES)],
            "edgecolor": "black",
            "linewidth": 0.6,
        }
        handles.append(_row(axes, table, row, at, 0.86 * share, look, kind))
    axes.set_xticks(range(len(table.columns)), table.columns)
    metric = table.asked.metric
    axes.set(title=title, ylabel=metric or "")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(table.rows) > 1:
        axes.legend(
            handles, table.rows, fontsize="small", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
        )
    target = BytesIO()
    # Without a date: the same figures give the same bytes.
    known: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(ending, {})
    figure.savefig(target, format=ending[1:], bbox_inches="tight", metadata=known)
    return target.getvalue()


def _row(
    axes: Any, table: Cells, row: str, at: list[float], width: float, look: dict[str, Any], kind: str
) -> Any:
    from matplotlib.patches import Patch

    cells = [table.cell(row, column) for column in table.columns]
    known = [(place, cell) for place, cell in zip(at, cells, strict=True) if cell.samples]
    if kind == "bar":
        errors = [cell.deviation or 0.0 for _, cell in known]
        axes.bar(
            [place for place, _ in known],
            [cell.mean for _, cell in known],
            width,
            yerr=errors if any(errors) else None,
            capsize=2,
            error_kw={"linewidth": 0.8},
            **look,
        )
    elif known:
        axes.boxplot(
            [cell.figures for _, cell in known],
            positions=[place for place, _ in known],
            widths=width,
            patch_artist=True,
            boxprops=look,
            medianprops={"color": "black"},
            flierprops={"markersize": 3},
            manage_ticks=False,
        )
    return Patch(**look)


__all__ = ["KINDS", "drawn"]
