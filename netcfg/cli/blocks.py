"""`netcfg blocks [NAME…]`, `netcfg blocks --verify [NAME… | FILE.py…]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from netcfg.blocks.base import Section
from netcfg.blocks.registry import GROUPS, sections
from netcfg.index import index_text
from netcfg.keys import keys, keys_text
from netcfg.reference import find_section, page_text, reference_markdown
from netcfg.source import Finding, NetcfgError, ProgramError, SourceFile, Span
from netcfg.vocabulary import OWN_BLOCK, help_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="with --verify also a Python file of blocks")
    parser.add_argument("--markdown", action="store_true", help="all pages as Markdown, as in cfg/README.md")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="compare what section types say of themselves with what they do: all, those named, or those of a file",
    )


def run(options: argparse.Namespace) -> int:
    """Print the list of all section types, the pages of some, or what is untrue about them."""
    if options.markdown and (options.verify or options.name):
        raise NetcfgError(
            "`--markdown` is all pages\nhelp: leave out everything else, or leave it out", code="NC801"
        )
    if options.verify:
        return _verify(options.name)
    if options.markdown:
        print(reference_markdown(), end="")
    elif not options.name:
        print(index_text())
    else:
        print("\n\n".join(page for name in options.name for page in _pages(name)))
    return 0


def _pages(name: str) -> list[str]:
    """The pages of the sections of that name, and of the keys of every block where it is one of these."""
    if name in keys() and not find_section(name)[0]:
        return [keys_text()]
    return [page_text(section) for section in _named(name)]


def _named(name: str) -> list[type[Section]]:
    found, known = find_section(name)
    if not found:
        help = help_for(name.strip("[]"), "network", known) or OWN_BLOCK
        raise NetcfgError(f"there is no block type `{name}`\nhelp: {help}", code="NC802")
    return found


def _verify(names: Sequence[str]) -> int:
    """A line for each untruth, then how many section types have any."""
    from netcfg.contract import verify
    from netcfg.extensions import leave_files

    leave_files()  # what an earlier program in this process has included may bear the same names
    wanted = [kind for name in names for kind in _asked(name)] if names else _all()
    untrue = 0
    for kind in dict.fromkeys(wanted):
        found = list(verify(kind))
        untrue += bool(found)
        for breach in found:
            print(breach, flush=True)
    print(
        f"{len(wanted)} verified, {untrue} not as they say"
        if untrue
        else f"{len(wanted)} verified: as they say"
    )
    return 1 if untrue else 0


def _all() -> list[type[Section]]:
    return [kind for group in GROUPS for kind in sections(group).values()]


def _asked(name: str) -> list[type[Section]]:
    """The section types that a name stands for: those of a file where it ends in `.py`."""
    return _of_file(Path(name)) if name.endswith(".py") else _named(name)


def _of_file(path: Path) -> list[type[Section]]:
    """What a Python file adds. Raises `NetcfgError` where it cannot be run, or adds nothing."""
    from netcfg.extensions import brought_by, load_extension

    if not path.is_file():
        raise NetcfgError(
            f"there is no file {path}\nhelp: paths count from where netcfg is started", code="NC802"
        )
    findings: list[Finding] = []
    asked_at = Span(SourceFile("--verify", f"{{include {path}}}"), 1)
    load_extension(path.resolve(), asked_at, findings)
    if findings:
        raise ProgramError(findings)
    added = brought_by(path.resolve())
    if not added:
        raise NetcfgError(
            f'{path} defines no section\nhelp: a class such as `class Mine(Block, name="mine")` is one',
            code="NC802",
        )
    return added
