"""Samples of AUNets' lists: crops made beforehand and the flow pictures beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.datasets.pictures.face_boxes import Picture
from netcfg.datasets.pictures.reading import ORDINARY, Reading, expect_picture
from netcfg.datasets.samples.missing import HELP, Missing, with_pictures, without_broken
from netcfg.datasets.samples.table_samples import TableSamples, black, moved
from netcfg.datasets.sources.aunets_lists import FLIPPED, Line, Lists, read_lists
from netcfg.datasets.transforms.geometry import flip_flow
from netcfg.source import NetcfgError, shown_path

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
    reading: Reading = ORDINARY


def open_lists(lists: Lists, crops: Crops, split: Split, fields: Sequence[str]) -> TableSamples:
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
    table = SampleTable(
        ids=tuple(f"{'_'.join(line.clip)}_{line.frame}" for line in own),
        labels={"labels": np.array([line.labels for line in own], np.float32)},
        has_copies=any(line.is_copy for line in own),
        subjects=np.array([subjects[line.clip[0]] for line in own], np.int64),
        clips=np.array([clips[line.clip] for line in own], np.int64),
        frames=np.array([line.frame for line in own], np.int64),
    ).rows(rows)
    return TableSamples(
        table,
        _ListedPictures([found[row] for row in rows], crops),
        fields,
        opened=frozenset({"image", "flow"} if flow else {"image"}),
        reopen=lambda wanted: open_lists(lists, crops, split, wanted),
        has_flow=True,
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
        written: Callable[[str], str] = flow_path if place else str
        rows = with_pictures(
            rows,
            lambda row, place=place: found[row][place] is not None,  # type: ignore[misc]
            lambda row, written=written: written(lines[row].path),  # type: ignore[misc]
            place=lambda row: crops.folder,
            missing=crops.missing,
            what=what,
            noun="line",
            help=f"`path = DIR` names the folder that holds `{FACES}`; {HELP}",
        )
    if crops.skips_broken:
        rows = without_broken(
            rows, lambda row: [part.path for part in found[row] if part is not None], crops.reading
        )
    if not rows:
        raise NetcfgError(
            f"{shown_path(crops.folder)}: no line of the split's list has its pictures", code="NC506"
        )
    return rows


@dataclass
class _ListedPictures:
    """The crops of a list and their flow, brought to one size."""

    found: Sequence[Pair]
    crops: Crops

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
            "help: leave out `lists` to read BP4D as it is handed out",
            code="NC508",
        )

    def _read(self, found: _Found | None, jitter: int | None, is_flow: bool) -> Picture:
        """A picture, mirrored where only its original is there; a moved box shows what of it lies in the crop."""
        size = self.crops.size
        if found is None:
            return black(size)
        picture = expect_picture(found.path, self.crops.reading)
        if found.is_mirrored:
            picture = flip_flow(picture) if is_flow else np.ascontiguousarray(picture[:, ::-1])
        return moved(picture, jitter, size, nearest=is_flow)
