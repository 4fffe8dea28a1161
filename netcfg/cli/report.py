"""`netcfg report RUNS… -o FILE.html`: runs as one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from netcfg.cli.combining import with_runs_of_sweeps
from netcfg.files import write_beside
from netcfg.opened import open_run
from netcfg.source import NetcfgError, shown_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "Runs as one HTML file that needs nothing else, finished or not: figures, curves over epochs, matrices, "
        "samples, programs, settings, and how they were run. Every training leaves such a page of its own as "
        "`index.html` in its folder; several runs share the axes of their curves."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of sweeps")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="a .html file; of one run by default its own `index.html`"
    )


def run(options: argparse.Namespace) -> int:
    """Write the page, and say where it is."""
    from netcfg.pages import FILE, page

    names = with_runs_of_sweeps(options.runs)
    if options.output is None and len(names) > 1:
        raise NetcfgError(
            f"a page of {len(names)} runs belongs into no run's folder\nhelp: say where: `-o FILE.html`",
            code="NC801",
        )
    output = Path(options.output) if options.output else Path(names[0]) / FILE
    if output.suffix.lower() not in (".html", ".htm"):
        raise NetcfgError(
            f"{output}: a page is a .html file\nhelp: `-o {output.with_suffix('.html')}`", code="NC801"
        )
    runs = [open_run(name) for name in dict.fromkeys(names)]
    write_beside(output, page(runs).encode())
    print(shown_path(output))
    return 0
