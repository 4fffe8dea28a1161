"""Lists that say which pictures of a folder are of which split, and patterns that say which are of one group."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES
from netcfg.blocks.sources.list_files import ENDINGS, list_below, path_column, read_list
from netcfg.datasets.pictures.notes import say
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted


def rows_by_lists(
    lists: Mapping[Split, str], folder: Path, names: Sequence[str], below: Path | None = None
) -> dict[Split, NDArray[np.int64]]:
    """Which of the pictures, by their names below the folder (or `below` another), each list names, in their order.

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
                place = shown_path(below or folder)
                raise NetcfgError(
                    f"{shown_path(path)}, line {number}: there is no picture `{line}` in {place}\n"
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


def rows_by_numbers(lists: Mapping[Split, str], folder: Path, count: int) -> dict[Split, NDArray[np.int64]]:
    """Which of `count` samples each list names by their numbers, from 0: one a line, or a .npy of whole numbers.

    Raises `NetcfgError` for what is no number of a sample, and for one that stands in two lists. Those that stand in
    none are counted in a note.
    """
    found: dict[Split, NDArray[np.int64]] = {}
    taken = np.zeros(count, bool)
    for split, written in lists.items():
        path = list_below(folder, written)
        rows = _numbers(path)
        wrong = np.flatnonzero((rows < 0) | (rows >= count))
        if len(wrong):
            raise NetcfgError(
                f"{shown_path(path)} names the sample {rows[wrong[0]]}, and there are {count:,}, from 0",
                code="NC505",
            )
        doubled = np.flatnonzero(taken[rows])
        if len(doubled) or len(np.unique(rows)) < len(rows):
            values, counts = np.unique(rows, return_counts=True)
            number = rows[doubled[0]] if len(doubled) else values[counts > 1][0]
            raise NetcfgError(
                f"{shown_path(path)}: the sample {number} stands in a list already\n"
                "help: a sample is of one split, once",
                code="NC505",
            )
        taken[rows] = True
        found[split] = np.sort(rows)
    if not taken.all():
        say(f"left out, as they stand in no list: {counted(int((~taken).sum()), 'sample')}")
    return found


def _numbers(path: Path) -> NDArray[np.int64]:
    if path.suffix.lower() == ".npy":
        try:
            rows = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise NetcfgError(
                f"{shown_path(path)} holds no array of numbers: {error}", code="NC505"
            ) from None
        if rows.ndim != 1 or rows.dtype.kind not in "ui":
            raise NetcfgError(
                f"{shown_path(path)} holds {rows.dtype} in {rows.ndim} axes, and a list is one of whole numbers",
                code="NC505",
            )
        return np.asarray(rows, np.int64)
    rows = []
    for number, line in _lines(path):
        if not line.isdecimal():
            raise NetcfgError(
                f"{shown_path(path)}, line {number}: `{line}` is no number of a sample\n"
                "help: samples count from 0, one a line",
                code="NC505",
            )
        rows.append(int(line))
    return np.array(rows, np.int64)


def doubly_split(folder: Path) -> NetcfgError:
    """Folders say who is in which split, and lists say it, too."""
    return NetcfgError(
        f"{shown_path(folder)} holds folders of splits, and there are lists of them\n"
        "help: leave the lists out, or name the folder of all pictures as `path`",
        code="NC505",
    )


def groups_of(names: Sequence[str], pattern: str | None) -> NDArray[np.int64] | None:
    """The number of each picture's group. Raises `NetcfgError` for a name that tells none."""
    if pattern is None:
        return None
    search = re.compile(pattern).search
    matches = [search(name) for name in names]
    without = [name for name, match in zip(names, matches, strict=True) if match is None]
    if without:
        raise NetcfgError(
            f"`group_by = {pattern}` finds nothing in {counted(len(without), 'name')} of {len(matches):,}, such as "
            f"{without[0]}\nhelp: a pattern that every picture's name holds, its folder's name before it",
            code="NC505",
        )
    _, numbers = np.unique([match[1] or "" for match in matches if match], return_inverse=True)
    return numbers.astype(np.int64)


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
        stem, ending = os.path.splitext(text)
        for known in (text, stem if ending.lower() in PICTURES else text):
            row = places.get(known, bare.get(known))
            if row is not None:
                return row
    return None
