"""Runs as one HTML file that needs nothing else: what was trained, how it went, what it reached.

    run folders (netcfg.opened) -> charts, tables, pictures -> one file (here)

Nothing here needs torch: it reads what runs have left in their folders.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from netcfg.draw.page.night import colour_rules
from netcfg.draw.svg import FONT
from netcfg.files import write_beside
from netcfg.markup import filled, plain, script_data
from netcfg.opened import Run
from netcfg.pages.sections import Charts, sections_of_run, sections_of_runs, shown_names
from netcfg.source import NetcfgError

FILE = "index.html"
"""The page that a run leaves in its folder."""


def page(runs: Sequence[Run]) -> str:
    """The document of one run, or of several beside each other. Raises `NetcfgError` for none."""
    if not runs:
        raise NetcfgError("a page shows one run at least", code="NC801")
    charts = Charts()
    if len(runs) == 1:
        title = f"{Path(runs[0].name).name}, {runs[0].path.name}"
        content = "".join(sections_of_run(runs[0], charts))
    else:
        title = f"{len(runs)} runs: {', '.join(shown_names(runs))}"
        content = "".join(sections_of_runs(runs, charts))
    return filled(
        _part("page.html"),
        {
            "TITLE": plain(title if len(title) < 120 else f"{title[:117]}…"),
            "STYLE": _part("page.css").replace("FONT", FONT),
            "COLOURS": colour_rules(content, ["#ffffff"]),
            "CONTENT": content,
            "DATA": script_data(json.dumps(charts.data, separators=(",", ":"), allow_nan=False)),
            "SCRIPT": f'"use strict";\n(() => {{\n{_part("charts.js")}}})();',
        },
    )


def write_page(run: Path, output: Path | None = None) -> Path:
    """Write the page of a run's folder, into it unless `output` says where; gives the file."""
    target = output or run / FILE
    write_beside(target, page([Run(run)]).encode())
    return target


def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


__all__ = ["FILE", "page", "write_page"]
