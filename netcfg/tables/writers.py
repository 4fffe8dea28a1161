"""A table of runs as markdown, LaTeX (booktabs) and csv."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from netcfg.results import ABSENT, csv_cell
from netcfg.tables.cells import PROGRAM, Cells, Key
from netcfg.tables.paired import LEVEL, Compared

DAGGER = "†"


@dataclass(frozen=True)
class Style:
    """How figures are written, and what a LaTeX table says of itself."""

    digits: int = 3
    caption: str = ""
    label: str = ""
    tests: Mapping[Key, Compared] = field(default_factory=dict)


def markdown(table: Cells, style: Style) -> str:
    """With the tests, where there are any, below."""
    texts = [[_text(table, style, row, column) for column in table.columns] for row in table.rows]
    lines = [[table.asked.rows, *table.columns], ["---", *("---:" for _ in table.columns)]]
    lines += [[row, *line] for row, line in zip(table.rows, texts, strict=True)]
    whole = "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )
    return whole + "".join(f"\n{note}\n" for note in _notes(style))


def _notes(style: Style) -> list[str]:
    if not style.tests:
        return []
    head = f"{DAGGER}: worse than the best by more than chance (Wilcoxon signed rank, p < {LEVEL:g})"
    return [f"{head}  \n" + "  \n".join(map(str, style.tests.values()))]


def booktabs(table: Cells, style: Style) -> str:
    """A `table` with caption and label; the tests are comments."""
    lines = [f"% {test}" for test in map(_escaped, map(str, style.tests.values()))]
    lines += [r"\begin{table}", r"\centering"]
    mark = (
        rf" $^\dagger$: worse than the best, $p < {LEVEL:g}$ (Wilcoxon signed rank)." if style.tests else ""
    )
    if style.caption or mark:
        lines.append(rf"\caption{{{style.caption}{mark}}}")
    if style.label:
        lines.append(rf"\label{{{style.label}}}")
    corner = "" if table.asked.rows == PROGRAM else table.asked.rows
    lines += [
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(map(_escaped, [corner, *table.columns])) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        cells = [_text(table, style, row, column, latex=True) for column in table.columns]
        lines.append(" & ".join([_escaped(row), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _text(table: Cells, style: Style, row: str, column: str, latex: bool = False) -> str:
    cell = table.cell(row, column)
    if cell.mean is None:
        return "--" if latex else ABSENT
    text = f"{cell.mean:.{style.digits}f}"
    if cell.deviation is not None:
        text += f" {'$' + chr(92) + 'pm$' if latex else '±'} {cell.deviation:.{style.digits}f}"
    if row in table.best(column):
        return rf"\textbf{{{text}}}" if latex else f"**{text}**"
    test = style.tests.get((row, column))
    if test is not None and test.is_worse:
        text += r"$^\dagger$" if latex else f" {DAGGER}"
    return text


def as_csv(table: Cells, style: Style) -> str:
    """A row for each cell, in all digits; with tests, the pairs and p against the best of the column."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    tested = ["pairs", "p"] if style.tests else []
    asked = table.asked
    writer.writerow([asked.rows, asked.columns, "mean", "standard_deviation", "runs", *tested])
    for row in table.rows:
        for column in table.columns:
            cell, test = table.cell(row, column), style.tests.get((row, column))
            against = [str(test.pairs), csv_cell(test.p)] if test is not None else ["", ""]
            figures = [csv_cell(cell.mean), csv_cell(cell.deviation), str(len(cell.samples))]
            writer.writerow([row, column, *figures, *(against if style.tests else [])])
    return stream.getvalue()


def _escaped(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text.replace("≥", r"$\geq$").replace(ABSENT, "--")


WRITERS: Mapping[str, Callable[[Cells, Style], str]] = {
    "markdown": markdown,
    "booktabs": booktabs,
    "csv": as_csv,
}
ENDINGS: Mapping[str, str] = {"markdown": ".md", "booktabs": ".tex", "csv": ".csv"}
PICTURES: Sequence[str] = (".svg", ".pdf", ".png")

__all__ = ["ENDINGS", "PICTURES", "WRITERS", "Style"]
