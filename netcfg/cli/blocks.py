"""`netcfg blocks [NAME]`."""

from __future__ import annotations

import argparse

from netcfg.reference import find_section, index_text, page_text, reference_markdown
from netcfg.source import NetcfgError
from netcfg.vocabulary import OWN_BLOCK, help_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--markdown", action="store_true", help="all pages as Markdown, as in cfg/README.md")


def run(options: argparse.Namespace) -> int:
    """Print the list of all section types, or the page of one."""
    if options.markdown:
        print(reference_markdown(), end="")
        return 0
    if options.name is None:
        print(index_text())
        return 0
    sections, known = find_section(options.name)
    if not sections:
        help = help_for(options.name.strip("[]"), "network", known) or OWN_BLOCK
        raise NetcfgError(f"there is no block type `{options.name}`\nhelp: {help}")
    print("\n\n".join(page_text(section) for section in sections))
    return 0
