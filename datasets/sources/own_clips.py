"""`clips`: one's own videos and folders of frames, their labels, and who is in which split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.datasets.pictures.frames import find_clips, open_frames
from netcfg.datasets.samples.clip_pictures import numbered_pictures
from netcfg.datasets.samples.clip_sources import clips_of_subjects
from netcfg.datasets.samples.clips import Clip, Database
from netcfg.datasets.samples.label_files import read_csv_rows
from netcfg.datasets.samples.subject_folds import dealt_subjects
from netcfg.datasets.sources.databases import UNCODED
from netcfg.source import NetcfgError, did_you_mean, shown_path
from netcfg.words import counted, named

Rows = dict[int, NDArray[np.float32]]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def find_database(folder: Path, labels: Path | None, units: Sequence[int], most: int) -> Database:
    """The clips below a folder, those with labels where a file of `labels` (0 to `most`) is given.

    Errors: `NetcfgError` for a folder without clips, and for labels that are malformed or of clips that are not there.
    """
    places = {name_of(place, folder): place for place in find_clips(folder)}
    if not places:
        raise NetcfgError(
            f"{shown_path(folder)} holds no clips\nhelp: a clip is a video, or a folder of pictures",
            code="NC506",
        )
    database = Database(tuple(units), [])
    read = None if labels is None else read_clip_labels(labels, units, most, database)
    for name in sorted(places if read is None else read):
        if name not in places:
            raise NetcfgError(
                f"{shown_path(str(labels))} has labels of `{name}`, and no such clip lies below {shown_path(folder)}\n"
                f"help: {did_you_mean(name, places) or 'clips are named by their path, without ending'}",
                code="NC506",
            )
        rows = _unlabelled(places[name]) if read is None else read[name]
        database.clips.append(Clip(subject_of(name), name, places[name], rows, {}, place=name))
    return database


def name_of(place: Path, folder: Path) -> str:
    """What a clip is called: its path below the folder, without a video's ending."""
    if place == folder:
        return place.name
    below = place.relative_to(folder)
    return (below if place.is_dir() else below.with_suffix("")).as_posix()


def subject_of(name: str) -> str:
    """Whom a clip shows: the folder it lies in, or the beginning of its name."""
    first, slash, _ = name.partition("/")
    return first if slash else name.partition("_")[0]


def _unlabelled(place: Path) -> Rows:
    """A row without labels for every frame."""
    numbers = numbered_pictures(place) if place.is_dir() else range(1, len(open_frames(place)) + 1)
    return dict.fromkeys(numbers, np.zeros(0, np.float32))


# --- labels -------------------------------------------------------------------------------------------------


def read_clip_labels(path: Path, units: Sequence[int], most: int, database: Database) -> dict[str, Rows]:
    """Labels by clip and frame, of a .csv with the header `clip,frame,AU1,…`; what is left out is noted.

    Errors: `NetcfgError` with the line.
    """
    shown = shown_path(path)
    (_, header), *lines = read_csv_rows(path) or [(1, [])]
    columns = _columns(header, units, shown)
    labels: dict[str, Rows] = {}
    uncoded = 0
    for line, row in lines:
        try:
            clip, frame = row[0].strip(), int(row[1])
            values = [float(row[column]) for column in columns]
        except (ValueError, IndexError):
            raise NetcfgError(
                f"{shown}:{line}: `{','.join(row)}` is not a clip, a frame and its labels", code="NC505"
            ) from None
        if set(values) & set(UNCODED):
            uncoded += 1
            continue
        _expect_range(values, most, f"{shown}:{line}")
        rows = labels.setdefault(clip, {})
        if frame in rows:
            raise NetcfgError(f"{shown}:{line}: frame {frame} of `{clip}` has labels twice", code="NC505")
        rows[frame] = np.array(values, np.float32)
    if uncoded:
        database.notes.append(
            f"{shown}: left out for a label of 9 or -1 (not coded): {counted(uncoded, 'frame')}"
        )
    if not labels:
        raise NetcfgError(
            f"{shown} has no labels\nhelp: a header `clip,frame,AU1,AU2,…`, then a line per frame",
            code="NC505",
        )
    return labels


