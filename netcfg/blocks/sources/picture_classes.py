"""The classes and the splits of folders, by the names of folders alone."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from netcfg.blocks.fields import Split

SPLIT_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval"),
}
"""What folders of splits are called, in small letters."""
_UNSAYABLE = re.compile(r"[\x00-\x1f\x7f]|(?=.*').*\"")
"""What the value of an option cannot hold, also in quotes."""


def split_folders(folder: Path) -> dict[Split, Path]:
    """The folders of splits in a folder, where there are one to train on and another; else none."""
    by_name = {name.lower(): folder / name for name in folders_in(folder)}
    found = {
        split: next((by_name[name] for name in names if name in by_name), None)
        for split, names in SPLIT_FOLDERS.items()
    }
    there = {split: place for split, place in found.items() if place is not None}
    return there if "train" in there and len(there) > 1 else {}


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the folders that are classes, in order: of those to train on, where splits have folders."""
    return tuple(folders_in(split_folders(folder).get("train", folder)))


def folders_in(folder: Path) -> list[str]:
    """The folders in a folder, without hidden ones and `__MACOSX`; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if not entry.name.startswith((".", "__")) and entry.is_dir()
            )
    except OSError:
        return []


def trouble_with_names(names: Sequence[str], what: str = "class folder") -> tuple[str, str] | None:
    """Why these names cannot be those of classes, as the rest of a sentence, and what to do; None where they can."""
    unsayable = next((name for name in names if _UNSAYABLE.search(name)), None)
    if unsayable is not None:
        return (
            f"holds the {what} `{unsayable}`, a name that no option can hold",
            "rename it: no control characters, and not both kinds of quotes",
        )
    alike = [name for name, count in Counter(map(str.casefold, names)).items() if count > 1]
    if alike:
        both = [name for name in names if name.casefold() == alike[0]]
        return (
            f"holds {' and '.join(f'`{name}`' for name in both)} as names of classes, which differ by case only",
            "make one of them, or rename one",
        )
    return None
