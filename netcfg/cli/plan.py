"""`netcfg plan FILE`."""

from __future__ import annotations

import argparse

from netcfg.cli.output import print_json
from netcfg.cli.program import add_program_arguments, load_program
from netcfg.passes.plan import check_planned, plan
from netcfg.plan_text import PLAN_FORMAT_VERSION, generation_data, generation_lines, plan_data, plan_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the page, or the data."""
    program = load_program(options.file, options)
    if program.generation is not None and not program.phases:
        data = {
            "version": PLAN_FORMAT_VERSION,
            "name": program.name,
            "generation": generation_data(program.generation),
        }
        if options.format == "json":
            print_json(data)
        else:
            print("\n".join(generation_lines(program.generation)))
        return 0
    check_planned(program)
    planned = plan(program)
    if options.format == "json":
        print_json(plan_data(planned))
    else:
        print(plan_text(planned))
    return 0
