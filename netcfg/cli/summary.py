"""`netcfg summary FILE`."""

from __future__ import annotations

import argparse
import json

from netcfg.cli.program import add_program_arguments, load_program
from netcfg.summary import summary_data, summary_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the tables, or the data."""
    program = load_program(options.file, options)
    if options.format == "json":
        print(json.dumps(summary_data(program), indent=2, ensure_ascii=False))
    else:
        print(summary_text(program))
    return 0
