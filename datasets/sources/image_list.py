"""`image_list`: the rows of lists as samples."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.image_list import LABELS, LANDMARKS, ImageList
from netcfg.blocks.sources.list_files import ListFile, split_of
from netcfg.blocks.sources.list_layout import Layout, field_name, is_gap
from netcfg.blocks.sources.listed import Listing
from netcfg.datasets.pictures.frames import natural
from netcfg.datasets.pictures.masks import MaskReading, broken_masks
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.table_samples import (
    Beside,
    BesideFiles,
    FilePictures,
    Further,
    TableSamples,
    placed,
    table_samples,
)
from netcfg.datasets.sources.beside import Masks, landmark_paths, landmarks_beside
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

_LOOKED_AT = 20
"""Rows by whose pictures their folder is found."""


def open_image_list(section: ImageList, split: Split, fields: Sequence[str]) -> TableSamples:
    """The pictures of a split. Raises `NetcfgError` for lists that are none, paths that leave their folder, and cells
    that hold neither a label nor a gap.
    """
    listing = section.listing()
    found, rows = _rows_of(section, listing, split)
    if not len(rows):
        raise NetcfgError(
            f"{shown_path(found.path)}: there is no picture for the {split} split\n"
            "help: more rows, or a larger share of them",
            code="NC506",
        )
    layout = listing.layout
    root, paths = paths_of(section, listing, found)
    ids = [paths[row] for row in rows]
    # Of the whole list: its rows are dealt, and a picture in two of them would come into two splits.
    _expect_once(found, paths)
    columns = _columns(section, listing, found)
    labels = {name: values[rows] for name, values in columns.items() if name != LANDMARKS}
    names = {**section.class_names(), LABELS: section.labels_called()}
    groups = _groups(section, found, layout)
    table = SampleTable(
        tuple(ids),
        subjects=None if groups is None else groups[rows],
        labels=labels,
        names={name: own for name, own in names.items() if name in labels},
    )
    points = columns.get(LANDMARKS)
    beside = landmark_paths(section, [os.path.join(root, name) for name in ids])

    def further(pictures: FilePictures, kept: Sequence[int]) -> Mapping[str, Further]:
        made = _further(section, layout, root, found, rows[list(kept)], pictures, points)
        if beside:
            own = [beside[row] for row in kept]
            made[LANDMARKS] = landmarks_beside(section, own, pictures, section.landmark_count)
            made[f"has_{LANDMARKS}"] = lambda index: np.ones(1, np.float32)
        return made

    def made_by(kept: Sequence[int]) -> Beside:
        columns = (*layout.masks, *layout.pictures)
        files = [name for column in columns for name in _named(found, column, root, rows[list(kept)])]
        own = None if points is None else points[rows[list(kept)]]
        how = f"{columns} {_mask_reading(section)} {'' if own is None else hashlib.sha256(own.tobytes()).hexdigest()}"
        return Beside(files, how)

    return table_samples(
        table,
        [os.path.join(root, name) for name in ids],
        fields,
        section.image_size,
        folder=found.path,
        missing=section.missing,
        skips_broken=section.on_error == "skip",
        reading=section.reading(),
        fit=section.fit,
        further=further,
        beside=_beside_files(section, layout, root, found, rows),
        help="`images = FOLDER` where the paths count from another one; `missing = skip` goes on without them",
        made_by=None if beside else made_by,
    )


# --- rows of a split


def _rows_of(section: ImageList, listing: Listing, split: Split) -> tuple[ListFile, NDArray[np.int64]]:
    """The list that holds a split, and which of its rows are of it."""
    lists = listing.lists
    if "" in lists:
        found = lists[""]
        rows = _usable(found, listing.layout)
        if listing.layout.split is not None:
            return _by_column(section, listing, found, rows, split)
        parts = dealt(
            _strata(section, listing, found)[rows],
            section.dealing(),
            _of(section, found, listing.layout, rows),
        )
        return found, rows[parts == SPLITS.index(split)]
    if "test" not in lists:  # what chooses the epoch cannot judge it
        lists = {"train": lists["train"], "test": lists["validation"]}
    if split in lists and (split != "train" or "validation" in lists):
        return lists[split], _usable(lists[split], listing.layout)
    found = lists["train"]
    rows = _usable(found, listing.layout)
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    parts = dealt(_strata(section, listing, found)[rows], dealing, _of(section, found, listing.layout, rows))
    return found, rows[parts == SPLITS.index(split)]


def _by_column(
    section: ImageList, listing: Listing, found: ListFile, rows: NDArray[np.int64], split: Split
) -> tuple[ListFile, NDArray[np.int64]]:
    assert listing.layout.split is not None
    cells = found.column(listing.layout.split)
    told = {cell: split_of(cell) for cell in set(cells)}
    unknown = next((row for row, cell in enumerate(cells) if told[cell] is None), None)
    if unknown is not None:
        raise NetcfgError(
            f"{found.place(unknown)}: `{cells[unknown]}` is the name of no split\n"
            "help: train, validation and test are known, and their like",
            code="NC505",
        )
    parts = np.array([SPLITS.index(told[cells[row]]) for row in rows.tolist()], np.int8)  # type: ignore[arg-type]
    groups = _of(section, found, listing.layout, rows)
    if groups is not None:
        _expect_undivided(found, listing.layout, parts, groups)
    if not (parts == 2).any():
        parts = np.where(parts == 1, 2, parts)
    if not (parts == 1).any():
        train = np.flatnonzero(parts == 0)
        dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
        own = None if groups is None else groups[train]
        parts[train] = dealt(_strata(section, listing, found)[rows[train]], dealing, own)
    return found, rows[parts == SPLITS.index(split)]


def _expect_undivided(
    found: ListFile, layout: Layout, parts: NDArray[np.int8], groups: NDArray[np.int64]
) -> None:
    """A group that its list puts into two splits is said: what is learned of it is judged on it."""
    pairs = np.unique(np.stack([groups, parts], axis=1), axis=0)
    _, counts = np.unique(pairs[:, 0], return_counts=True)
    shared = int((counts > 1).sum())
    if shared:
        say(
            f"{shown_path(found.path)}: {counted(shared, 'group')} of `{layout.group}` stand in more than one split"
        )


def _usable(found: ListFile, layout: Layout) -> NDArray[np.int64]:
    """The rows that show a picture: of OpenFace those in which it has found a face."""
    rows = np.arange(len(found.rows))
    if layout.frame is None:
        return rows
    success = np.array([cell not in ("0", "0.0") for cell in found.column("success")])
    if not success.all():
        say(
            f"left out, as OpenFace found no face: {counted(int((~success).sum()), 'row')} of {shown_path(found.path)}"
        )
    return np.asarray(rows[success])


def _strata(section: ImageList, listing: Listing, found: ListFile) -> NDArray[np.int64]:
    """What the rows are dealt by: their first class, or nothing."""
    if not listing.layout.classes:
        return np.zeros(len(found.rows), np.int64)
    values, there = _classes(section, listing, found, listing.layout.classes[0])
    return np.asarray(np.where(there, values, -1))


def _groups(section: ImageList, found: ListFile, layout: Layout) -> NDArray[np.int64] | None:
    """Who is whose: by a column, or by the folders that pictures lie in."""
    if section.group_below is not None:
        if layout.image is None:
            raise NetcfgError(
                f"{shown_path(found.path)} names frames and no paths, for which `group_below` says nothing\n"
                "help: leave it out",
                code="NC505",
            )
        _, numbers = np.unique(_below(section.group_below, found, layout.image), return_inverse=True)
        return numbers.astype(np.int64)
    if layout.group is None:
        return None
    _, numbers = np.unique(found.column(layout.group), return_inverse=True)
    return numbers.astype(np.int64)


def _below(folder: str, found: ListFile, column: str) -> list[str]:
    """The folder right below the one of that name in each path. Raises `NetcfgError` for a path without it."""
    groups = []
    for row, cell in enumerate(found.column(column)):
        parts = cell.replace("\\", "/").split("/")
        at = parts.index(folder) + 1 if folder in parts else len(parts)
        if at >= len(parts) - 1:
            raise NetcfgError(
                f"{found.place(row)}: `{cell}` lies in no folder below `{folder}`, which `group_below` names",
                code="NC505",
            )
        groups.append(parts[at])
    return groups


def _of(
    section: ImageList, found: ListFile, layout: Layout, rows: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    groups = _groups(section, found, layout)
    return None if groups is None else groups[rows]


# --- paths


def paths_of(section: ImageList, listing: Listing, found: ListFile) -> tuple[str, list[str]]:
    """The folder that paths count from, and each row's below it. Raises `NetcfgError` for one that leaves it."""
    if listing.layout.image is None:
        return _frames(section, listing, found)
    written = [cell.replace("\\", "/") for cell in found.column(listing.layout.image)]
    root = _root(section, found, written)
    below = []
    for row, name in enumerate(written):
        relative = os.path.relpath(name, root) if os.path.isabs(name) else os.path.normpath(name)
        if relative == ".." or relative.startswith("../"):
            raise NetcfgError(
                f"{found.place(row)}: `{name}` leaves the folder of the pictures, {shown_path(root)}\n"
                "help: `images` is the folder that holds all of them",
                code="NC505",
            )
        below.append(relative)
    return str(root), below


