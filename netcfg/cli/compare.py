"""`netcfg compare RUN RUN…`: settings that differ beside figures that differ."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from netcfg.cli.combining import with_runs_of_sweeps
from netcfg.cli.output import print_json
from netcfg.opened import Run, open_run
from netcfg.pages.sections import settings_of, shown_names
from netcfg.results import ABSENT, Figure, number
from netcfg.source import NetcfgError
from netcfg.summary.layout import aligned
from netcfg.tables.cells import program_names

SPLITS = ("validation", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "What runs were told differently, what differs in their programs, and what each reached: one column for each "
        "run, and behind two runs the difference."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of sweeps")
    parser.add_argument("--all", action="store_true", help="also figures and settings that are the same")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Print what differs."""
    names = list(dict.fromkeys(with_runs_of_sweeps(options.runs)))
    if len(names) < 2:
        raise NetcfgError("one run is compared with nothing\nhelp: name two or more", code="NC801")
    runs = [open_run(name) for name in names]
    called = shown_names(runs)
    told = _differing(
        [{"program": name, **settings_of(run)} for run, name in zip(runs, program_names(runs), strict=True)],
        options.all,
    )
    written = _programs(runs)
    reached = _differing([_figures(run) for run in runs], options.all)
    if options.format == "json":
        print_json(
            {
                "version": 1,
                "runs": [str(run.path) for run in runs],
                "settings": _by_run(told, called),
                "programs": written,
                "figures": _by_run(reached, called),
            }
        )
        return 0
    rows = [["", *called], *([name, *(value or ABSENT for value in row)] for name, row in told.items())]
    parts = ["\n".join(aligned(rows))] if told else []
    parts += [written] if written else []
    parts += ["\n".join(_figure_lines(reached, called))] if reached else []
    print("\n\n".join(parts) if parts else "nothing differs: settings, programs and figures are the same")
    return 0


def _differing(found: Sequence[Mapping[str, Any]], everything: bool) -> dict[str, list[Any]]:
    """By name the value of each run, None where it has none: of those that are not the same everywhere."""
    names = dict.fromkeys(name for one in found for name in one)
    rows = {name: [one.get(name) for one in found] for name in names}
    return {name: row for name, row in rows.items() if everything or any(value != row[0] for value in row)}


def _figures(run: Run) -> dict[str, Figure]:
    """What a run reached, by split, metric and label; nothing before its end."""
    result = run.result
    if result is None:
        return {}
    found: dict[str, Figure] = {"best epoch": result.best_epoch, "epochs": result.epochs}
    for split in SPLITS:
        for name, table in result.split(split).own_tables.items():
            found[f"{split}: {name}"] = table.main
            judged = {label: table.labels[label] for label in table.judged}
            found |= {
                f"{split}: {name}, {key}": figure for key, figure in {**judged, **table.details}.items()
            }
    if result.seconds is not None:
        found["seconds"] = result.seconds
    return found


def _programs(runs: Sequence[Run]) -> str:
    """What differs in the programs of two runs, as `netcfg diff` says it; of more runs, or of broken ones, nothing."""
    if len(runs) != 2:
        return ""
    from netcfg.compare.programs import compare
    from netcfg.compare.text import difference_text

    try:
        difference = compare(runs[0].program, runs[1].program)
    except NetcfgError as error:
        return f"their programs cannot be compared: {error}"
    return difference_text(difference) if difference else ""


def _figure_lines(reached: Mapping[str, Sequence[Figure]], called: Sequence[str]) -> list[str]:
    is_pair = len(called) == 2
    rows = [["", *called, *(["difference"] if is_pair else [])]]
    for name, row in reached.items():
        one, other = row[0], row[-1]
        gain = [] if not is_pair else [""] if one is None or other is None else [f"{other - one:+.4g}"]
        rows.append([name, *(_shown(figure) for figure in row), *gain])
    return aligned(rows, right=range(1, len(rows[0])))


def _shown(figure: Figure) -> str:
    return str(figure) if isinstance(figure, int) else number(figure)


def _by_run(rows: Mapping[str, Sequence[Any]], called: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: dict(zip(called, row, strict=True)) for name, row in rows.items()}
