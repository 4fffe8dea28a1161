"""The samples of one split out of the clips of a database: which frames, in which order, from which files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.datasets.pictures.reading import broken_pictures
from netcfg.datasets.pictures.unpacked_videos import frame_count, unpack
from netcfg.datasets.samples.clips import Clip, Database, files_by_number
from netcfg.datasets.samples.face_samples import (
    ClipPictures,
    Crop,
    FaceSamples,
    FrameTable,
    Labelling,
    numbered_pictures,
)
from netcfg.datasets.samples.notes import say
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

Missing = Literal["stop", "black", "skip"]
Files = Mapping[int, Path]


@dataclass(frozen=True)
class Handling:
    """How frames become samples: which ones, cut how, and what to do about those that are missing or broken."""

    size: int
    crop: Crop = "face"
    every: int = 1
    boxes: Path | None = None
    flow: Path | None = None
    missing: Missing = "stop"
    skips_broken: bool = False
    cache: Path | None = None
    labelling: Labelling = Labelling()


def open_clips(
    database: Database, chosen: Sequence[int], split: Split, fields: Sequence[str], handling: Handling
) -> FaceSamples:
    """The frames of the `chosen` clips of a database, clip by clip in the order of time.

    Errors: `NetcfgError` for missing pictures and for a split without frames.
    """
    for note in database.notes:
        say(note)
    clips = [_with_boxes(database.clips[place], handling) for place in chosen]
    is_shown = bool({"image", "flow"} & set(fields))
    files = _frames_of(clips, handling, is_shown)
    flows = [_flows_of(clip, handling) for clip in clips]
    places = _places_in(clips, files, flows, handling)
    if not places:
        raise NetcfgError(f"the {split} split holds no frame\nhelp: look at the pictures of its clips")
    pictures = ClipPictures(clips, places, files, flows, handling.size, handling.crop)
    samples = FaceSamples(_table_of(database, chosen, places), pictures, fields, handling.labelling)
    if handling.flow is not None:
        samples.with_flow = partial(samples.only, (*fields, "flow"))
    if not is_shown:
        samples.with_frames = partial(open_clips, database, chosen, split, (*fields, "image"), handling)
    return samples


def _places_in(
    clips: Sequence[Clip], files: Sequence[Files], flows: Sequence[Files], handling: Handling
) -> list[tuple[int, int]]:
    """Clip and frame number of each sample."""
    places = [
        (place, number)
        for place, clip in enumerate(clips)
        for number in sorted(clip.labels)[:: handling.every]
    ]
    _say_unfound(clips, places, handling)
    places = _with_pictures(clips, places, files, "picture", handling)
    if handling.flow is not None:
        places = _with_pictures(clips, places, flows, "flow picture", handling)
    if handling.skips_broken and not any(clip.pictures.is_file() for clip in clips):
        places = _without_broken(clips, places, (files, flows))
    return places


def _table_of(database: Database, chosen: Sequence[int], places: Sequence[tuple[int, int]]) -> FrameTable:
    """What is known of the frames at these places in the chosen clips."""
    clips = [database.clips[place] for place in chosen]
    people = {name: place for place, name in enumerate(database.subjects)}
    return FrameTable(
        ids=tuple(f"{clips[clip].name}_{number}" for clip, number in places),
        labels=np.stack([clips[clip].labels[number] for clip, number in places]),
        subjects=np.array([people[clips[clip].subject] for clip, _ in places], np.int64),
        clips=np.array([chosen[clip] for clip, _ in places], np.int64),
        numbers=np.array([number for _, number in places], np.int64),
    )


def clips_of_subjects(database: Database, subjects: Sequence[str]) -> list[int]:
    """The places of the clips that show these subjects."""
    return [place for place, clip in enumerate(database.clips) if clip.subject in subjects]


def _with_boxes(clip: Clip, handling: Handling) -> Clip:
    if handling.boxes is None:
        return clip
    return replace(clip, boxes=files_by_number(handling.boxes / clip.place, (".txt",)))


def _frames_of(clips: Sequence[Clip], handling: Handling, shown: bool) -> list[Files]:
    """The frames of each clip by number. Videos are unpacked, but where no picture is to be shown, only counted."""
    videos = [clip.pictures for clip in clips if not clip.pictures.is_dir()]
    folders = dict(zip(videos, unpack(videos, handling.cache), strict=True)) if shown else {}
    files: list[Files] = []
    for clip in clips:
        if clip.pictures.is_dir() or clip.pictures in folders:
            files.append(numbered_pictures(folders.get(clip.pictures, clip.pictures)))
        else:
            numbers = range(1, frame_count(clip.pictures, handling.cache) + 1)
            files.append(dict.fromkeys(numbers, clip.pictures))
    return files


def _flows_of(clip: Clip, handling: Handling) -> Files:
    """A clip's flow pictures by number; its last frame moves on as the one before it did."""
    if handling.flow is None:
        return {}
    folder = handling.flow / clip.place
    if not folder.is_dir():
        return {}
    flows = numbered_pictures(folder)
    last = max(clip.labels, default=0)
    return flows if last in flows or last - 1 not in flows else {**flows, last: flows[last - 1]}


def _say_unfound(clips: Sequence[Clip], places: Sequence[tuple[int, int]], handling: Handling) -> None:
    """Say where a face is not known and the middle of the frame is taken."""
    if handling.crop == "none":
        return
    unfound = 0
    for clip, number in places:
        boxed = handling.crop == "face" and number in clips[clip].boxes
        unfound += not boxed and number not in clips[clip].landmarks
    if not unfound:
        return
    which = (
        "of no frame" if unfound == len(places) else f"of {unfound:,} of {counted(len(places), 'frame')} not"
    )
    say(
        f"face box or landmarks are known {which}; the middle of the frame is taken\n"
        "help: `boxes = DIR` names a folder of face boxes, `crop = none` takes whole frames"
    )


def _with_pictures(
    clips: Sequence[Clip],
    places: list[tuple[int, int]],
    files: Sequence[Files],
    what: str,
    handling: Handling,
) -> list[tuple[int, int]]:
    """Those frames that have a picture, or all where others may be black. Raises `NetcfgError` where none may lack."""
    without = [(clip, number) for clip, number in places if number not in files[clip]]
    if not without:
        return places
    names = [f"{clips[clip].name}_{number}" for clip, number in without]
    lack = f"without a {what}: {len(without):,} of {counted(len(places), 'frame')}, {named(names)}"
    if handling.missing == "stop":
        clip = clips[without[0][0]]
        folder = clip.pictures if what == "picture" or handling.flow is None else handling.flow / clip.place
        raise NetcfgError(
            f"{shown_path(folder)}: {lack}\n"
            "help: `missing = skip` goes on without them, `missing = black` with black pictures"
        )
    if handling.missing == "black":
        say(f"black, as they are {lack}")
        return places
    say(f"left out, as they are {lack}")
    return [(clip, number) for clip, number in places if number in files[clip]]


def _without_broken(
    clips: Sequence[Clip], places: list[tuple[int, int]], kinds: Sequence[Sequence[Files]]
) -> list[tuple[int, int]]:
    """The frames whose pictures can be read; all of them are read for it."""
    paths = {
        (clip, number): [str(files[clip][number]) for files in kinds if number in files[clip]]
        for clip, number in places
    }
    broken = broken_pictures(tuple(path for own in paths.values() for path in own))
    if not broken:
        return places
    say(f"left out, as they cannot be read: {counted(len(broken), 'picture')}, {named(sorted(broken))}")
    return [place for place in places if not broken.intersection(paths[place])]