def _root(section: ImageList, found: ListFile, written: Sequence[str]) -> Path:
    """The folder that is named, or the nearest to the list in which its first pictures lie."""
    own = found.path.parent
    if section.images is not None:
        for place in (Path(section.images).expanduser(), own / section.images):
            if place.is_dir():
                return place
        raise NetcfgError(
            f"there is no folder {section.images} of pictures\nhelp: look at `images`", code="NC802"
        )
    near = [own, *_folders(own), own.parent, *_folders(own.parent)]
    near += [below for place in _folders(own) for below in _folders(place)]
    names = written[:_LOOKED_AT]
    return next((place for place in near if any((place / name).is_file() for name in names)), own)


def _folders(folder: Path) -> list[Path]:
    try:
        return [place for place in visible(folder) if place.is_dir()]
    except OSError:
        return []


def _frames(section: ImageList, listing: Listing, found: ListFile) -> tuple[str, list[str]]:
    """The pictures of OpenFace's frames: by the numbers in their names, which count from 1 as its rows do."""
    own = found.path.parent
    named = [Path(section.images).expanduser()] if section.images else []
    places = [*named, own / f"{found.path.stem}_aligned", own / found.path.stem, own]
    for place in places:
        pictures = sorted(_pictures_in(place), key=natural)
        if pictures:
            break
    else:
        raise NetcfgError(
            f"{shown_path(found.path)} names frames by number, and there are no pictures in "
            f"{' or '.join(shown_path(one) for one in places)}\nhelp: `images` is their folder",
            code="NC506",
        )
    by_number = {
        int(numbers[-1]): name for name in pictures if (numbers := re.findall(r"\d+", Path(name).stem))
    }
    frames = [int(float(cell)) for cell in found.column(str(listing.layout.frame))]
    without = [frame for frame in frames if frame not in by_number]
    if without and len(pictures) == len(frames):  # named otherwise, and as many
        return str(place), pictures
    return str(place), [by_number.get(frame, f"frame {frame}") for frame in frames]


