"""`netcfg diff A B`: 0 where they mean the same, 1 where they differ, 2 where one cannot be compared."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from netcfg.cli.output import print_json
from netcfg.cli.program import add_outside_argument, check_file, read_settings
from netcfg.compare.data import difference_data
from netcfg.compare.programs import Difference, compare
from netcfg.compare.text import difference_text
from netcfg.program import Program
from netcfg.source import NetcfgError, ProgramError

SAME, DIFFERENT, REFUSED = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.epilog = (
        "Exit code: 0 where both mean the same, 1 where they differ, 2 for wrong usage or a broken file."
    )
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="also draw both as one picture, the difference marked"
    )
    add_outside_argument(parser)
    parser.add_argument("--expand", action="store_true", help="draw every turn of a repeat")
    parser.add_argument("--scale", type=float, help="pixels per unit of a png (default 2)")
    for side, meaning in (("", "of both"), ("-a", "of A alone"), ("-b", "of B alone")):
        parser.add_argument(f"--preset{side}", metavar="NAME", help=f"use this preset {meaning}")
        parser.add_argument(
            f"--set{side}",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            dest=f"settings{side.replace('-', '_')}",
            help=f"set a variable {meaning}; repeatable",
        )


def run(options: argparse.Namespace) -> int:
    """Print what differs."""
    try:
        _check(options)
        difference = compare(*_programs(options))
        if options.output:
            _draw(options, difference)
        _print(difference, options.format)
    except NetcfgError as error:
        print(error.told(), file=sys.stderr)
        return REFUSED
    return DIFFERENT if difference else SAME


def _print(difference: Difference, format: str) -> None:
    if format == "json":
        print_json(difference_data(difference))
    else:
        print(difference_text(difference, _has_colours()))
    sys.stdout.flush()  # a difference that could not be told is none of the answers


def _check(options: argparse.Namespace) -> None:
    """Refuse what nothing would read."""
    if not options.output and (options.expand or options.scale is not None):
        raise NetcfgError(
            f"--{'expand' if options.expand else 'scale'} is for the picture\nhelp: `-o OUT` draws one",
            code="NC801",
        )
    if options.preset and options.preset_a and options.preset_b:
        raise NetcfgError(
            "--preset is for a side without one of its own, and both have one\nhelp: leave it out",
            code="NC801",
        )


def _programs(options: argparse.Namespace) -> tuple[Program, Program]:
    """Both sides. Raises `ProgramError` with all findings of both; warnings are no part of a difference."""
    preset, settings = options.preset, options.settings
    sides = [
        check_file(
            options.before,
            options.preset_a or preset,
            read_settings(settings + options.settings_a),
            allow_outside=options.allow_outside,
        ),
        check_file(
            options.after,
            options.preset_b or preset,
            read_settings(settings + options.settings_b),
            allow_outside=options.allow_outside,
        ),
    ]
    (before, _), (after, _) = sides
    if before is None or after is None:
        raise ProgramError(finding for program, findings in sides if program is None for finding in findings)
    return before, after


def _draw(options: argparse.Namespace, difference: Difference) -> None:
    """Write the picture beside its target, then rename it."""
    from netcfg.cli.graph import DEFAULT_SCALE, check_picture
    from netcfg.compare.picture import difference_picture

    output = Path(options.output)
    check_picture(output, options.scale, options.before, options.after)
    title = f"{Path(options.before).name} -> {Path(options.after).name}"
    scale = DEFAULT_SCALE if options.scale is None else options.scale
    drawn = difference_picture(difference, title, options.expand, scale)
    drawn.save(output)


def _has_colours() -> bool:
    """Whether the output is a terminal whose reader does not refuse colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
