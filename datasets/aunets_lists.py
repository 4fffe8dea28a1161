"""The lists that AUNets trains on: face crops made beforehand, a line `path label` each.

    fold_0/AU12/train.txt      one label a line, 0 or 1; also val.txt and test.txt
    fold_0/train.txt           a label for each of BP4D's twelve units a line

A path leads to an RGB crop somewhere below a folder `Faces`; its flow picture has `Faces_Flow` in its place. Crops and
lists may have moved since: what stands in a path from `Faces` on also counts from the data folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from netcfg.blocks.kinds import Split
from netcfg.datasets.audetnet_folder import broken_pictures, counted, named, say
from netcfg.datasets.clip_sources import Missing
from netcfg.datasets.databases import UNCODED
from netcfg.datasets.face_boxes import Picture, clipped_box, cut_out, jittered_box
from netcfg.datasets.face_samples import FaceSamples, FrameTable, black, expect_picture
from netcfg.datasets.synthetic_faces import BP4D_AUS
from netcfg.datasets.transforms import flip_flow
from netcfg.source import NetcfgError, did_you_mean, shown_path

FILES: Mapping[Split, str] = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
FACES, FLOWS = "Faces", "Faces_Flow"
FLIPPED = "_flip"  # the ending of folders of mirrored copies
_COPY = re.compile(rf"Jitter_\d|{FLIPPED}\b")
_PLACE = re.compile(r"([FM]\d+)[\\/_]+(T\d+)(?=[\\/_])", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """A line of a list: the path as it is written, and 0 or 1 for each unit."""

    path: str
    labels: tuple[int, ...]

    @property
    def clip(self) -> tuple[str, str]:
        """Subject and task: `F001`, `T1`; of pictures that are filed otherwise, the two folders they lie in."""
        found = None
        for found in _PLACE.finditer(self.path):
            pass
        if found is not None:
            return found[1].upper(), found[2].upper()
        parts = Path(self.path.replace("\\", "/")).parts
        return (parts[-3] if len(parts) > 2 else "?"), (parts[-2] if len(parts) > 1 else "?")

    @property
    def frame(self) -> int:
        """The number of the frame: the last one in its name."""
        numbers = re.findall(r"\d+", Path(self.path.replace("\\", "/")).stem)
        return int(numbers[-1]) if numbers else 0


@dataclass(frozen=True)
class Lists:
    """Which lists are read, where their pictures lie, and what to do about those that are missing or broken."""

    folder: Path
    mode: str
    fold: int
    units: tuple[int, ...]
    pictures: Path
    size: int
    missing: Missing = "stop"
    skips_broken: bool = False


def open_lists(lists: Lists, split: Split, fields: Sequence[str]) -> FaceSamples:
    """The samples of one split, in the order of its list; in evaluation clip by clip, in the order of time.

    Errors: `NetcfgError` for lists that are missing, malformed, empty or share a subject, and for missing pictures.
    """
    lines = {name: list(_lines(lists, name)) for name in FILES}
    _check_subjects(lines, lists)
    own = lines[split]
    if split != "train":
        own.sort(key=lambda line: (line.clip, line.frame))
    finder = _Finder(lists.pictures)
    flow = "flow" in fields
    found = [(finder.find(line.path), finder.find(flow_path(line.path)) if flow else None) for line in own]
    rows = _kept_rows(lists, own, found, flow)
    clips = sorted({line.clip for part in lines.values() for line in part})
    subjects = sorted({subject for subject, _ in clips})
    table = FrameTable(
        ids=tuple(f"{'_'.join(line.clip)}_{line.frame}" for line in own),
        labels=np.array([line.labels for line in own], np.float32).reshape(len(own), -1),
        subjects=np.array([subjects.index(line.clip[0]) for line in own], np.int64),
        clips=np.array([clips.index(line.clip) for line in own], np.int64),
    ).rows(rows)
    pictures = _ListedPictures([found[row] for row in rows], lists.size)
    return FaceSamples(table, pictures, fields, has_copies=any(_COPY.search(line.path) for line in own))


def flow_path(path: str) -> str:
    """The path of a picture's flow: the last `Faces` in it becomes `Faces_Flow`."""
    before, faces, after = path.rpartition(FACES)
    return f"{before}{FLOWS}{after}" if faces else path


