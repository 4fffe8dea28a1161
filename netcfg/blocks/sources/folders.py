"""What folders of data look like, seen from names alone: only the first levels are looked at, as they may be large."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from netcfg.blocks.picture_files import PICTURES, VIDEOS
from netcfg.blocks.sources.list_files import has_lists, has_paths

CLIP_LABELS = "labels.csv"
"""What the labels of clips are called in their folder."""
_SPLITS = frozenset("train training val valid validation dev test testing eval".split())
_LEVELS = 3
_LOOKED_AT = 2_000  # entries of a folder that tell what it is


def has(folder: Path, *names: str) -> bool:
    """Whether a folder holds one of these."""
    return any((folder / name).exists() for name in names)


def has_media(folder: Path, endings: tuple[str, ...] = PICTURES + VIDEOS, levels: int = _LEVELS) -> bool:
    """Whether there are pictures or videos in a folder, or in folders below it."""
    files, folders = _entries(folder)
    if any(name.lower().endswith(endings) for name in files):
        return True
    return levels > 1 and any(has_media(folder / name, endings, levels - 1) for name in folders)


def has_clip_labels(folder: Path) -> bool:
    """Whether a folder holds labels of clips; a list of pictures may have the same name."""
    labels = folder / CLIP_LABELS
    return labels.is_file() and not has_paths(labels)


def class_folders(folder: Path) -> list[str]:
    """The names of classes where a folder looks like one of class folders (`happy/1.jpg`); none where it does not.

    Class folders hold pictures and nothing below, at least two beside each other, perhaps below `train` and `test`.
    Recordings look otherwise: videos, a level for subjects and one for their clips, or names that tell the subject
    (`anna_smile`, `anna_frown`; `S01`, `S02` with frames that are numbered without a gap).
    """
    if has_media(folder, VIDEOS):
        return []
    files, folders = _entries(folder)
    splits = [name for name in folders if name.lower() in _SPLITS]
    if splits and len(splits) == len(folders):
        found = {name for split in splits for name in _leaves(folder / split)}
        return sorted(found) if len(found) > 1 else []
    names = _leaves(folder)
    if len(names) < 2 or _has_pictures(files) or _tell_subjects(folder, names):
        return []
    return names


def clip_classes(folder: Path) -> list[str]:
    """The names of classes where a folder looks like one of class folders of clips (`wave/1.mp4`, `wave/clip_1/1.jpg`).

    Subjects with their recordings look otherwise: their names are numbered (`S01`), or their clips have the same words
    for names (`anna/smile`, `ben/smile`). None where it does not look so, or a list says what the clips are.
    """
    files, folders = _entries(folder)
    if has_clip_labels(folder) or has_lists(folder) or _has_pictures(files):
        return []
    if folders and all(name.lower() in _SPLITS for name in folders):
        found = [clip_classes(folder / name) for name in folders]
        return found[0] if all(found) else []
    clips = {name: _clips_in(folder / name) for name in folders}
    if len(folders) < 2 or not all(len(names) > 1 for names in clips.values()):
        return []
    if all(re.search(r"\d", name) for name in folders):
        return []
    names = [name for own in clips.values() for name in own]
    is_numbered = all(re.search(r"\d", name) for name in names)
    return folders if is_numbered or len(set(names)) == len(names) else []


def _clips_in(folder: Path) -> list[str]:
    """The names of the videos and of the folders of pictures in a folder of clips alone; else none.

    A folder may hold nothing, if two clips do not: that it is a clip without frames is for others to say.
    """
    files, folders = _entries(folder)
    videos = [Path(name).stem for name in files if Path(name).suffix.lower() in VIDEOS]
    full = [name for name in folders if has_media(folder / name, PICTURES, levels=1)]
    empty = [name for name in folders if name not in full and not any(_entries(folder / name))]
    if _has_pictures(files) or len(full) + len(empty) < len(folders):
        return []
    return [*videos, *folders] if not empty or len(videos) + len(full) > 1 else []


def holds_classes(folder: Path) -> bool:
    """Whether it is a folder of classes, or has nothing but one in it: an archive is often unpacked so."""
    if class_folders(folder):
        return True
    files, folders = _entries(folder)
    return not files and len(folders) == 1 and bool(class_folders(folder / folders[0]))


def looks_like_classes(folder: Path) -> bool:
    """Whether it could be class folders: those of `class_folders`, and numbers as names, which subjects have, too.

    Where a list lies beside them, that says what the pictures are.
    """
    files, folders = _entries(folder)
    if has_clip_labels(folder) or has_lists(folder):
        return False
    if class_folders(folder):
        return True
    if not all(name.isdigit() for name in folders) or _has_pictures(files) or has_media(folder, VIDEOS):
        return False
    return len(_leaves(folder)) > 1


def _leaves(folder: Path) -> list[str]:
    """The folders in a folder, where they hold pictures and no folder; else none.

    One may hold none, if two do: that it is forgotten is for others to say.
    """
    _, folders = _entries(folder)
    full = 0
    for name in folders:
        files, below = _entries(folder / name)
        if below:
            return []
        full += _has_pictures(files)
    return folders if full > 1 or full == len(folders) else []


def _tell_subjects(folder: Path, names: list[str]) -> bool:
    """Whether names of folders are those of recordings; of one and the same beginning they are `class_a`, `class_b`."""
    beginnings = [name.partition("_")[0] for name in names if "_" in name]
    if len(beginnings) == len(names) and len(set(beginnings)) < len(names):
        return len(set(beginnings)) > 1
    numbered = all(re.search(r"\d", name) for name in names)
    return numbered and all(_counts(_entries(folder / name)[0]) for name in names)


def _counts(files: list[str]) -> bool:
    """Whether pictures are numbered one after the other."""
    numbers = [re.findall(r"\d+", Path(name).stem)[-1:] for name in files if _has_pictures([name])]
    found = sorted(int(number[0]) for number in numbers if number)
    return len(found) == len(numbers) > 1 and found == list(range(found[0], found[0] + len(found)))


def _has_pictures(files: list[str]) -> bool:
    return any(name.lower().endswith(PICTURES) for name in files)


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """The files and folders in a folder, hidden ones left out, sorted; nothing where it cannot be read."""
    files: list[str] = []
    folders: list[str] = []
    for entry in _some(folder):
        if not entry.name.startswith("."):
            (folders if _is_folder(entry) else files).append(entry.name)
    return sorted(files), sorted(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to what may not be looked at
        return False


def _some(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count == _LOOKED_AT:
                    return
                yield entry
    except OSError:
        return
