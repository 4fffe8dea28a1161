"""Samples of AUNets' lists: crops made beforehand and the flow pictures beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.datasets.pictures.face_boxes import Picture, clipped_box, cut_out, jittered_box
from netcfg.datasets.pictures.reading import broken_pictures
from netcfg.datasets.samples.clip_sources import Missing
from netcfg.datasets.samples.face_samples import FaceSamples, FrameTable, black, expect_picture
from netcfg.datasets.samples.frame_pairs import FramePair
from netcfg.datasets.samples.notes import say
from netcfg.datasets.sources.aunets_lists import FLIPPED, Line, Lists, read_lists
from netcfg.datasets.transforms.geometry import flip_flow
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

FACES, FLOWS = "Faces", "Faces_Flow"
_MIRRORED_FOLDER = re.compile(rf"{FLIPPED}(?=/)")


@dataclass(frozen=True)
class Crops:
    """Where listed pictures lie, their size, and what to do about those that are missing or broken.

    What stands in a path from `Faces` on also counts from the folder: lists hold the paths of another machine.
    """

    folder: Path
    size: int
    missing: Missing = "stop"
    skips_broken: bool = False


def open_lists(lists: Lists, crops: Crops, split: Split, fields: Sequence[str]) -> FaceSamples:
    """The samples of one split, in the order of its list; in evaluation clip by clip, in the order of time.

    Errors: `NetcfgError` for bad lists, and for missing pictures.
    """
    lines = read_lists(lists)
    own = lines[split]
    if split != "train":
        own = _clip_by_clip(own)
    finder, flow = _Finder(crops.folder), "flow" in fields
    found = [(finder.find(line.path), finder.find(flow_path(line.path)) if flow else None) for line in own]
    rows = _kept_rows(crops, own, found, flow)
    clips = {
        clip: place for place, clip in enumerate(sorted({x.clip for part in lines.values() for x in part}))
    }
    subjects = {name: place for place, name in enumerate(sorted({subject for subject, _ in clips}))}
    table = FrameTable(
        ids=tuple(f"{'_'.join(line.clip)}_{line.frame}" for line in own),
        labels=np.array([line.labels for line in own], np.float32),
        subjects=np.array([subjects[line.clip[0]] for line in own], np.int64),
        clips=np.array([clips[line.clip] for line in own], np.int64),
        numbers=np.array([line.frame for line in own], np.int64),
    ).rows(rows)
    pictures = _ListedPictures([found[row] for row in rows], crops.size)
    return FaceSamples(
        table,
        pictures,
        fields,
        has_copies=any(line.is_copy for line in own),
        with_flow=partial(open_lists, lists, crops, split, (*fields, "flow")),
    )


def _clip_by_clip(lines: Sequence[Line]) -> list[Line]:
    """The lines of each clip in the order of time; clips in the order in which the list comes to them."""
    first = {clip: place for place, clip in enumerate(dict.fromkeys(line.clip for line in lines))}
    return sorted(lines, key=lambda line: (first[line.clip], line.frame))


def flow_path(path: str) -> str:
    """The path of a picture's flow: the last `Faces` in it becomes `Faces_Flow`."""
    before, faces, after = path.rpartition(FACES)
    return f"{before}{FLOWS}{after}" if faces else path


@dataclass(frozen=True)
class _Found:
    """A picture on disk; `is_mirrored` where the list has a mirrored copy and only the original is there."""

    path: Path
    is_mirrored: bool = False


class _Finder:
    """Looks listed paths up; each folder is looked for and read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, list[tuple[Path, frozenset[str]]]] = {}

    def find(self, written: str) -> _Found | None:
        """The file of a listed path; of a mirrored copy that nobody made, its original."""
        folder, _, name = written.replace("\\", "/").rpartition("/")
        path = self._existing(folder, name)
        if path is not None:
            return _Found(path)
        original = _MIRRORED_FOLDER.sub("", f"{folder}/")[:-1]
        path = self._existing(original, name) if original != folder else None
        return None if path is None else _Found(path, is_mirrored=True)

    def _existing(self, folder: str, name: str) -> Path | None:
        if folder not in self._folders:
            self._folders[folder] = [
                (place, frozenset(os.listdir(place))) for place in self._places(folder) if place.is_dir()
            ]
        return next((place / name for place, names in self._folders[folder] if name in names), None)

    def _places(self, folder: str) -> Iterator[Path]:
        """As it is written, below the data folder, and below it from `Faces` on."""
        path = Path(folder)
        yield path
        yield self.root / path
        parts = path.parts
        for place in range(len(parts) - 1, -1, -1):
            if parts[place].startswith(FACES):
                yield self.root.joinpath(*parts[place:])


Pair = tuple[_Found | None, _Found | None]


def _kept_rows(crops: Crops, lines: Sequence[Line], found: Sequence[Pair], flow: bool) -> list[int]:
    """The rows whose pictures are there, or all where others may be black."""
    rows = list(range(len(lines)))
    for place, what in enumerate(("picture", "flow picture")[: 1 + flow]):
        without = [row for row in rows if found[row][place] is None]
        if not without:
            continue
        path = lines[without[0]].path if place == 0 else flow_path(lines[without[0]].path)
        _say_missing(
            crops, f"without a {what}: {len(without):,} of {counted(len(rows), 'line')}, the first `{path}`"
        )
        if crops.missing == "skip":
            rows = [row for row in rows if found[row][place] is not None]
    if crops.skips_broken:
        rows = _without_broken(rows, found)
    if not rows:
        raise NetcfgError(f"{shown_path(crops.folder)}: no line of the split's list has its pictures")
    return rows


def _say_missing(crops: Crops, lack: str) -> None:
    """Say that pictures are missing. Raises `NetcfgError` where none may be."""
    if crops.missing == "stop":
        raise NetcfgError(
            f"{shown_path(crops.folder)}: {lack}\nhelp: `path = DIR` names the folder that holds `{FACES}`; "
            "`missing = skip` goes on without them, `missing = black` with black pictures"
        )
    say(f"{'black' if crops.missing == 'black' else 'left out'}, as they are {lack}")


def _without_broken(rows: Sequence[int], found: Sequence[Pair]) -> list[int]:
    """The rows whose pictures can be read; all of them are read for it."""
    paths = {row: [str(part.path) for part in found[row] if part is not None] for row in rows}
    broken = broken_pictures(tuple(path for own in paths.values() for path in own))
    if broken:
        count = counted(len(broken), "picture")
        say(f"left out, as they cannot be read: {count}, {named(sorted(map(shown_path, broken)))}")
    return [row for row in rows if not broken.intersection(paths[row])]


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

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: motion is found between whole frames, and these are crops."""
        raise NetcfgError(
            "the lists name crops, and optical flow is found between whole frames\n"
            "help: leave out `lists` to read BP4D as it is handed out"
        )

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