# --- lists --------------------------------------------------------------------------------------------------


def _lines(lists: Lists, split: Split) -> Iterator[Line]:
    """The lines of a split with the labels of the wanted units."""
    folder = _fold_folder(lists)
    shared = folder / FILES[split]
    if len(lists.units) > 1 and shared.is_file():
        columns = [BP4D_AUS.index(unit) for unit in lists.units if unit in BP4D_AUS]
        for line in _read(shared, len(BP4D_AUS), tuple(columns)):
            yield line
        return
    single = [_read(_unit_folder(folder, unit) / FILES[split], 1, (0,)) for unit in lists.units]
    if len(single) == 1:
        yield from single[0]
        return
    # The lists of single units are balanced, each in its own way: together they have the plain frames of all.
    labels = [{line.path: line.labels[0] for line in part if not _COPY.search(line.path)} for part in single]
    for path in labels[0]:
        if all(path in part for part in labels):
            yield Line(path, tuple(part[path] for part in labels))


def _fold_folder(lists: Lists) -> Path:
    places = [
        lists.folder / part / f"fold_{lists.fold}" for part in (lists.mode, ".", f"data/BP4D/{lists.mode}")
    ]
    for place in places:
        if place.is_dir():
            return place
    if not lists.folder.is_dir():
        raise NetcfgError(
            f"there is no folder {shown_path(lists.folder)}\nhelp: `lists = DIR` names AUNets' lists"
        )
    folds = sorted(path.name for path in lists.folder.glob("**/fold_*") if path.is_dir())
    there = f"; it has {named(folds)}" if folds else ""
    raise NetcfgError(
        f"{shown_path(lists.folder)} has no lists of fold {lists.fold} (`{lists.mode}/fold_{lists.fold}`){there}\n"
        "help: `lists = DIR` names the folder that holds `normal` or `aligned`"
    )


def _unit_folder(folder: Path, unit: int) -> Path:
    for name in (f"AU{unit:02d}", f"AU{unit}"):
        if (folder / name).is_dir():
            return folder / name
    present = sorted(path.name for path in folder.glob("AU*") if path.is_dir())
    there = f"there are lists of {', '.join(present)}" if present else "there are none of any unit"
    raise NetcfgError(
        f"{shown_path(folder)} has no lists of AU{unit}: {there}\n"
        f"help: {did_you_mean(f'AU{unit:02d}', present) or 'one of these as `action_units`'}"
    )


def _read(path: Path, width: int, columns: tuple[int, ...]) -> tuple[Line, ...]:
    try:
        state = path.stat()
    except OSError:
        raise NetcfgError(
            f"there is no list {shown_path(path)}\nhelp: a line `path label` for each picture"
        ) from None
    lines, uncoded = _parsed(path, width, columns, state.st_mtime_ns, state.st_size)
    if uncoded:
        say(f"{shown_path(path)}: left out for a label of 9 or -1 (not coded): {counted(uncoded, 'line')}")
    if not lines:
        raise NetcfgError(f"{shown_path(path)} lists no picture\nhelp: a line `path label` for each picture")
    return lines