def _pictures_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in visible(folder) if path.suffix.lower() in PICTURES]
    except OSError:
        return []


def _expect_once(found: ListFile, paths: Sequence[str]) -> None:
    """Refuse a picture that stands in two rows: nobody knows which of its labels hold."""
    if len(set(paths)) == len(paths):
        return
    first: dict[str, int] = {}
    for row, name in enumerate(paths):
        if name in first:
            raise NetcfgError(
                f"{found.place(row)}: `{name}` stands in line {found.first + first[name]} already\n"
                f"help: a row for each picture; {len(paths) - len(set(paths)):,} are doubled",
                code="NC505",
            )
        first[name] = row


# --- labels


def _columns(section: ImageList, listing: Listing, found: ListFile) -> dict[str, NDArray[Any]]:
    """What all rows hold, by field; where a cell is a gap, 0, and so in the field that says what is there."""
    layout = listing.layout
    columns: dict[str, NDArray[Any]] = {}
    for column in layout.classes:
        values, there = _classes(section, listing, found, column)
        columns |= _with_gaps(field_name(column), np.where(there, values, 0), there[:, None])
    for column in layout.numbers:
        numbers = _numbers(section, found, [column])
        columns |= _with_gaps(field_name(column), np.nan_to_num(numbers), ~np.isnan(numbers))
    labels = _numbers(section, found, layout.labels) if layout.labels else _beside(section, listing, found)
    if labels is not None:
        columns |= _with_gaps(LABELS, np.nan_to_num(labels), ~np.isnan(labels))
    points = _points(section, listing, found)
    if points is not None:
        complete = np.asarray(~np.isnan(points).any(axis=(1, 2)))
        columns |= _with_gaps(LANDMARKS, np.nan_to_num(points), complete[:, None])
    return columns


def _with_gaps(name: str, values: NDArray[Any], there: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: values, f"has_{name}": there.astype(np.float32)}


