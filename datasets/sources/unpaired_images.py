"""`unpaired_images`: pictures of two kinds, put together by chance."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import Sample, SampleTable
from netcfg.blocks.sources.picture_classes import SPLIT_FOLDERS
from netcfg.blocks.sources.unpaired_images import USUAL, UnpairedImages
from netcfg.datasets.pictures.files import pictures_below
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.table_samples import TableSamples, table_samples
from netcfg.datasets.sources.split_lists import doubly_split, groups_of, rows_by_lists
from netcfg.source import NetcfgError, shown_path


class Unpaired:
    """Samples of two kinds. In a split that is trained on, the second is drawn (`RandomSamples`)."""

    def __init__(
        self, first: TableSamples, second: TableSamples, fields: Sequence[str], is_drawn: bool
    ) -> None:
        self.first, self.second = first, second
        self.fields = tuple(fields)
        self.is_drawn = is_drawn

    @property
    def table(self) -> SampleTable:
        """That of the first kind."""
        return self.first.table

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(index, range(len(self))[index] % len(self.second))

    def at_random(self, index: int, random: np.random.Generator) -> Sample:
        """A sample with any picture of the second kind."""
        return self._sample(index, int(random.integers(len(self.second)))) if self.is_drawn else self[index]

    def only(self, fields: Sequence[str]) -> Unpaired:
        """The same samples with other fields."""
        return Unpaired(self.first, self.second, fields, self.is_drawn)

    def _sample(self, index: int, other: int) -> Sample:
        made: Sample = {}
        for name in self.fields:
            made[name] = self.first[index]["image"] if name == "image" else self.second[other]["image"]
        return made


def open_unpaired_images(section: UnpairedImages, split: Split, fields: Sequence[str]) -> Unpaired:
    """The pictures of a split. Raises `NetcfgError` where one of the two kinds has none."""
    folder = section.folder()
    kinds = [_opened(section, folder, place, split) for place in (0, 1)]
    return Unpaired(kinds[0], kinds[1], fields, split == "train")


def _opened(section: UnpairedImages, folder: Path, kind: int, split: Split) -> TableSamples:
    root, names = _of_split(section, folder, kind, split)
    if not names:
        raise NetcfgError(
            f"{shown_path(root)} holds no picture for the {split} split\n"
            "help: more pictures, or a larger share of them",
            code="NC506",
        )
    return table_samples(
        SampleTable(tuple(names)),
        [os.path.join(root, name) for name in names],
        ("image",),
        section.image_size,
        folder=root,
        missing=section.missing,
        skips_broken=section.on_error == "skip",
        reading=section.reading(),
        fit=section.fit,
    )


def _of_split(section: UnpairedImages, folder: Path, kind: int, split: Split) -> tuple[Path, list[str]]:
    """A kind's folder, and its pictures of a split."""
    places = _places(section, folder, kind)
    if section.lists():
        return _by_lists(section, folder, kind, split)
    if "" in places:
        return places[""], _part(section, places[""], section.dealing(), split)
    if "test" not in places and "validation" in places:  # what chooses the epoch cannot judge it
        places = {"train": places["train"], "test": places["validation"]}
    if split in places and (split != "train" or "validation" in places):
        return places[split], pictures_below(places[split])[0]
    if "test" not in places:
        return places["train"], _part(section, places["train"], section.dealing(), split)
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    return places["train"], _part(section, places["train"], dealing, split)


def _by_lists(section: UnpairedImages, folder: Path, kind: int, split: Split) -> tuple[Path, list[str]]:
    """The same by lists that name pictures of both kinds, so that both are looked for."""
    roots = []
    for one in (0, 1):
        places = _places(section, folder, one)
        if "" not in places:
            raise doubly_split(folder)
        roots.append(places[""])
    names = [pictures_below(root)[0] for root in roots]
    known = [
        os.path.join(os.path.relpath(root, folder), name)
        for root, own in zip(roots, names, strict=True)
        for name in own
    ]
    rows = rows_by_lists(section.lists(), folder, known)
    first = kind * len(names[0])

    def of_kind(listed: Split) -> list[str]:
        own = rows[listed] - first
        return [names[kind][row] for row in own[(own >= 0) & (own < len(names[kind]))].tolist()]

    if split in rows and (split == "test" or "validation" in rows):
        return roots[kind], of_kind(split)
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    return roots[kind], _dealt(section, of_kind("train"), dealing, split)


def _part(section: UnpairedImages, folder: Path, dealing: Dealing, split: Split) -> list[str]:
    return _dealt(section, pictures_below(folder)[0], dealing, split)


def _dealt(section: UnpairedImages, names: list[str], dealing: Dealing, split: Split) -> list[str]:
    parts = dealt(np.zeros(len(names), np.int64), dealing, groups_of(names, section.group_by))
    return [names[row] for row in np.flatnonzero(parts == SPLITS.index(split)).tolist()]


def _places(section: UnpairedImages, folder: Path, kind: int) -> dict[Split | str, Path]:
    """The folders of a kind by split, or one under ""."""
    written = (section.first, section.second)[kind]
    if written is not None:
        for place in (folder / written, Path(written).expanduser()):
            if place.is_dir():
                return {"": place}
        raise NetcfgError(f"there is no folder {shown_path(folder / written)}", code="NC802")
    letter = "AB"[kind]
    found: dict[Split | str, Path] = {
        split: folder / f"{name}{letter}"
        for split, names in SPLIT_FOLDERS.items()
        for name in names
        if (folder / f"{name}{letter}").is_dir()
    }
    if "train" in found:
        return found
    usual = next((folder / pair[kind] for pair in USUAL if (folder / pair[kind]).is_dir()), None)
    if usual is None:
        raise NetcfgError(
            f"{shown_path(folder)} holds no folder `train{letter}` or `{letter}`\n"
            "help: `first` and `second` say how the two are called",
            code="NC506",
        )
    return {"": usual}
