"""`--quiet` and `--verbose`: how much a long command says beside what it was asked for.

Without either it shows how far it is: a bar on a terminal, else a line now and then. Mistakes and what goes wrong are
said always.
"""

from __future__ import annotations

import argparse
from enum import Enum


class Saying(Enum):
    """How much is said."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


def add_saying_arguments(parser: argparse.ArgumentParser, quiet: str, verbose: str) -> None:
    """Both options, of which one may be given; what each does is said in words of the command."""
    both = parser.add_mutually_exclusive_group()
    both.add_argument("--quiet", action="store_true", help=quiet)
    both.add_argument("--verbose", action="store_true", help=verbose)


def saying(options: argparse.Namespace) -> Saying:
    """What the command line asks for."""
    is_quiet, is_verbose = options.quiet, options.verbose
    return Saying.QUIET if is_quiet else Saying.VERBOSE if is_verbose else Saying.NORMAL


__all__ = ["Saying", "add_saying_arguments", "saying"]
