"""`image_folder`: pictures of class folders, and who is in which split."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES, UNREAD_PICTURES
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.image_folder import ImageFolder
from netcfg.blocks.sources.picture_classes import folders_in, split_folders, trouble_with_names
from netcfg.datasets.pictures.files import pictures_below
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.table_samples import TableSamples, table_samples
from netcfg.datasets.sources.split_lists import doubly_split, groups_of, rows_by_lists
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named


@dataclass(frozen=True)
class Found:
    """Pictures by their names below a folder (`rose/1.jpg`), and the number of each one's class."""

    root: str
    ids: tuple[str, ...]
    classes: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.int64]) -> Found:
        """Some of them."""
        return Found(self.root, tuple(self.ids[row] for row in chosen.tolist()), self.classes[chosen])


def open_image_folder(section: ImageFolder, split: Split, fields: Sequence[str]) -> TableSamples:
    """The pictures of a split. Raises `NetcfgError` for folders that are no classes, or hold no pictures."""
    folder = section.folder()
    names = _expect_classes(section, folder)
    found, groups = _of_split(section, folder, names, split)
    if not found.ids:
        raise NetcfgError(
            f"{shown_path(folder)}: there is no picture for the {split} split\n"
            "help: more pictures, or a larger share of them",
            code="NC506",
        )
    table = SampleTable(found.ids, subjects=groups, labels={"class": found.classes}, names={"class": names})
    return table_samples(
        table,
        [os.path.join(found.root, name) for name in found.ids],
        fields,
        section.image_size,
        folder=folder,
        missing=section.missing,
        skips_broken=section.on_error == "skip",
        reading=section.reading(),
        fit=section.fit,
    )


def _expect_classes(section: ImageFolder, folder: Path) -> tuple[str, ...]:
    """The classes; folders of others are refused."""
    names = section.names()
    trouble = trouble_with_names(names)
    if trouble is not None:
        sentence, help = trouble
        raise NetcfgError(f"{shown_path(folder)} {sentence}\nhelp: {help}", code="NC505")
    if not names:
        raise NetcfgError(
            f"{shown_path(folder)} holds no folders of classes\n"
            "help: a folder for each class, with its pictures, as in `rose/1.jpg`",
            code="NC506",
        )
    return names


def _of_split(
    section: ImageFolder, folder: Path, names: tuple[str, ...], split: Split
) -> tuple[Found, NDArray[np.int64] | None]:
    """A split's pictures, and the group of each where a pattern tells it."""
    # A run may be judged on pictures of some of its classes.
    is_trained = split == "train" or section.classes is None
    places = split_folders(folder)
    if section.lists():
        if places:
            raise doubly_split(folder)
        found = _listed(folder, names, expects_each=is_trained)
        return _by_lists(found, section, folder, split)
    if not places:
        found = _listed(folder, names, expects_each=is_trained)
        return _part(found, section, split, section.dealing())
    if "test" not in places:  # what chooses the epoch cannot judge it
        places = {"train": places["train"], "test": places["validation"]}
    if split in places and (split != "train" or "validation" in places):
        found = _listed(places[split], names, expects_each=is_trained)
        return found, groups_of(found.ids, section.group_by)
    found = _listed(places["train"], names, expects_each=is_trained)
    return _part(found, section, split, Dealing(section.validation_share, 0.0, seed=section.seed))


def _by_lists(
    found: Found, section: ImageFolder, folder: Path, split: Split
) -> tuple[Found, NDArray[np.int64] | None]:
    """The part of a split by the lists that name their pictures."""
    rows = rows_by_lists(section.lists(), folder, found.ids)
    if "validation" in rows or split == "test":
        own = found.rows(rows[split])
        return own, groups_of(own.ids, section.group_by)
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    return _part(found.rows(rows["train"]), section, split, dealing)


def _part(
    found: Found, section: ImageFolder, split: Split, dealing: Dealing
) -> tuple[Found, NDArray[np.int64] | None]:
    groups = groups_of(found.ids, section.group_by)
    chosen = np.flatnonzero(dealt(found.classes, dealing, groups) == SPLITS.index(split))
    return found.rows(chosen), None if groups is None else groups[chosen]


def _expect_no_circle(folder: Path, name: str) -> None:
    """Refuse a class that is a link to a folder around it: its pictures would be those of all classes."""
    place = folder / name
    if place.is_symlink() and folder.resolve().is_relative_to(place.resolve()):
        raise NetcfgError(
            f"{shown_path(place)} is a link to a folder that it lies in, and no class\nhelp: take the link away",
            code="NC505",
        )


def _listed(folder: Path, names: tuple[str, ...], expects_each: bool) -> Found:
    """All pictures of class folders, class by class and then in natural order."""
    others = [name for name in folders_in(folder) if name not in names]
    if others:
        raise NetcfgError(
            f"{shown_path(folder)} holds the {'class' if len(others) == 1 else 'classes'} {named(others)}, and known "
            f"{'is' if len(names) == 1 else 'are'} {named(list(names))}\n"
            "help: the classes are those that were trained; other pictures need a training of their own",
            code="NC505",
        )
    ids: list[str] = []
    counts, unread = [], 0
    for name in names:
        _expect_no_circle(folder, name)
        pictures, left_out = pictures_below(folder / name)
        unread += left_out
        ids += [f"{name}/{picture}" for picture in pictures]
        counts.append(len(pictures))
    if unread:
        say(
            f"left out, as nothing here reads them: {counted(unread, 'picture')} ({', '.join(UNREAD_PICTURES)})"
        )
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty and expects_each:
        raise NetcfgError(
            f"{shown_path(folder)}: the class {named(empty)} has no picture\n"
            f"help: pictures end in {', '.join(PICTURES)}; without them, take the folder away",
            code="NC506",
        )
    return Found(str(folder), tuple(ids), np.repeat(np.arange(len(names)), counts).astype(np.int64))
