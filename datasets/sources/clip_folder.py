"""`clip_folder`: whole clips with a class each, and who is in which split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES, VIDEOS
from netcfg.blocks.samples import Samples
from netcfg.blocks.sources.clip_folder import ClipFolder
from netcfg.blocks.sources.folders import has_media
from netcfg.datasets.pictures.frames import natural, open_frames, picture_files
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import Reading, broken_pictures
from netcfg.datasets.samples.whole_clips import SingleFrames, WholeClips
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named


class Clip(NamedTuple):
    """A clip's name, class, and where its frames lie."""

    name: str
    label: str
    place: Path


def open_clip_folder(section: ClipFolder, split: Split, fields: Sequence[str]) -> Samples:
    """The clips of a split. Raises `NetcfgError` for lists and folders that are none, and for a class without clips to
    train on.
    """
    clips = _of_split(section, split)
    if not clips:
        raise NetcfgError(
            f"{shown_path(section.folder())} holds no clips for {split}\n"
            "help: a clip is a folder of frames, or a video, in the folder of its class",
            code="NC506",
        )
    without: frozenset[str] = frozenset()
    if section.on_error == "skip":
        clips, without = _readable(section, clips)
    else:
        _expect_frames(clips)
    names = section.names() or tuple(sorted({clip.label for clip in _of_split(section, "train")} | {
        clip.label for clip in clips}))  # fmt: skip
    counts = Counter(clip.label for clip in clips)
    unknown = next((clip for clip in clips if clip.label not in names), None)
    if unknown is not None:
        raise NetcfgError(
            f"`{unknown.name}` is of the class `{unknown.label}`, which is none of {', '.join(names)}\n"
            "help: add it to `classes`",
            code="NC505",
        )
    empty = next((name for name in names if not counts[name]), None)
    if split == "train" and empty is not None:
        raise NetcfgError(
            f"no clip to train on is of the class `{empty}`\nhelp: another fold, or fewer `classes`",
            code="NC502",
        )
    whole = WholeClips(
        tuple(clip.name for clip in clips),
        tuple(clip.place for clip in clips),
        tuple(names.index(clip.label) for clip in clips),
        names,
        section.image_size,
        fields,
        section.reading(),
        without,
    )
    return whole if section.samples == "clips" else SingleFrames(whole, fields)


def _expect_frames(clips: Sequence[Clip]) -> None:
    """Refuse folders of clips without a picture, before an epoch comes upon them."""
    empty = [
        clip.name for clip in clips if clip.place.is_dir() and not has_media(clip.place, PICTURES, levels=1)
    ]
    if empty:
        raise NetcfgError(
            f"without a frame: {counted(len(empty), 'clip')} of {len(clips):,}, {named(empty)}\n"
            f"help: take their folders away, or `on_error = skip`; pictures end in {', '.join(PICTURES)}",
            code="NC506",
        )


def _readable(section: ClipFolder, clips: Sequence[Clip]) -> tuple[list[Clip], frozenset[str]]:
    """The clips of which frames can be read, and the files of pictures that are to be left out of them.

    Raises `NetcfgError` where no clip is left.
    """
    reading = section.reading()
    files = {clip: tuple(map(str, picture_files(clip.place))) for clip in clips if clip.place.is_dir()}
    broken = broken_pictures(tuple(file for own in files.values() for file in own), reading)
    kept = [
        clip
        for clip in clips
        if (set(files[clip]) - broken if clip in files else _can_be_read(clip.place, reading))
    ]
    left = set(kept)  # a list would be gone through for each of thousands of clips
    left_out = [clip.name for clip in clips if clip not in left]
    if left_out:
        say(f"left out, as no frame of them can be read: {counted(len(left_out), 'clip')}, {named(left_out)}")
    rest = sorted(broken.intersection(file for clip in kept for file in files.get(clip, ())))
    if rest:
        names = named([shown_path(Path(file)) for file in rest])
        say(f"left out of their clips, as they cannot be read: {counted(len(rest), 'frame')}, {names}")
    if not kept:
        raise NetcfgError(
            f"{shown_path(section.folder())}: no clip of the split can be read\nhelp: look at its pictures",
            code="NC506",
        )
    return kept, broken


@lru_cache(maxsize=100_000)
def _can_be_read(video: Path, reading: Reading) -> bool:
    """Whether a video can be read to its end."""
    try:
        for _ in open_frames(video, same_size=False, reading=reading):
            pass
    except NetcfgError:
        return False
    return True


def _of_split(section: ClipFolder, split: Split) -> list[Clip]:
    train, validation, test = _lists(section)
    if split == "test":
        return test
    if validation is not None:
        return validation if split == "validation" else train
    held = set(_last_of_each(train, section.validation_share))
    return [clip for clip in train if (clip in held) == (split == "validation")]


