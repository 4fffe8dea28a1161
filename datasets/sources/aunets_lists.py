"""The lists that AUNets trains on: face crops made beforehand, a line `path label` each.

    normal/fold_0/AU12/train.txt      one label a line, 0 or 1; also val.txt and test.txt
    normal/fold_0/train.txt           a label for each of BP4D's twelve units a line

A path leads to an RGB crop somewhere below a folder `Faces`; its flow picture has `Faces_Flow` in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from netcfg.blocks.fields import Split
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.sources.databases import UNCODED
from netcfg.datasets.sources.synthetic_faces import BP4D_AUS
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

FILES: Mapping[Split, str] = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
FLIPPED = "_flip"  # the ending of folders of mirrored copies
_COPY = re.compile(rf"Jitter_\d|{FLIPPED}\b")
_PLACE = re.compile(r"([FM]\d+)[/_]+(T\d+)(?![^/_])", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: the path as it is written, 0 or 1 for each unit; and what the path tells.

    `clip` is subject and task: `F001`, `T1`; of pictures that are filed otherwise, the two folders they lie in.
    """

    path: str
    labels: tuple[int, ...]
    clip: tuple[str, str]
    frame: int

    @staticmethod
    def of(path: str, labels: tuple[int, ...]) -> Line:
        """The line of a path: subject, task and frame are read out of it."""
        folder, _, name = path.replace("\\", "/").rpartition("/")
        numbers = _NUMBER.findall(name.rpartition(".")[0])
        return Line(path, labels, _clip_of(folder), int(numbers[-1]) if numbers else 0)

    @property
    def is_copy(self) -> bool:
        """Whether it is a moved or mirrored copy of a frame."""
        return _COPY.search(self.path) is not None


@lru_cache(maxsize=4096)
def _clip_of(folder: str) -> tuple[str, str]:
    folder = folder.replace(FLIPPED, "")
    places = _PLACE.findall(folder)
    subject, task = places[-1] if places else ("?", "?", *folder.split("/"))[-2:]
    return subject.upper(), task.upper()


@dataclass(frozen=True)
class Lists:
    """Which lists are read: below `folder` those of a mode and fold, for these units."""

    folder: Path
    mode: str
    fold: int
    units: tuple[int, ...]


def read_lists(lists: Lists) -> dict[Split, list[Line]]:
    """The lines of every split with the labels of the wanted units, as they stand in the lists.

    Errors: `NetcfgError` for lists that are missing, malformed, empty or share a subject.
    """
    lines = {split: _lines(lists, split) for split in FILES}
    _check_subjects(lines, lists)
    return lines


def _lines(lists: Lists, split: Split) -> list[Line]:
    """The lines of a split. Lists of single units are balanced, each in its own way: several together have the plain
    frames that all of them list.
    """
    folder = _fold_folder(lists)
    shared = folder / FILES[split]
    if len(lists.units) > 1 and shared.is_file():
        unknown = [unit for unit in lists.units if unit not in BP4D_AUS]
        if unknown:
            raise NetcfgError(
                f"{shown_path(shared)} has no labels of AU{unknown[0]}, only of BP4D's twelve units",
                code="NC506",
            )
        return list(_read(shared, len(BP4D_AUS), tuple(map(BP4D_AUS.index, lists.units))))
    single = [_read(_unit_folder(folder, unit) / FILES[split], 1, (0,)) for unit in lists.units]
    if len(single) == 1:
        return list(single[0])
    labels = [{line.path: line.labels[0] for line in part if not line.is_copy} for part in single]
    shared_paths = [path for path in labels[0] if all(path in part for part in labels)]
    if not shared_paths:
        raise NetcfgError(
            f"{shown_path(folder)}: the {split} lists of these units have no picture in common", code="NC506"
        )
    return [Line.of(path, tuple(part[path] for part in labels)) for path in shared_paths]


