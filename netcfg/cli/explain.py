"""`netcfg explain CODE`."""

from __future__ import annotations

import argparse

from netcfg.codes import CODES
from netcfg.reference import code_text
from netcfg.source import NetcfgError, did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="a code or its name; all of them by default")


def run(options: argparse.Namespace) -> int:
    """Print what a code means, an example of it, and what to do."""
    if options.code is None:
        for code in CODES.values():
            print(f"{code.id} {code.name}: {code.meaning}")
        return 0
    wanted = options.code.strip("[]").split()[0] if options.code.strip("[]").split() else ""
    for code in CODES.values():
        if wanted.upper() == code.id or wanted.lower() == code.name:
            print(code_text(code))
            return 0
    help = did_you_mean(wanted, [*CODES, *(code.name for code in CODES.values())])
    listed = "`netcfg explain` lists them"
    raise NetcfgError(f"there is no code `{wanted}`\nhelp: {help or listed}", code="NC802")
