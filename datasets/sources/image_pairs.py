"""`image_pairs`: pictures and what belongs to them, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.image_pairs import IMAGES, MASKS, TARGETS, ImagePairs, find
from netcfg.blocks.sources.picture_classes import SPLIT_FOLDERS, folders_in, split_folders
from netcfg.datasets.pictures.files import pictures_below
from netcfg.datasets.pictures.masks import MaskReading, broken_masks, read_mask
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.table_samples import (
    Beside,
    BesideFiles,
    FilePictures,
    Further,
    TableSamples,
    table_samples,
)
from netcfg.datasets.sources.beside import Masks
from netcfg.datasets.sources.split_lists import doubly_split, groups_of, rows_by_lists
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

Pair = tuple[str, str, str]
"""A name, its picture's path, and that of its partner."""
MOST_MASKS = 2_000
"""So many masks tell how many classes there are, where nobody says it."""


def open_image_pairs(section: ImagePairs, split: Split, fields: Sequence[str]) -> TableSamples:
    """The pairs of a split. Raises `NetcfgError` for a picture without partner, or none at all."""
    folder = section.folder()
    pairs = _of_split(section, folder, split)
    if not pairs:
        raise NetcfgError(
            f"{shown_path(folder)}: there is no picture for the {split} split\n"
            "help: more pictures, or a larger share of them",
            code="NC506",
        )
    others = [pair[2] for pair in pairs]

    def further(pictures: FilePictures, rows: Sequence[int]) -> Mapping[str, Further]:
        own = [others[row] for row in rows]
        if section.has_masks():
            return {"mask": Masks(own, pictures, section, mask_reading(section))}
        return {"target": FilePictures(own, section.image_size, section.reading(), section.fit).image}

    def made_by(rows: Sequence[int]) -> Beside:
        how = f"masks {mask_reading(section)}" if section.has_masks() else "targets"
        return Beside([others[row] for row in rows], how)

    names = tuple(pair[0] for pair in pairs)
    return table_samples(
        SampleTable(names, subjects=groups_of(names, section.group_by)),
        [pair[1] for pair in pairs],
        fields,
        section.image_size,
        folder=folder,
        missing=section.missing,
        skips_broken=section.on_error == "skip",
        reading=section.reading(),
        fit=section.fit,
        further=further,
        beside=[_beside(section, others)],
        made_by=made_by,
    )


def _beside(section: ImagePairs, others: Sequence[str]) -> BesideFiles:
    """The partners, which may be broken as their pictures may."""
    if not section.has_masks():
        return BesideFiles(others)
    how = mask_reading(section)
    return BesideFiles(others, lambda paths: broken_masks(paths, how), "mask")


def mask_reading(section: ImagePairs) -> MaskReading:
    """How its masks are read."""
    names = section.names()
    return MaskReading(len(names) or None, section.ignore, colours_of(section), section.reading())


def colours_of(section: ImagePairs) -> tuple[tuple[int, int, int], ...]:
    """The colours of its classes, as red, green, blue."""
    numbers = [int(colour.removeprefix("#"), 16) for colour in section.colours]
    return tuple((number >> 16, number >> 8 & 255, number & 255) for number in numbers)


# --- who belongs to whom, and to which split


def _of_split(section: ImagePairs, folder: Path, split: Split) -> list[Pair]:
    by_split = _places(section, folder)
    if section.lists():
        if "" not in by_split:
            raise doubly_split(folder)
        pairs = _paired(section, *by_split[""])
        rows = rows_by_lists(section.lists(), folder, [pair[0] for pair in pairs], by_split[""][0])
        if "validation" in rows or split == "test":
            return [pairs[row] for row in rows[split].tolist()]
        training = [pairs[row] for row in rows["train"].tolist()]
        return _part(section, training, Dealing(section.validation_share, 0.0, seed=section.seed), split)
    if "" in by_split:
        pairs = _paired(section, *by_split[""])
        return _part(section, pairs, section.dealing(), split)
    if "test" not in by_split and "validation" in by_split:  # what chooses the epoch cannot judge it
        by_split = {"train": by_split["train"], "test": by_split["validation"]}
    if split in by_split and (split != "train" or "validation" in by_split):
        return _paired(section, *by_split[split])
    pairs = _paired(section, *by_split["train"])
    return _part(section, pairs, Dealing(section.validation_share, 0.0, seed=section.seed), split)


def _part(section: ImagePairs, pairs: list[Pair], dealing: Dealing, split: Split) -> list[Pair]:
    groups = groups_of([pair[0] for pair in pairs], section.group_by)
    parts = dealt(np.zeros(len(pairs), np.int64), dealing, groups)
    return [pairs[row] for row in np.flatnonzero(parts == SPLITS.index(split)).tolist()]


