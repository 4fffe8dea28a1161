"""Samples whose pictures are missing or broken: refused, left out, or shown black, as the options say."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading, broken_pictures
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

Missing = Literal["stop", "black", "skip"]
Row = TypeVar("Row", bound=Hashable)

HELP = "`missing = skip` goes on without them, `missing = black` with black pictures"


def with_pictures(
    rows: Sequence[Row],
    is_there: Callable[[Row], bool],
    name: Callable[[Row], str],
    *,
    place: Callable[[Row], Path],
    missing: Missing,
    what: str = "picture",
    noun: str = "frame",
    help: str = HELP,
) -> list[Row]:
    """Those rows whose picture is there, or all where others may be black; what is missing is said.

    Raises `NetcfgError` where none may lack, with the `place` of the first.
    """
    without = [row for row in rows if not is_there(row)]
    if not without:
        return list(rows)
    lack = (
        f"without a {what}: {len(without):,} of {counted(len(rows), noun)}, {named(list(map(name, without)))}"
    )
    if missing == "stop":
        raise NetcfgError(f"{shown_path(place(without[0]))}: {lack}\nhelp: {help}", code="NC506")
    if missing == "black":
        say(f"black, as they are {lack}")
        return list(rows)
    say(f"left out, as they are {lack}")
    return [row for row in rows if is_there(row)]


def without_broken(
    rows: Sequence[Row],
    paths_of: Callable[[Row], Iterable[Path | str]],
    reading: Reading = ORDINARY,
    broken_among: Callable[[tuple[str, ...]], frozenset[str]] | None = None,
    noun: str = "picture",
) -> list[Row]:
    """The rows whose pictures can be read; all of them are read for it, and the others are said.

    `broken_among` says which of some files cannot be read where these are no ordinary pictures.
    """
    paths = {row: [str(path) for path in paths_of(row)] for row in rows}
    every = tuple(path for own in paths.values() for path in own)
    broken = broken_pictures(every, reading) if broken_among is None else broken_among(every)
    if broken:
        names = named(sorted(map(shown_path, broken)))
        say(f"left out, as they cannot be read: {counted(len(broken), noun)}, {names}")
    return [row for row in rows if not broken.intersection(paths[row])]
