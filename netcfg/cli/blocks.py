"""`netcfg blocks [NAME…]`, `netcfg blocks --verify [NAME… | FILE.py…]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.blocks.base import Section
from netcfg.blocks.registry import GROUPS, sections
from netcfg.index import index_text
from netcfg.keys import keys, keys_text
from netcfg.reference import find_section, page_text, reference_markdown
from netcfg.source import Finding, NetcfgError, ProgramError, SourceFile, Span
from netcfg.vocabulary import OWN_BLOCK, help_for

if TYPE_CHECKING:
    from netcfg.contract import Breach

MANY = 16
"""So many section types are worth processes of their own."""
MOST_PROCESSES = 4


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
    from netcfg.extensions import leave_files

    leave_files()  # what an earlier program in this process has included may bear the same names
    wanted = list(dict.fromkeys([kind for name in names for kind in _asked(name)] if names else _all()))
    untrue = 0
    for found in _verified(wanted):
        untrue += bool(found)
        for breach in found:
            print(breach, flush=True)
    print(
        f"{len(wanted)} verified, {untrue} not as they say"
        if untrue
        else f"{len(wanted)} verified: as they say"
    )
    return 1 if untrue else 0


def _verified(wanted: list[type[Section]]) -> Iterator[list[Breach]]:
    """What is untrue about each, in order. Many are verified by as many processes as there are cores, up to a few."""
    processes = min(_cores(), MOST_PROCESSES) if len(wanted) >= MANY else 1
    if processes == 1:
        yield from map(_untruths, wanted)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Forked, so that what a file has added is there too; torch, which would not bear it, is imported by each of them.
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        yield from pool.map(_untruths, wanted)


def _untruths(kind: type[Section]) -> list[Breach]:
    from netcfg.contract import verify

    return list(verify(kind))


def _cores() -> int:
    """How many may be used; 1 where processes cannot be forked, or torch is here already."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" and "torch" not in sys.modules else 1


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