def units_of(path: Path) -> tuple[int, ...]:
    """The action units that a file of labels names. Raises `NetcfgError`."""
    (_, header), *_ = read_csv_rows(path) or [(1, [])]
    return tuple(_places(header, shown_path(path)))


def _columns(header: Sequence[str], units: Sequence[int], shown: str) -> list[int]:
    """Where the wanted units stand in a header."""
    found = _places(header, shown)
    for unit in units:
        if unit not in found:
            there = ", ".join(f"AU{other}" for other in found) or "none"
            raise NetcfgError(f"{shown}:1: there are no labels of AU{unit}; there are {there}", code="NC506")
    return [found[unit] for unit in units]


def _places(header: Sequence[str], shown: str) -> dict[int, int]:
    """Where each unit stands in a header."""
    names = [name.strip() for name in header]
    if [name.lower() for name in names[:2]] != ["clip", "frame"]:
        raise NetcfgError(
            f"{shown}:1: the header is `{','.join(header)}`\nhelp: `clip,frame,AU1,AU2,…`", code="NC505"
        )
    numbers = [re.fullmatch(r"(?i)(?:AU)?\s*0*(\d{1,3})", name) for name in names]
    return {int(number[1]): place for place, number in enumerate(numbers) if number is not None and place > 1}


def _expect_range(values: Sequence[float], most: int, place: str) -> None:
    for value in values:
        good = value in (0, 1) if most == 1 else 0 <= value <= most
        if not good:
            wanted = "0 or 1 (9: not coded)" if most == 1 else f"0 to {most}"
            help = (
                "\nhelp: `intensities = True` reads labels from 0 to 5"
                if most == 1 and 0 <= value <= 5
                else ""
            )
            raise NetcfgError(f"{place}: a label of {value:g}, and labels are {wanted}{help}", code="NC505")


# --- splits -------------------------------------------------------------------------------------------------


def dealt_clips(database: Database, split: Split, folds: int, fold: int, share: float) -> list[int]:
    """The clips of a split by subject: a fold is tested, a share of the other subjects is for validation."""
    subjects = database.subjects
    tested = dealt_subjects(subjects, folds)[fold]
    others = [name for name in subjects if name not in tested]
    count = min(max(1, round(share * len(others))), len(others) - 1)
    if not tested or count < 1:
        raise NetcfgError(
            f"the clips show {counted(len(subjects), 'subject')} ({named(subjects)}), too few for training, validation "
            f"and test to have one each in {folds} folds\n"
            "help: `train_clips`, `validation_clips` and `test_clips` list the clips of each split",
            code="NC506",
        )
    chosen = {"train": others[:-count], "validation": others[-count:], "test": tested}[split]
    return clips_of_subjects(database, chosen)


def listed_clips(database: Database, files: Sequence[Path], split: Split) -> list[int]:
    """The clips of a split by the lists of all three; a clip or subject may be in one of them only."""
    names = {clip.name: place for place, clip in enumerate(database.clips)}
    lists = {name: _listed(file, names) for name, file in zip(SPLITS, files, strict=True)}
    for place, one in enumerate(SPLITS):
        for other in SPLITS[place + 1 :]:
            shared = sorted(
                {subject_of(name) for name in lists[one]} & {subject_of(name) for name in lists[other]}
            )
            if shared:
                raise NetcfgError(
                    f"{shown_path(files[place])}: {counted(len(shared), 'subject')} in both {one} and {other}: "
                    f"{named(shared)}\nhelp: take their clips out of one of the lists",
                    code="NC505",
                )
    return sorted(names[name] for name in lists[split])


def _listed(file: Path, names: Iterable[str]) -> list[str]:
    listed = []
    for line, row in read_csv_rows(file):
        name = row[0].strip()
        if name not in names:
            help = did_you_mean(name, names) or "a line each: a clip's path, without ending"
            raise NetcfgError(
                f"{shown_path(file)}:{line}: there is no clip `{name}`\nhelp: {help}", code="NC506"
            )
        listed.append(name)
    return listed
