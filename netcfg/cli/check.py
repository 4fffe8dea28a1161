"""`netcfg check FILE…`."""

from __future__ import annotations

import argparse

from netcfg.cli.guides import more_in
from netcfg.cli.output import print_json
from netcfg.cli.program import add_program_arguments, check_file, settings_of
from netcfg.program import Program
from netcfg.source import (
    Finding,
    error_codes,
    findings_to_json,
    has_errors,
    render,
    shown_path,
    sorted_findings,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print all findings of all files; 1 where there is an error."""
    found: list[Finding] = []
    settings = settings_of(options)
    for file in options.files:
        program, findings = check_file(file, options.preset, settings, options.data, options.allow_outside)
        found += findings
        if options.format == "text":
            for finding in sorted_findings(findings):
                print(render(finding), end="\n\n")
            for note in program.notes if program else ():
                print(f"note: {note}")
            print(_verdict(shown_path(file), program, findings))
    if options.format == "text":
        for line in more_in(error_codes(found)):
            print(line)
    if options.format == "json":
        print_json(findings_to_json(found))
    return int(has_errors(found))


def _verdict(file: str, program: Program | None, findings: list[Finding]) -> str:
    if program is None:
        errors = sum(finding.severity == "error" for finding in sorted_findings(findings))
        return f"{file}: {errors} error{'s' if errors != 1 else ''}"
    parameters = sum(graph.parameters for graph in program.networks.values())
    names = ", ".join(program.networks)
    return f"{file}: ok ({names}; {parameters:,} parameters)"
