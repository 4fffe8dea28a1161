"""`netcfg table RUNS…`: the figures of finished runs, of any origin, as one table or picture for a paper."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netcfg.cli.combining import with_runs_of_sweeps
from netcfg.cli.numbers import whole
from netcfg.files import write_beside
from netcfg.opened import open_run
from netcfg.source import NetcfgError, shown_path
from netcfg.tables.cells import METRIC, PROGRAM, Asked, cells_of
from netcfg.tables.paired import compared
from netcfg.tables.pictures import KINDS, drawn
from netcfg.tables.writers import ENDINGS, PICTURES, WRITERS, Style


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "One table of the figures of finished runs: mean and standard deviation where several runs share a cell, the "
        "best of each column in bold, a dash where a run has no such figure. With `-o figure.pdf` a picture of it."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of sweeps")
    parser.add_argument(
        "--rows",
        metavar="NAME",
        default=PROGRAM,
        help="program (the default), label, metric, or a variable: `--rows au`",
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
    parser.add_argument(
        "--test",
        action="store_true",
        help="mark what is worse than the best of its column by more than chance: runs that were told the same in all "
        "else (fold, seed) are pairs, compared by Wilcoxon's signed ranks; needs scipy",
    )
    parser.add_argument("--digits", type=_digits, default=3, metavar="N", help="after the point (default: 3)")
    parser.add_argument("--percent", action="store_true", help="times 100")
    parser.add_argument("--caption", metavar="TEXT", help="of a LaTeX table; the title of a picture")
    parser.add_argument("--label", metavar="NAME", help="of a LaTeX table, for \\ref")
    parser.add_argument(
        "--format", choices=tuple(WRITERS), help="default: by the file's ending, else markdown"
    )
    parser.add_argument(
        "--picture",
        choices=KINDS,
        help="of a .svg, .pdf or .png: a box of the figures of each cell (the default), or a bar for their mean",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=".md, .tex or .csv, or a picture: .svg, .pdf, .png; printed by default",
    )


def run(options: argparse.Namespace) -> int:
    """Print the table, or write it."""
    kind = _kind(options)
    if options.rows == options.columns:
        raise NetcfgError(f"rows and columns are both `{options.rows}`\nhelp: name two", code="NC801")
    _check(options, kind)
    runs = [open_run(path) for path in with_runs_of_sweeps(options.runs)]
    factor = 100.0 if options.percent else 1.0
    table = cells_of(runs, Asked(options.rows, options.columns, options.metric, options.split, factor))
    for note in table.notes:
        print(f"note: {note}", file=sys.stderr)
    if kind in PICTURES:
        data = drawn(table, options.picture or KINDS[0], kind, options.caption or "")
    else:
        if options.test and len(table.rows) < 2:
            raise NetcfgError(
                f"--test compares rows, and there is one: {options.rows} {', '.join(table.rows)}\n"
                "help: more runs, other `--rows`, or leave it out",
                code="NC801",
            )
        tests = compared(table) if options.test else {}
        style = Style(options.digits, options.caption or "", options.label or "", tests)
        text = WRITERS[kind](table, style)
        if options.output is None:
            print(text, end="")
            return 0
        data = text.encode()
    write_beside(Path(options.output), data)
    print(f"wrote {shown_path(Path(options.output))}: {len(runs)} runs")
    return 0


def _digits(text: str) -> int:
    return whole(text, 0, 12)


def _kind(options: argparse.Namespace) -> str:
    """The format: a name of `WRITERS`, or the ending of a picture. Raises `NetcfgError` for another one."""
    ending = Path(options.output).suffix.lower() if options.output else ""
    if options.format:
        if ending in PICTURES:
            raise NetcfgError(
                f"--format {options.format}: {options.output} is a picture\nhelp: leave it out", code="NC801"
            )
        return str(options.format)
    if options.output is None:
        return "markdown"
    if ending in PICTURES:
        return ending
    found = next((name for name, known in ENDINGS.items() if known == ending), None)
    if found is None:
        raise NetcfgError(
            f"{options.output}: a table is written as .md, .tex or .csv, and drawn as {', '.join(PICTURES)}\n"
            "help: or say `--format`",
            code="NC801",
        )
    return found


def _check(options: argparse.Namespace, kind: str) -> None:
    """Refuse what means nothing for the format."""
    is_picture = kind in PICTURES
    if options.picture and not is_picture:
        raise NetcfgError(
            f"--picture {options.picture}: a picture is a file\nhelp: `-o FILE.pdf`", code="NC801"
        )
    if is_picture and options.test:
        raise NetcfgError(
            "--test marks cells of a table, and this is a picture\nhelp: leave it out, or `-o FILE.tex`",
            code="NC801",
        )
    for name, where in (("caption", ("booktabs", *PICTURES)), ("label", ("booktabs",))):
        if vars(options)[name] and kind not in where:
            raise NetcfgError(
                f"`--{name}`: only a LaTeX table has one\nhelp: leave it out, or `--format booktabs`",
                code="NC801",
            )