def _fold_folder(lists: Lists) -> Path:
    places = [
        lists.folder / part / f"fold_{lists.fold}" for part in (lists.mode, ".", f"data/BP4D/{lists.mode}")
    ]
    for place in places:
        if place.is_dir():
            return place
    if not lists.folder.is_dir():
        raise NetcfgError(
            f"there is no folder {shown_path(lists.folder)}\nhelp: `lists = DIR` names AUNets' lists",
            code="NC802",
        )
    folds = sorted(path.name for path in lists.folder.glob("**/fold_*") if path.is_dir())
    there = f"; it has {named(folds)}" if folds else ""
    raise NetcfgError(
        f"{shown_path(lists.folder)} has no lists of fold {lists.fold} (`{lists.mode}/fold_{lists.fold}`){there}\n"
        "help: `lists = DIR` names the folder that holds `normal` or `aligned`",
        code="NC506",
    )


def _unit_folder(folder: Path, unit: int) -> Path:
    for name in (f"AU{unit:02d}", f"AU{unit}"):
        if (folder / name).is_dir():
            return folder / name
    present = sorted(path.name for path in folder.glob("AU*") if path.is_dir())
    there = f"there are lists of {', '.join(present)}" if present else "there are none of any unit"
    raise NetcfgError(
        f"{shown_path(folder)} has no lists of AU{unit}: {there}\nhelp: one of these as `action_units`",
        code="NC506",
    )


def _read(path: Path, width: int, columns: tuple[int, ...]) -> tuple[Line, ...]:
    try:
        state = path.stat()
    except OSError:
        raise NetcfgError(
            f"there is no list {shown_path(path)}\nhelp: a line `path label` for each picture", code="NC506"
        ) from None
    lines, uncoded = _parsed(path, width, columns, state.st_mtime_ns, state.st_size)
    if uncoded:
        say(f"{shown_path(path)}: left out for a label of 9 or -1 (not coded): {counted(uncoded, 'line')}")
    if not lines:
        raise NetcfgError(
            f"{shown_path(path)} lists no picture\nhelp: a line `path label` for each picture", code="NC506"
        )
    return lines


@lru_cache(maxsize=8)
def _parsed(
    path: Path, width: int, columns: tuple[int, ...], changed: int, length: int
) -> tuple[tuple[Line, ...], int]:
    """The lines of a file, and how many were left out for units that were not coded."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise NetcfgError(f"cannot read {shown_path(path)} as text", code="NC505") from None
    lines, uncoded = [], 0
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip():
            continue
        name, *words = written.strip().rsplit(maxsplit=width)
        labels = _labels(words, width, f"{shown_path(path)}:{number}")
        chosen = tuple(labels[column] for column in columns)
        if set(chosen) & set(UNCODED):
            uncoded += 1
        else:
            lines.append(Line.of(name, chosen))
    return tuple(lines), uncoded


def _labels(words: Sequence[str], width: int, place: str) -> list[int]:
    try:
        labels = [int(float(word)) if float(word).is_integer() else None for word in words]
    except (ValueError, OverflowError):
        labels = [None]
    if len(labels) != width or not set(labels) <= {0, 1, *UNCODED}:
        wanted = "a path and a label" if width == 1 else f"a path and {width} labels"
        raise NetcfgError(
            f"{place}: `{' '.join(words)}` after the path: {wanted} (0 or 1; 9 for not coded) make a line",
            code="NC505",
        )
    return [label for label in labels if label is not None]


def _check_subjects(lines: Mapping[Split, Sequence[Line]], lists: Lists) -> None:
    """Refuse a subject that is in two splits: the figures would flatter."""
    people = {split: {line.clip[0] for line in part} for split, part in lines.items()}
    for one, other in (("train", "test"), ("validation", "test"), ("train", "validation")):
        shared = sorted(people[one] & people[other])  # type: ignore[index]
        if shared:
            raise NetcfgError(
                f"{shown_path(_fold_folder(lists))}: {counted(len(shared), 'subject')} in both {one} and {other}: "
                f"{named(shared)}\nhelp: take them out of one of the lists",
                code="NC505",
            )
