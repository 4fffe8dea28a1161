"""`netcfg fmt FILE…`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netcfg.cli.program import add_program_arguments, load_program, refuse_program_arguments
from netcfg.files import write_beside
from netcfg.passes.read import read_file
from netcfg.source import Finding, NetcfgError, ProgramError, SourceFile, shown_path
from netcfg.syntax import parse
from netcfg.syntax.format import format_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 where a file would change"
    )
    parser.add_argument(
        "--expand", action="store_true", help="print the file with includes in place and variables replaced"
    )
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Rewrite files in their canonical form; a file with syntax errors is left as it is."""
    _check(options)
    changed = 0
    for file in options.files:
        if options.expand:
            print(load_program(file, options).resolved, end="")
            continue
        text = _text(Path(file))
        formatted = format_text(text)
        if formatted != text:
            changed += 1
            if not options.check:
                write_beside(Path(file), formatted.encode())
            print(f"{'would change' if options.check else 'formatted'} {shown_path(file)}", file=sys.stderr)
    return int(options.check and changed > 0)


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be meant."""
    if options.expand and options.check:
        raise NetcfgError(
            "`--check` is for files as they are written, and `--expand` prints another text", code="NC801"
        )
    if not options.expand:
        why = "a file is formatted as it is written, whatever its variables are"
        refuse_program_arguments(options, why, "it goes with `--expand`")


def _text(path: Path) -> str:
    findings: list[Finding] = []
    text = read_file(path, findings)
    if text is not None:
        parse(SourceFile(shown_path(path), text), findings)
    if text is None or findings:
        raise ProgramError(findings)
    return text
