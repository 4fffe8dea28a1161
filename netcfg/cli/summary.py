"""`netcfg summary FILE`."""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys

from netcfg.cli.numbers import positive
from netcfg.cli.output import print_json
from netcfg.cli.program import add_program_arguments, load_program
from netcfg.source import NetcfgError
from netcfg.summary import SORTS, Wish, summary_data, summary_rows, summary_text
from netcfg.summary.memory import BYTES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
    parser.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="the tree of templates and of folders of names instead of every block, open so many levels deep",
    )
    parser.add_argument("--sort", choices=tuple(SORTS), help="the largest first")
    parser.add_argument("--batch-size", type=positive, default=1, metavar="N", help="for memory (default 1)")
    parser.add_argument(
        "--precision", choices=tuple(BYTES), default="f32", help="of signals, for memory (default f32)"
    )
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the tables, or the data."""
    if options.depth is not None and options.depth < 0:
        raise NetcfgError(f"--depth must be 0 or more, found {options.depth}", code="NC801")
    program = load_program(options.file, options)
    wish = Wish(options.depth, options.batch_size, options.precision, options.sort)
    if options.format == "json":
        print_json(summary_data(program, wish))
    elif options.format == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows(summary_rows(program, wish))
    else:
        print(summary_text(program, wish, _width()))
    return 0


def _width() -> int | None:
    """Of the terminal, or as `COLUMNS` says; a file has room for all."""
    told = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return shutil.get_terminal_size().columns if told else None