def _places(section: ImagePairs, folder: Path) -> dict[Split | str, tuple[Path, Path]]:
    """The two folders by split; "" where all pictures lie in one. Raises `NetcfgError` where there are none."""
    around = split_folders(folder)
    if around:
        return {split: _both(section, place) for split, place in around.items()}
    images, others = _both(section, folder)
    inside: dict[Split | str, tuple[Path, Path]] = {
        split: (images / name, others / name)
        for split, names in SPLIT_FOLDERS.items()
        for name in folders_in(images)
        if name.lower() in names and (others / name).is_dir()
    }
    return inside if "train" in inside and len(inside) > 1 else {"": (images, others)}


def _both(section: ImagePairs, place: Path) -> tuple[Path, Path]:
    written = section.masks if section.has_masks() else section.targets
    images = _one(place, section.images, IMAGES, "pictures", "images")
    kind = ("masks", MASKS) if section.has_masks() else ("targets", TARGETS)
    return images, _one(place, written, kind[1], kind[0], kind[0])


def _one(place: Path, written: str | None, usual: Sequence[str], what: str, option: str) -> Path:
    if written is not None:
        for found in (place / written, Path(written).expanduser()):
            if found.is_dir():
                return found
        raise NetcfgError(f"there is no folder {shown_path(place / written)} of {what}", code="NC802")
    folder = find(place, usual)
    if folder is None:
        raise NetcfgError(
            f"{shown_path(place)} holds no folder of {what} (`{usual[0]}` and the like)\n"
            f"help: `{option} = NAME` says how it is called",
            code="NC506",
        )
    return folder


def _paired(section: ImagePairs, images: Path, others: Path) -> list[Pair]:
    """Pictures and partners by their names without endings. Raises `NetcfgError` for those that have none."""
    of_images = _by_stem(images, PICTURES)
    of_others = _by_stem(others, PICTURES, section.suffix)
    alone = sorted(set(of_images) - set(of_others))
    without = sorted(set(of_others) - set(of_images))
    if alone and section.missing == "stop":
        what = "mask" if section.has_masks() else "target"
        raise NetcfgError(
            f"{counted(len(alone), 'picture')} of {shown_path(images)} without a {what} of the same name in "
            f"{shown_path(others)}: {named(alone)}\n"
            f"help: `suffix = _mask` where those are called so, or `missing = skip`",
            code="NC507",
        )
    if without and section.missing == "stop":
        raise NetcfgError(
            f"{counted(len(without), 'file')} of {shown_path(others)} without a picture of the same name in "
            f"{shown_path(images)}: {named(without)}\nhelp: `missing = skip` goes on without them",
            code="NC507",
        )
    if alone or without:
        from netcfg.datasets.pictures.notes import say

        say(
            f"left out, as they have no partner: {counted(len(alone) + len(without), 'file')}, {named(alone + without)}"
        )
    return [(name, of_images[name], of_others[name]) for name in of_images if name in of_others]


def _by_stem(folder: Path, endings: Sequence[str], suffix: str = "") -> dict[str, str]:
    """Paths by their names below a folder, without endings; two of one name are refused."""
    found: dict[str, str] = {}
    for name in pictures_below(folder)[0]:
        stem = os.path.splitext(name)[0]
        if suffix:
            if not stem.endswith(suffix):
                continue
            stem = stem.removesuffix(suffix)
        if stem in found:
            raise NetcfgError(
                f"{shown_path(folder)} holds `{name}` and `{os.path.basename(found[stem])}`, two pictures of one name\n"
                "help: take one of them away",
                code="NC507",
            )
        found[stem] = os.path.join(folder, name)
    return found


# --- how many classes


def counted_classes(section: ImagePairs) -> int:
    """One more than the largest number in masks that is not ignored; 0 where none can be read."""
    try:
        folder = section.folder()
        places = [others for _, others in _places(section, folder).values()]
    except NetcfgError:
        return 0
    paths = [path for place in places for path in _by_stem_or_none(place)]
    step = max(1, len(paths) // MOST_MASKS)
    return _largest(tuple(paths[::step]), section.ignore) + 1


def _by_stem_or_none(place: Path) -> list[str]:
    try:
        return [os.path.join(place, name) for name in pictures_below(place)[0]]
    except NetcfgError:
        return []


@lru_cache(maxsize=4)
def _largest(paths: tuple[str, ...], ignore: int) -> int:
    largest = -1
    for path in paths:
        try:
            mask = read_mask(path, MaskReading(None, ignore))
        except NetcfgError:
            continue
        known = mask[mask != ignore]
        largest = max(largest, int(known.max()) if known.size else -1)
    return largest
