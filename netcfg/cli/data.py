"""`netcfg data`: write a data folder, convert its labels once and for all, look at samples."""

from __future__ import annotations

import argparse

from netcfg.cli import data_convert, data_make, data_show

_VERBS = {"make": data_make, "convert": data_convert, "show": data_show}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's three verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in _VERBS.values():
        verb.add_parser(verbs)


def run(options: argparse.Namespace) -> int:
    """Do what the verb says; 0. Raises `NetcfgError` with a remedy."""
    _VERBS[options.verb].run(options)
    return 0
