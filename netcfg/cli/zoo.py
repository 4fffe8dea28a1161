"""`netcfg zoo [NAME] [-o FILE.cfg]`: published networks as files to start from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.files import write_beside
from netcfg.passes.read import shipped_folder
from netcfg.source import NetcfgError, did_you_mean, shown_path
from netcfg.summary import aligned, human

if TYPE_CHECKING:
    from netcfg.graph import Graph

UNKNOWN = "—"
"""Stands where a figure cannot be known, as where a network leaves its sizes open."""
FACTS = ("# Task: ", "# Data: ", "# Size: ")
"""How the comments at the top of a file begin that say what the list shows. A file without a size is read for it."""
HEADER = ("name", "task", "parameters", "multiply-accumulates", "data")


@dataclass(frozen=True)
class Entry:
    """A shipped file, and what the comments at its top say of it."""

    path: Path
    task: str
    data: str
    size: str | None = None
    """`PARAMETERS parameters, COUNT multiply-accumulates`: to work out all of them takes seconds."""

    @property
    def name(self) -> str:
        """What `netcfg zoo` calls it."""
        return self.path.stem

    def row(self) -> tuple[str, ...]:
        """Its line in the list. The figures are those of the file as it stands."""
        figures = [figure.rpartition(" ")[0] for figure in (self.size or self.counted()).split(", ")]
        return self.name, self.task, *figures, self.data

    def counted(self) -> str:
        """What its networks have and compute, as `size` says it."""
        from netcfg.compile import load

        networks = load(self.path).networks.values()
        parameters = human(sum(graph.parameters for graph in networks))
        return f"{parameters} parameters, {_macs(networks)} multiply-accumulates"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = "List the published networks that come with netcfg, or write one to start from."
    parser.add_argument("name", nargs="?", metavar="NAME", help="the network; all are listed by default")
    parser.add_argument("-o", "--output", metavar="FILE", help="a new .cfg file; printed by default")
    parser.add_argument(
        "--keep-includes",
        action="store_true",
        help="leave `{include …}` as it is: the templates stay netcfg's own",
    )


def run(options: argparse.Namespace) -> int:
    """Print the list, or write the file."""
    if options.name is None:
        _expect_alone(options)
        print(_list_text())
        return 0
    entry = _named(options.name)
    text = entry.path.read_text(encoding="utf-8") if options.keep_includes else _whole(entry.path)
    if options.output is None:
        print(text, end="")
        return 0
    path = _new_file(options.output)
    write_beside(path, text.encode())
    print(f"wrote {shown_path(path)}: `netcfg check {shown_path(path)}`", file=sys.stderr)
    return 0


def _whole(path: Path) -> str:
    """A file with what it includes in its place, which keeps no facts of its own."""
    from netcfg.passes.inline import inlined

    return inlined(path, FACTS)


def entries() -> dict[str, Entry]:
    """The shipped networks by name."""
    found = map(_entry, sorted((shipped_folder() / "zoo").glob("*.cfg")))
    return {entry.name: entry for entry in found}


def _entry(path: Path) -> Entry:
    lines = path.read_text(encoding="utf-8").splitlines()
    said = [
        next((line.removeprefix(fact) for line in lines if line.startswith(fact)), None) for fact in FACTS
    ]
    return Entry(path, said[0] or UNKNOWN, said[1] or UNKNOWN, said[2])


def _list_text() -> str:
    rows = [entry.row() for entry in entries().values()]
    table = aligned([HEADER, *rows], right=(2, 3))
    hints = (
        "`netcfg zoo NAME -o my.cfg` writes one.",
        "`netcfg train my.cfg --data DIR` trains it on your pictures, where it says nothing of data.",
    )
    return "\n".join([*table, "", *hints])


def _macs(networks: Iterable[Graph]) -> str:
    counts = [node.macs for graph in networks for node in graph.nodes]
    known = [count for count in counts if count is not None]
    return human(sum(known)) if len(known) == len(counts) else UNKNOWN


def _named(name: str) -> Entry:
    known = entries()
    if name in known:
        return known[name]
    help = did_you_mean(name, known) or "`netcfg zoo` lists them"
    raise NetcfgError(f"there is no network `{name}` in the zoo\nhelp: {help}", code="NC802")


def _expect_alone(options: argparse.Namespace) -> None:
    given = "-o" if options.output is not None else "--keep-includes" if options.keep_includes else None
    if given:
        raise NetcfgError(
            f"{given} writes one network\nhelp: name it: `netcfg zoo NAME {given}`", code="NC801"
        )


def _new_file(name: str) -> Path:
    """Where a file may be written: never over another one."""
    path = Path(name)
    if path.suffix != ".cfg":
        raise NetcfgError(f"{shown_path(path)} is no name of a program\nhelp: end it in `.cfg`", code="NC801")
    if path.exists() or path.is_symlink():
        raise NetcfgError(
            f"{shown_path(path)} is there already\nhelp: give another name, or move it away", code="NC803"
        )
    return path