def _lists(section: ClipFolder) -> tuple[list[Clip], list[Clip] | None, list[Clip]]:
    """The clips to train on, to validate on (None: a part of the former), and to test on."""
    root = section.folder()
    if section.fold_list is not None:
        folds = _read_folds(_file(section.fold_list), root)
        if section.fold >= len(folds):
            raise NetcfgError(
                f"{section.fold_list} has the folds 0 to {len(folds) - 1}, and `fold` is {section.fold}",
                code="NC502",
            )
        others = [clip for number, fold in enumerate(folds) if number != section.fold for clip in fold]
        return others, _named(section, root, "validation"), folds[section.fold]
    if section.train_list or section.train_folder:
        train, test = _named(section, root, "train"), _named(section, root, "test")
        assert train is not None
        assert test is not None
        return train, _named(section, root, "validation"), test
    clips = _tree(root)
    # In turn within each class, so that every fold has its part of each.
    seen: Counter[str] = Counter()
    dealt = []
    for clip in clips:
        dealt.append(seen[clip.label] % section.folds)
        seen[clip.label] += 1
    train = [clip for clip, fold in zip(clips, dealt, strict=True) if fold != section.fold]
    return train, None, [clip for clip, fold in zip(clips, dealt, strict=True) if fold == section.fold]


def _named(section: ClipFolder, root: Path, split: str) -> list[Clip] | None:
    listed: str | None = getattr(section, f"{split}_list")
    folder: str | None = getattr(section, f"{split}_folder")
    if listed is None:
        return _tree(root / folder) if folder else None
    return list(_read(_file(listed), root / (folder or "")))


def _file(written: str) -> Path:
    path = Path(written).expanduser()
    if not path.is_file():
        raise NetcfgError(f"there is no list {written}", code="NC506")
    return path


def _tree(folder: Path) -> list[Clip]:
    """The clips of class folders, by class and then in natural order."""
    if not folder.is_dir():
        raise NetcfgError(f"there is no folder {folder}", code="NC506")
    classes = [one for one in visible(folder) if one.is_dir()]
    clips = []
    for place in classes:
        inside = sorted(visible(place), key=lambda one: natural(one.name))
        for one in inside:
            if one.is_dir() or one.suffix.lower() in VIDEOS:
                clips.append(Clip(f"{place.name}/{one.stem if one.is_file() else one.name}", place.name, one))
    return clips


def _read(path: Path, folder: Path) -> Iterator[Clip]:
    """Lines `clip class`."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            yield _clip(line, path, number, folder)


def _read_folds(path: Path, folder: Path) -> list[list[Clip]]:
    """Blocks of such lines, each below a line with its count."""
    lines = path.read_text(encoding="utf-8").splitlines()
    folds: list[list[Clip]] = []
    number = 0
    while number < len(lines):
        header = re.match(r"\s*\d+-fold\s+(\d+)", lines[number])
        if not lines[number].strip():
            number += 1
            continue
        if header is None:
            raise NetcfgError(
                f"{shown_path(path)}, line {number + 1}: `{lines[number].strip()}` is no beginning of a fold\n"
                "help: `1-fold 33`, and then so many lines `clip class`",
                code="NC505",
            )
        count = int(header[1])
        block = lines[number + 1 : number + 1 + count]
        if len(block) < count:
            raise NetcfgError(f"{shown_path(path)}: its last fold has {len(block)} of {count} clips", "NC505")
        folds.append([_clip(line, path, number + 2 + place, folder) for place, line in enumerate(block)])
        number += 1 + count
    return folds


def _clip(line: str, path: Path, number: int, folder: Path) -> Clip:
    words = line.split()
    if len(words) != 2:
        raise NetcfgError(
            f"{shown_path(path)}, line {number}: `{line.strip()}` is not `clip class`", code="NC505"
        )
    place = folder / words[0]
    if not place.exists():
        videos = [place.with_name(place.name + ending) for ending in VIDEOS]
        found = next((video for video in videos if video.is_file()), None)
        if found is None:
            raise NetcfgError(
                f"{shown_path(path)}, line {number}: there is no clip {shown_path(place)}", code="NC506"
            )
        place = found
    return Clip(words[0], words[1], place)


def _last_of_each(clips: Sequence[Clip], share: float) -> Iterator[Clip]:
    """The last part of the clips of each class, none of a class with a single one."""
    by_class: dict[str, list[Clip]] = {}
    for clip in clips:
        by_class.setdefault(clip.label, []).append(clip)
    for of_class in by_class.values():
        count = min(max(1, round(share * len(of_class))), len(of_class) - 1)
        yield from of_class[len(of_class) - count :]