@lru_cache(maxsize=32)
def _parsed(
    path: Path, width: int, columns: tuple[int, ...], changed: int, length: int
) -> tuple[tuple[Line, ...], int]:
    """The lines of a file, and how many were left out for units that were not coded."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise NetcfgError(f"cannot read {shown_path(path)} as text") from None
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
            lines.append(Line(name, chosen))
    return tuple(lines), uncoded


def _labels(words: Sequence[str], width: int, place: str) -> list[int]:
    try:
        labels = [int(float(word)) if float(word).is_integer() else None for word in words]
    except (ValueError, OverflowError):
        labels = [None]
    if len(labels) != width or not set(labels) <= {0, 1, *UNCODED}:
        wanted = "a path and a label" if width == 1 else f"a path and {width} labels"
        raise NetcfgError(
            f"{place}: `{' '.join(words)}` after the path: {wanted} (0 or 1; 9 for not coded) make a line"
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
                f"{named(shared)}\nhelp: take them out of one of the lists"
            )


# --- pictures -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """A picture on disk; `is_mirrored` where the list has a mirrored copy and only the original is there."""

    path: Path
    is_mirrored: bool = False


class _Finder:
    """Looks listed paths up; each folder is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[str, frozenset[str]] = {}

    def find(self, written: str) -> _Found | None:
        """The file of a listed path; of a mirrored copy that nobody made, its original."""
        path = self._existing(written)
        if path is not None:
            return _Found(path)
        original = re.sub(rf"{FLIPPED}(?=[\\/])", "", written)
        path = self._existing(original) if original != written else None
        return None if path is None else _Found(path, is_mirrored=True)

    def _existing(self, written: str) -> Path | None:
        return next((place for place in self._places(written) if self._is_file(place)), None)

    def _places(self, written: str) -> Iterator[Path]:
        """As it is written, below the data folder, and below it from `Faces` on."""
        path = Path(written.replace("\\", "/"))
        yield path
        yield self.root / path
        parts = path.parts
        for place in range(len(parts) - 1, -1, -1):
            if parts[place].startswith(FACES):
                yield self.root.joinpath(*parts[place:])

    def _is_file(self, path: Path) -> bool:
        folder, name = os.path.split(path)
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return name in self._names[folder]


Pair = tuple[_Found | None, _Found | None]


def _kept_rows(lists: Lists, lines: Sequence[Line], found: Sequence[Pair], flow: bool) -> list[int]:
    """The rows whose pictures are there, or all where others may be black."""
    rows = list(range(len(lines)))
    for place, what in enumerate(("picture", "flow picture")[: 1 + flow]):
        without = [row for row in rows if found[row][place] is None]
        if not without:
            continue
        path = lines[without[0]].path if place == 0 else flow_path(lines[without[0]].path)
        lack = f"without a {what}: {len(without):,} of {counted(len(rows), 'line')}, the first `{path}`"
        if lists.missing == "stop":
            raise NetcfgError(
                f"{shown_path(lists.pictures)}: {lack}\nhelp: `path = DIR` names the folder that holds `{FACES}`; "
                "`missing = skip` goes on without them, `missing = black` with black pictures"
            )
        say(f"{'black' if lists.missing == 'black' else 'left out'}, as they are {lack}")
        if lists.missing == "skip":
            rows = [row for row in rows if found[row][place] is not None]
    if lists.skips_broken:
        paths = {row: [str(part.path) for part in found[row] if part is not None] for row in rows}
        broken = broken_pictures(tuple(path for own in paths.values() for path in own))
        rows = [row for row in rows if not broken.intersection(paths[row])]
        if broken:
            say(
                f"left out, as they cannot be read: {counted(len(broken), 'picture')}, {named(sorted(broken))}"
            )
    if not rows:
        raise NetcfgError(f"{shown_path(lists.folder)}: no line of the list has its pictures")
    return rows


@dataclass
class _ListedPictures:
    """The crops of a list and their flow, brought to one size."""

    found: Sequence[Pair]
    size: int

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The crop; black where it is missing and that was allowed."""
        return self._read(self.found[index][0], jitter, is_flow=False)

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """The crop's flow."""
        return self._read(self.found[index][1], jitter, is_flow=True)

    def _read(self, found: _Found | None, jitter: int | None, is_flow: bool) -> Picture:
        """A picture, mirrored where only its original is there; a moved box shows what of it lies in the crop."""
        if found is None:
            return black(self.size)
        picture = expect_picture(found.path)
        if found.is_mirrored:
            picture = flip_flow(picture) if is_flow else np.ascontiguousarray(picture[:, ::-1])
        height, width = picture.shape[:2]
        whole = (0, height, 0, width)
        box = None if jitter is None else clipped_box(jittered_box(whole, jitter), height, width)
        return cut_out(picture, box, self.size, nearest=is_flow)
