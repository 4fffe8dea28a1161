"""The samples of one split out of the clips of a database: which frames, in which order, from which files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import SampleTable
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading
from netcfg.datasets.pictures.unpacked_videos import frame_count, unpack
from netcfg.datasets.samples.clip_pictures import ClipPictures, Crop, Labelling, numbered_pictures
from netcfg.datasets.samples.clips import Clip, Database, files_by_number
from netcfg.datasets.samples.missing import Missing, with_pictures, without_broken
from netcfg.datasets.samples.pairing import NUMBERS, Numbers, Pairing, expect_fit
from netcfg.datasets.samples.table_samples import TableSamples
from netcfg.source import NetcfgError
from netcfg.words import counted

Files = Mapping[int, Path]
Place = tuple[int, int]
"""A clip, and the number of a frame in it."""


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
    reading: Reading = ORDINARY
    pairing: Pairing = NUMBERS


def open_clips(
    database: Database, chosen: Sequence[int], split: Split, fields: Sequence[str], handling: Handling
) -> TableSamples:
    """The frames of the `chosen` clips of a database, clip by clip in the order of time.

    Errors: `NetcfgError` for missing pictures and for a split without frames.
    """
    for note in database.notes:
        say(note)
    clips = [_with_boxes(database.clips[place], handling) for place in chosen]
    is_shown = bool({"image", "flow"} & set(fields))
    files = _frames_of(clips, handling, is_shown)
    _expect_pairs(database, chosen, files, handling)
    files = [handling.pairing.keyed(own, clip.labels) for clip, own in zip(clips, files, strict=True)]
    flows = [_flows_of(clip, handling) for clip in clips]
    places = _places_in(clips, files, flows, handling)
    if not places:
        raise NetcfgError(
            f"the {split} split holds no frame\nhelp: look at the pictures of its clips", code="NC506"
        )
    return TableSamples(
        _table_of(database, chosen, places, handling.labelling),
        ClipPictures(clips, places, files, flows, handling.size, handling.crop, handling.reading),
        fields,
        opened=frozenset({"image", "flow"} if is_shown else {"flow"}),
        reopen=lambda wanted: open_clips(database, chosen, split, wanted, handling),
        has_flow=handling.flow is not None,
    )


def _places_in(
    clips: Sequence[Clip], files: Sequence[Files], flows: Sequence[Files], handling: Handling
) -> list[Place]:
    """Clip and frame number of each sample."""
    places = [
        (place, number)
        for place, clip in enumerate(clips)
        for number in sorted(clip.labels)[:: handling.every]
    ]
    _say_unfound(clips, places, handling)
    found = {"picture": files} | ({} if handling.flow is None else {"flow picture": flows})
    for what, theirs in found.items():
        places = _with_pictures(clips, places, theirs, what, handling)
    if handling.skips_broken and not any(clip.pictures.is_file() for clip in clips):
        places = without_broken(
            places,
            lambda place: [
                theirs[place[0]][place[1]] for theirs in (files, flows) if place[1] in theirs[place[0]]
            ],
            handling.reading,
        )
    return places


def _table_of(
    database: Database, chosen: Sequence[int], places: Sequence[Place], labelling: Labelling
) -> SampleTable:
    """What is known of the frames at these places in the chosen clips."""
    clips = [database.clips[place] for place in chosen]
    # Numbered in the whole database, so that a subject has one number in all splits.
    people = {name: place for place, name in enumerate(database.subjects)}
    stored = np.stack([clips[clip].labels[number] for clip, number in places])
    return SampleTable(
        ids=tuple(f"{clips[clip].name}_{number}" for clip, number in places),
        labels={"labels": labelling(stored), "intensities": stored},
        subjects=np.array([people[clips[clip].subject] for clip, _ in places], np.int64),
        clips=np.array([chosen[clip] for clip, _ in places], np.int64),
        frames=np.array([number for _, number in places], np.int64),
    )


def clips_of_subjects(database: Database, subjects: Sequence[str]) -> list[int]:
    """The places of the clips that show these subjects."""
    return [place for place, clip in enumerate(database.clips) if clip.subject in subjects]


def _with_boxes(clip: Clip, handling: Handling) -> Clip:
    if handling.boxes is None:
        return clip
    boxes = files_by_number(handling.boxes / clip.place, (".txt",))  # they are numbered as the frames are
    return replace(clip, boxes=handling.pairing.keyed(dict(sorted(boxes.items())), clip.labels))


def _expect_pairs(
    database: Database, chosen: Sequence[int], files: Sequence[Files], handling: Handling
) -> None:
    """Refuse numbers that fit another reading better, in any clip: those of other splits, too, but for their videos."""
    own = dict(zip(chosen, files, strict=True))
    numbers = []
    for place, clip in enumerate(database.clips):
        if place in own:
            pictures = frozenset(own[place])
        elif clip.pictures.is_dir():
            pictures = frozenset(numbered_pictures(clip.pictures))
        else:
            continue
        numbers.append(Numbers(frozenset(clip.labels), pictures, clip.pictures))
    expect_fit(handling.pairing, numbers)


def _frames_of(clips: Sequence[Clip], handling: Handling, shown: bool) -> list[Files]:
    """The frames of each clip by number. Videos are unpacked, but where no picture is to be shown, only counted."""
    videos = [clip.pictures for clip in clips if not clip.pictures.is_dir()]
    folders = (
        dict(zip(videos, unpack(videos, handling.cache, handling.reading), strict=True)) if shown else {}
    )
    files: list[Files] = []
    for clip in clips:
        if clip.pictures.is_dir() or clip.pictures in folders:
            files.append(numbered_pictures(folders.get(clip.pictures, clip.pictures)))
        else:
            numbers = range(1, frame_count(clip.pictures, handling.cache, handling.reading) + 1)
            files.append(dict.fromkeys(numbers, clip.pictures))
    return files


def _flows_of(clip: Clip, handling: Handling) -> Files:
    """A clip's flow pictures by number; its last frame moves on as the one before it did."""
    if handling.flow is None:
        return {}
    folder = handling.flow / clip.place
    if not folder.is_dir():
        return {}
    flows: Files = handling.pairing.keyed(numbered_pictures(folder), clip.labels)
    last = max(clip.labels, default=0)
    return flows if last in flows or last - 1 not in flows else {**flows, last: flows[last - 1]}


def _say_unfound(clips: Sequence[Clip], places: Sequence[Place], handling: Handling) -> None:
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
    clips: Sequence[Clip], places: list[Place], files: Sequence[Files], what: str, handling: Handling
) -> list[Place]:
    """Those frames that have a picture, or all where others may be black. Raises `NetcfgError` where none may lack."""

    def folder(place: Place) -> Path:
        clip = clips[place[0]]
        return clip.pictures if what == "picture" or handling.flow is None else handling.flow / clip.place

    return with_pictures(
        places,
        lambda place: place[1] in files[place[0]],
        lambda place: f"{clips[place[0]].name}_{place[1]}",
        place=folder,
        missing=handling.missing,
        what=what,
    )
