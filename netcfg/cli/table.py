"""`netcfg table RUNS…`: the figures of finished runs, of any origin, as one table for a paper."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from netcfg.cli.combining import with_runs_of_sweeps
from netcfg.files import write_beside
from netcfg.opened import Run, open_run
from netcfg.source import NetcfgError, did_you_mean, shown_path

PROGRAM, METRIC, LABEL = "program", "metric", "label"
"""What rows and columns may be beside the variables of the runs."""
DASH = "\u2013"
_FORMATS = {"markdown": ".md", "booktabs": ".tex", "csv": ".csv"}
Cell = tuple[float, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "One table of the figures of finished runs: mean and standard deviation where several runs share a cell, the "
        "best of each column in bold, a dash where a run has no such figure."
    )
    parser.epilog = (
        "examples: netcfg table runs/*;  netcfg table swept --rows program --columns fold --metric f1 -o f1.tex;  "
        "netcfg table runs/a-1 runs/b-1 --columns label --metric f1 --percent"
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of sweeps")
    parser.add_argument(
        "--rows",
        metavar="NAME",
        default=PROGRAM,
        help="program (the default), label, or a variable: `--rows au`",
    )
    parser.add_argument(
        "--columns",
        metavar="NAME",
        default=METRIC,
        help="metric (the default), label, program, or a variable",
    )
    parser.add_argument(
        "--metric", metavar="NAME", help="whose figures, where no column says so (default: monitored)"
    )
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="default: test")
    parser.add_argument("--digits", type=int, default=3, metavar="N", help="after the point (default: 3)")
    parser.add_argument("--percent", action="store_true", help="times 100")
    parser.add_argument("--caption", metavar="TEXT", help="of a LaTeX table")
    parser.add_argument("--label", metavar="NAME", help="of a LaTeX table, for \\ref")
    parser.add_argument(
        "--format", choices=tuple(_FORMATS), help="default: by the file's ending, else markdown"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help=".md, .tex or .csv; printed by default")


def run(options: argparse.Namespace) -> int:
    """Print the table, or write it."""
    kind = _format(options)
    if not 0 <= options.digits <= 12:
        raise NetcfgError(f"--digits must be from 0 to 12, found {options.digits}", code="NC801")
    for name in ("caption", "label"):
        if vars(options)[name] and kind != "booktabs":
            raise NetcfgError(
                f"`--{name}`: only a LaTeX table has one\nhelp: leave it out, or `--format booktabs`",
                code="NC801",
            )
    if options.rows == options.columns:
        raise NetcfgError(f"rows and columns are both `{options.rows}`\nhelp: name two", code="NC801")
    runs = [open_run(path) for path in with_runs_of_sweeps(options.runs)]
    cells = _cells(runs, options)
    text = _written(cells, _directions(runs), kind, options)
    if options.output is None:
        print(text, end="")
    else:
        write_beside(Path(options.output), text.encode())
        print(f"wrote {shown_path(Path(options.output))}: {len(runs)} runs")
    return 0


def _format(options: argparse.Namespace) -> str:
    if options.format:
        return str(options.format)
    if options.output is None:
        return "markdown"
    ending = Path(options.output).suffix
    found = next((name for name, known in _FORMATS.items() if known == ending), None)
    if found is None:
        raise NetcfgError(
            f"{options.output}: a table is written as .md, .tex or .csv\nhelp: or say `--format`",
            code="NC801",
        )
    return found


def _cells(runs: Sequence[Run], options: argparse.Namespace) -> dict[tuple[str, str], Cell]:
    """The figures of each cell, in the order in which rows and columns come."""
    cells: dict[tuple[str, str], list[float]] = {}
    unfinished = [run for run in runs if run.result is None]
    if len(unfinished) == len(runs):
        raise NetcfgError(
            f"none of these runs has finished: {', '.join(shown_path(run.path) for run in unfinished)}\n"
            "help: `netcfg train --resume RUN` goes on with one",
            code="NC802",
        )
    known = sorted({name for run in runs if run.result for name in run.result.split(options.split).tables})
    if options.metric and options.metric not in known:
        help = did_you_mean(options.metric, known) or f"they have {', '.join(known) or 'none at all'}"
        raise NetcfgError(f"no run has a metric `{options.metric}`\nhelp: {help}", code="NC802")
    for run in runs:
        result = run.result
        if result is None:
            print(f"note: {shown_path(run.path)} has not finished, and is left out", file=sys.stderr)
            continue
        tables = result.split(options.split).own_tables
        wanted = options.metric or result.monitor
        for name, table in tables.items():
            if (METRIC not in (options.rows, options.columns) or options.metric) and name != wanted:
                continue
            by_label: Mapping[str, float | None] = (
                table.labels if LABEL in (options.rows, options.columns) else {"": table.main}
            )
            for label, figure in by_label.items():
                places = {METRIC: name, LABEL: label, PROGRAM: run.name}
                row, column = (_place(run, key, places) for key in (options.rows, options.columns))
                found = cells.setdefault((row, column), [])
                if figure is not None:
                    found.append(figure * (100 if options.percent else 1))
    if not cells:
        raise NetcfgError(
            f"these runs have no figures of the {options.split} split\nhelp: `--split validation`",
            code="NC802",
        )
    return {key: tuple(values) for key, values in cells.items()}


def _place(run: Run, key: str, places: Mapping[str, str]) -> str:
    """Where a run stands among rows or columns."""
    return places[key] if key in places else run.settings.get(key, DASH)


def _directions(runs: Sequence[Run]) -> dict[str, bool]:
    """By metric whether more is better, as the runs' own programs say."""
    found: dict[str, bool] = {}
    for run in runs:
        try:
            metrics = run.program.metrics
        except NetcfgError:  # its Python files are gone: which way is better nobody knows
            continue
        found |= {name: metric.higher_is_better for name, metric in metrics.items()}
    return found


