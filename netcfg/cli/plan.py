"""`netcfg plan FILE`."""

from __future__ import annotations

import argparse
import json

from netcfg.cli.program import add_program_arguments, load_program
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.program import Program
from netcfg.source import Finding, ProgramError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the page, or the data."""
    program = load_program(options.file, options)
    check_planned(program)
    planned = plan(program)
    if options.format == "json":
        print(json.dumps(plan_data(planned), indent=2, ensure_ascii=False))
    else:
        print(plan_text(planned))
    return 0


def check_planned(program: Program, wanted: str = "plan") -> None:
    """Refuse (NC403) a program that has no training step to `plan`, or to do something else with."""
    if program.phases and program.model is not None:
        return
    lacks = [
        text
        for text, missing in (
            ("{Data} with a source", program.data is None),
            ("{Loss} with what to make small", not program.losses),
            ("{Optimizer} with an [adam]", not program.phases),
            ("{Model} that connects its networks", program.data is not None and program.model is None),
        )
        if missing
    ]
    message = f"{program.name} trains nothing, so there is no step to {wanted}"
    raise ProgramError([Finding("NC403", message, help=f"add a group {', and one '.join(lacks)}")])