def _classes(
    section: ImageList, listing: Listing, found: ListFile, column: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    names = section.class_names()[field_name(column)]
    numbers = {name: number for number, name in enumerate(names)}
    cells = found.column(column)
    there = np.array([not (is_gap(cell) or cell in section.gaps) for cell in cells])
    values = np.array([numbers.get(cell, -1) for cell in cells], np.int64)
    unknown = np.flatnonzero(there & (values < 0))
    if len(unknown):
        row = int(unknown[0])
        raise NetcfgError(
            f"{found.place(row)}: `{cells[row]}` is none of the classes of `{column}`: {', '.join(names)}\n"
            "help: add it to `classes`, or to `gaps` where it says that nobody knows",
            code="NC505",
        )
    return values, there


def _numbers(section: ImageList, found: ListFile, columns: Sequence[str]) -> NDArray[np.float32]:
    """Columns of numbers, N×columns; NaN where there is a gap."""
    made = np.empty((len(found.rows), len(columns)), np.float32)
    for place, column in enumerate(columns):
        cells = ["nan" if is_gap(cell) or cell in section.gaps else cell for cell in found.column(column)]
        if found.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        try:
            with np.errstate(over="ignore"):  # what is too large for it is told below
                made[:, place] = np.array(cells, np.float64)
        except ValueError:
            row = next(row for row, cell in enumerate(cells) if not _is_number(cell))
            raise NetcfgError(
                f"{found.place(row)}: `{cells[row]}` in the column `{column}` is no number\n"
                "help: an empty cell is a gap, and so is what `gaps` names",
                code="NC505",
            ) from None
        if np.isinf(made[:, place]).any():
            row = int(np.flatnonzero(np.isinf(made[:, place]))[0])
            raise NetcfgError(f"{found.place(row)}: `{cells[row]}` is no finite number", code="NC505")
    return made


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _matrix(path: Path, found: ListFile, what: str) -> NDArray[np.float32]:
    """A file of numbers, a line for each path of the list."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace(",", " ")
        matrix = np.loadtxt(text.splitlines(), np.float32, ndmin=2)
    except (OSError, ValueError) as error:
        raise NetcfgError(f"{shown_path(path)} holds no numbers for {what}: {error}", code="NC505") from None
    if len(matrix) != len(found.rows):
        raise NetcfgError(
            f"{shown_path(path)} has {len(matrix):,} lines, and {shown_path(found.path)} names {len(found.rows):,} "
            "pictures\nhelp: a line for each",
            code="NC507",
        )
    return matrix


def _beside(section: ImageList, listing: Listing, found: ListFile) -> NDArray[np.float32] | None:
    path = listing.labels.get(found.path)
    if path is None:
        return None
    matrix = _matrix(path, found, "labels")
    names = section.labels_called()
    if matrix.shape[1] != len(names):
        raise NetcfgError(
            f"{shown_path(path)} has {matrix.shape[1]} labels a line, and `label_names` are {len(names)}",
            code="NC505",
        )
    for gap in section.gaps:
        if _is_number(gap):
            matrix[matrix == float(gap)] = np.nan
    return matrix


def _points(section: ImageList, listing: Listing, found: ListFile) -> NDArray[np.float32] | None:
    """Landmarks N×P×2 in pixels of the picture as it is stored."""
    if listing.layout.points:
        columns = [name for pair in listing.layout.points for name in pair]
        return _numbers(section, found, columns).reshape(len(found.rows), -1, 2)
    path = listing.landmarks.get(found.path)
    if path is None:
        return None
    matrix = _matrix(path, found, "landmarks")
    if matrix.shape[1] % 2:
        raise NetcfgError(
            f"{shown_path(path)} has {matrix.shape[1]} numbers a line, and points are pairs", "NC505"
        )
    return matrix.reshape(len(matrix), -1, 2)


# --- fields that are made when they are asked for


def _further(
    section: ImageList,
    layout: Layout,
    root: str,
    found: ListFile,
    rows: NDArray[np.int64],
    pictures: FilePictures,
    points: NDArray[np.float32] | None,
) -> dict[str, Further]:
    """Landmarks in the pixels of pictures as they are shown, masks, and further pictures."""
    made: dict[str, Further] = {}
    size = section.image_size
    if points is not None:
        own = points[rows]

        def landmarks(index: int) -> NDArray[np.float32]:
            if size is None:
                return np.asarray(own[index], np.float32)
            height, width = pictures.original(index).shape[:2]
            return placed(own[index], height, width, size, section.fit)

        made[LANDMARKS] = landmarks
    how = _mask_reading(section)
    for column in layout.masks:
        made[field_name(column)] = Masks(_named(found, column, root, rows), pictures, section, how)
    for column in layout.pictures:
        others = FilePictures(_named(found, column, root, rows), size, section.reading(), section.fit)
        made[field_name(column)] = others.image
    return made


def _beside_files(
    section: ImageList, layout: Layout, root: str, found: ListFile, rows: NDArray[np.int64]
) -> list[BesideFiles]:
    """The masks and further pictures of rows, which may be broken as their first pictures may."""
    how = _mask_reading(section)
    masks = [_named(found, column, root, rows) for column in layout.masks]
    pictures = [_named(found, column, root, rows) for column in layout.pictures]
    return [
        *(BesideFiles(paths, lambda some: broken_masks(some, how), "mask") for paths in masks),
        *(BesideFiles(paths) for paths in pictures),
    ]


def _mask_reading(section: ImageList) -> MaskReading:
    return MaskReading(len(section.mask_classes) or None, section.ignore, reading=section.reading())


def _named(found: ListFile, column: str, root: str, rows: NDArray[np.int64]) -> list[str]:
    cells = found.column(column)
    return [os.path.join(root, cells[row]) for row in rows.tolist()]
