"""Lists that say which of a folder's pictures are of which split, a path below the folder a line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.sources.list_files import ENDINGS, list_below, path_column, read_list
from netcfg.datasets.pictures.notes import say
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted


def rows_by_lists(
    lists: Mapping[Split, str], folder: Path, names: Sequence[str]
) -> dict[Split, NDArray[np.int64]]:
    """Which of the pictures, by their names below the folder, each list names, in the order of the names.

    Raises `NetcfgError` for a line that names none of them, and for a picture that stands in two lists. Those that
    stand in none are counted in a note.
    """
    places = {name: row for row, name in enumerate(names)}
    # Some data sets are handed out with lists that leave the ending out.
    bare = {os.path.splitext(name)[0]: row for name, row in places.items()}
    found: dict[Split, NDArray[np.int64]] = {}
    first: dict[int, str] = {}
    for split, written in lists.items():
        path = list_below(folder, written)
        rows = []
        for number, line in _lines(path):
            row = _row(line, places, bare)
            if row is None:
                raise NetcfgError(
                    f"{shown_path(path)}, line {number}: there is no picture `{line}` in {shown_path(folder)}\n"
                    f"help: paths count from that folder, as in `{names[0]}`",
                    code="NC505",
                )
            if row in first:
                raise NetcfgError(
                    f"{shown_path(path)}, line {number}: `{line}` stands in {first[row]} already\n"
                    "help: a picture is of one split, once",
                    code="NC505",
                )
            first[row] = f"{shown_path(path)}, line {number},"
            rows.append(row)
        found[split] = np.array(sorted(rows), np.int64)
    if len(first) < len(names):
        say(
            f"{shown_path(folder)}: left out, as they stand in no list: {counted(len(names) - len(first), 'picture')}"
        )
    return found


def _lines(path: Path) -> list[tuple[int, str]]:
    """The paths that a list names, each with its line."""
    if path.suffix.lower() in ENDINGS:
        found = read_list(path)
        column = path_column(found) or found.columns[0]
        return [(found.first + row, cell) for row, cell in enumerate(found.column(column))]
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NetcfgError(f"cannot read {shown_path(path)}: {reason}", code="NC506") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in lines if line]


def _row(line: str, places: Mapping[str, int], bare: Mapping[str, int]) -> int | None:
    """The picture that a line names, perhaps with the number of its class behind it."""
    name = os.path.normpath(line.replace("\\", "/"))
    for text in (name, name.rpartition(" ")[0]):
        row = places.get(text, bare.get(text))
        if row is not None:
            return row
    return None
