"""`--tta` and `--ensemble`: several views of a picture, and several runs, that answer as one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from netcfg.source import NetcfgError, shown_path

SWEEP_FILE = "sweep.json"


def add_combining_arguments(parser: argparse.ArgumentParser) -> None:
    """`--tta` and `--ensemble`."""
    parser.add_argument(
        "--tta",
        metavar="WAYS",
        help="the mean over views of each picture: `flip` (mirrored too), `scale` (nearer and farther), `flip,scale`",
    )
    parser.add_argument(
        "--ensemble",
        choices=("mean", "vote"),
        help="several runs, or all runs of a sweep, answer as one: by the mean of their answers, or by a vote",
    )


def ways_of(options: argparse.Namespace, runs: int) -> tuple[str, ...]:
    """The views asked for. Raises `NetcfgError` for unknown ones, and for an ensemble of one run."""
    text = options.tta
    if options.ensemble and runs < 2:
        raise NetcfgError(
            "`--ensemble` joins several runs, and one is named\n"
            "help: name more runs, or the folder of a sweep, which stands for all its runs",
            code="NC801",
        )
    if text is None:
        return ()
    from netcfg.trainers.prediction.views import read_ways

    return read_ways(text)


def with_runs_of_sweeps(names: Iterable[str]) -> list[str]:
    """The same, with the runs of a sweep in the place of its folder. Raises `NetcfgError` where it has none."""
    found: list[str] = []
    for name in names:
        folder = Path(name)
        if not (folder / SWEEP_FILE).is_file():
            found.append(name)
            continue
        runs = sorted(str(place) for place in folder.iterdir() if (place / "run.json").is_file())
        if not runs:
            raise NetcfgError(
                f"the sweep {shown_path(folder)} has no run yet\nhelp: `netcfg sweep` goes on with it",
                code="NC802",
            )
        found += runs
    twice = next((name for place, name in enumerate(found) if _is_among(name, found[:place])), None)
    if twice is not None:
        raise NetcfgError(f"{shown_path(Path(twice))} is named twice\nhelp: name each run once", code="NC801")
    return found


def _is_among(name: str, others: Iterable[str]) -> bool:
    return any(os.path.realpath(name) == os.path.realpath(other) for other in others)