def _written(
    cells: Mapping[tuple[str, str], Cell],
    directions: Mapping[str, bool],
    kind: str,
    options: argparse.Namespace,
) -> str:
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    best = {
        column: _best(
            cells, rows, column, directions.get(column if options.columns == METRIC else options.metric)
        )
        for column in columns
    }
    if kind == "csv":
        return _csv(cells, rows, columns, options)
    texts = [
        [_text(cells.get((row, column)), row in best[column], kind, options.digits) for column in columns]
        for row in rows
    ]
    if kind == "markdown":
        lines = [[options.rows, *columns], ["---", *("---:" for _ in columns)]]
        lines += [[row, *line] for row, line in zip(rows, texts, strict=True)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return _booktabs(rows, columns, texts, options)


def _best(
    cells: Mapping[tuple[str, str], Cell], rows: Sequence[str], column: str, higher: bool | None
) -> set[str]:
    """The rows with the best mean of a column; none where nobody knows which is better, or there is one row."""
    means = {row: fmean(cells[row, column]) for row in rows if cells.get((row, column))}
    if higher is None or len(means) < 2:
        return set()
    top = max(means.values()) if higher else min(means.values())
    return {row for row, mean in means.items() if mean == top}


def _text(cell: Cell | None, is_best: bool, kind: str, digits: int) -> str:
    if not cell:
        return "--" if kind == "booktabs" else DASH
    text = f"{fmean(cell):.{digits}f}"
    if len(cell) > 1:
        sign = r"$\pm$" if kind == "booktabs" else "±"
        text += f" {sign} {stdev(cell):.{digits}f}"
    if not is_best:
        return text
    return rf"\textbf{{{text}}}" if kind == "booktabs" else f"**{text}**"


def _csv(
    cells: Mapping[tuple[str, str], Cell],
    rows: Sequence[str],
    columns: Sequence[str],
    options: argparse.Namespace,
) -> str:
    import csv
    from io import StringIO

    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([options.rows, options.columns, "mean", "standard_deviation", "runs"])
    for row in rows:
        for column in columns:
            cell = cells.get((row, column)) or ()
            mean = repr(fmean(cell)) if cell else ""
            writer.writerow([row, column, mean, repr(stdev(cell)) if len(cell) > 1 else "", len(cell)])
    return stream.getvalue()


def _booktabs(
    rows: Sequence[str], columns: Sequence[str], texts: Sequence[Sequence[str]], options: argparse.Namespace
) -> str:
    lines = [r"\begin{table}", r"\centering"]
    if options.caption:
        lines.append(rf"\caption{{{options.caption}}}")
    if options.label:
        lines.append(rf"\label{{{options.label}}}")
    lines += [
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(map(_escaped, ["" if options.rows == PROGRAM else options.rows, *columns])) + r" \\",
        r"\midrule",
        *(" & ".join([_escaped(row), *line]) + r" \\" for row, line in zip(rows, texts, strict=True)),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text.replace(DASH, "--")
