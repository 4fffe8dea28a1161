"""The tables of a page of runs, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from netcfg.results import MEANS, Evaluation, Figure, Matrix, Table, by_labels, cell_text, notes, number


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", below: Iterable[Sequence[str]] = ()
) -> str:
    """A table of texts; the first cell of a row is its name. The rows `below` are set apart."""
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    columns = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    bodies = "".join(
        f"<tbody>{''.join(map(_row, part))}</tbody>" for part in (list(rows), list(below)) if part
    )
    return f'<div class="wide"><table>{caption}<thead><tr>{columns}</tr></thead>{bodies}</table></div>'


def _row(cells: Sequence[str]) -> str:
    name, *rest = cells
    return (
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
    )


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what belongs to them, one below the other; what is empty is left out."""
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return f"<dl>{cells}</dl>" if cells else ""


def evaluation_tables(evaluations: Mapping[str, Evaluation]) -> str:
    """All that splits gave, by their names, of which the only one may be empty: metrics, losses, matrices, notes."""
    splits = {split: found for split, found in evaluations.items() if found.losses or found.tables}
    names = dict.fromkeys(name for found in splits.values() for name in found.losses)
    losses = [[name, *(number(found.losses.get(name)) for found in splits.values())] for name in names]
    parts = [*figure_tables(evaluations), *([table(["loss", *splits], losses)] if losses else [])]
    for split, found in splits.items():
        parts += [matrix_table(matrix, split) for matrix in found.matrices.values()]
    said = [sentence for sentence in notes({split or "judged": found for split, found in splits.items()})]
    return "".join([*parts, *(f"<p>{escape(sentence)}</p>" for sentence in said)])


def figure_tables(evaluations: Mapping[str, Evaluation]) -> Iterator[str]:
    """The metrics of splits: a table for those that judge the same labels, with a row for each, and one for all others.

    Columns are metrics, of each split in turn.
    """
    splits = {split: found.tables for split, found in evaluations.items() if found.tables}
    groups = by_labels(splits.values())
    plain = groups.pop((), [])
    if plain:
        yield _plain(plain, splits)
    for labels, names in groups.items():
        columns = {
            _on(name, split): tables[name]
            for name in names
            for split, tables in splits.items()
            if name in tables
        }
        yield _of_labels(labels, columns)


def _on(name: str, split: str) -> str:
    """Of a split, where it has a name."""
    return f"{name}, {split}" if split else name


def _plain(names: Sequence[str], splits: Mapping[str, Mapping[str, Table]]) -> str:
    """A row for each metric, a column for each split, and what an answer that looks at nothing reaches."""
    found = {name: [tables.get(name) for tables in splits.values()] for name in names}
    baselines = [_on("an answer without looking", split) for split in splits]
    with_baselines = any(one is not None and one.baseline for row in found.values() for one in row)
    rows = []
    for row in found.values():
        title = next(one.with_label for one in row if one is not None)
        cells = ["" if one is None else _with_interval(one, one.name, one.main) for one in row]
        rows.append([title, *cells, *([_baseline(one) for one in row] if with_baselines else [])])
    return table(["metric", *splits, *(baselines if with_baselines else [])], rows)


def _baseline(one: Table | None) -> str:
    return f"{number(one.baseline.figure)} ({one.baseline.what})" if one is not None and one.baseline else ""


def _of_labels(labels: Sequence[str], columns: Mapping[str, Table]) -> str:
    roles = {title: one.with_role for title, one in columns.items()}
    below = [key for key in MEANS if any(key in figures for figures in roles.values())]
    parts = [
        [
            [key, *(_with_interval(columns[title], key, roles[title].get(key)) for title in columns)]
            for key in keys
        ]
        for keys in (labels, below)
    ]
    return table(["label", *columns], parts[0], below=parts[1])


def _with_interval(one: Table, key: str, figure: Figure) -> str:
    """A figure, and between which two it lies where that is known."""
    ends = one.intervals.get(key)
    return number(figure) + (f" [{number(ends[0])}, {number(ends[1])}]" if ends else "")


def matrix_table(matrix: Matrix, split: str) -> str:
    """Cells shaded by their share of their row, which the pointer tells."""
    rows = []
    for name, cells in zip(matrix.rows, matrix.cells, strict=True):
        total = sum(abs(cell) for cell in cells if cell is not None) or 1.0
        shades = [0.0 if cell is None else abs(cell) / total for cell in cells]
        shaded = "".join(
            f'<td style="--share:{shade:.3f}" '
            f'title="{escape(f"{name}, {column}: {shade:.1%} of the row")}">{escape(cell_text(cell))}</td>'
            for column, shade, cell in zip(matrix.columns, shades, cells, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{shaded}</tr>')
    corner = escape(" / ".join(title for title in (matrix.row_title, matrix.column_title) if title))
    head = "".join(f'<th scope="col"><span>{escape(column)}</span></th>' for column in matrix.columns)
    caption = f"<caption>{escape(_on(matrix.name, split))}</caption>"
    return (
        f'<div class="wide"><table class="matrix">{caption}<thead><tr><th>{corner}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


__all__ = ["evaluation_tables", "figure_tables", "matrix_table", "pairs", "table"]
