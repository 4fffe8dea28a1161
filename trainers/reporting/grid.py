"""Tables of figures, for a terminal and for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from netcfg.results import ABSENT
from netcfg.trainers.reporting.fitting import FittingTable

PLUS_MINUS = "±"

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    PLUS_MINUS: r"$\pm$",
    ABSENT: "--",
}


@dataclass(frozen=True)
class Rows:
    """Some rows that belong together, each a name and its cells; a title, where there is one, goes before them."""

    rows: Sequence[tuple[str, Sequence[str]]]
    title: str = ""


@dataclass(frozen=True)
class Grid:
    """A table whose cells are texts already. Parts are set apart from each other by a line."""

    title: str
    columns: Sequence[str]
    parts: Sequence[Rows]
    corner: str = ""
    note: str = ""

    def as_text(self) -> Table:
        """For a terminal."""
        table = FittingTable(
            title=escape(self.title), title_justify="left", caption=escape(self.note) or None
        )
        table.caption_justify = "left"
        table.add_column(escape(self.corner))
        for column in self.columns:
            table.add_column(escape(column), justify="right")
        for part in self.parts:
            if part.title:
                table.add_row(escape(part.title), style="bold")
            for name, cells in part.rows:
                table.add_row(escape(name), *cells)
            table.add_section()
        return table

    def as_latex(self) -> str:
        """A `table` of LaTeX's package booktabs."""
        width = len(self.columns)
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(f'{self.title}. {self.note}' if self.note else self.title)}}}",
            rf"\begin{{tabular}}{{l{'r' * width}}}",
            r"\toprule",
            _line(self.corner, self.columns),
        ]
        for part in self.parts:
            lines.append(r"\midrule")
            if part.title:
                lines.append(rf"\multicolumn{{{width + 1}}}{{l}}{{{_latex(part.title)}}} \\")
            lines += [_line(name, cells) for name, cells in part.rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _line(name: str, cells: Sequence[str]) -> str:
    return " & ".join(map(_latex, (name, *cells))) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
