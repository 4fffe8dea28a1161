"""AUDetNet's data folder: labels by frame id, two lists of ids, and a folder of pictures.

    aus_dict.pkl                    frame id -> an array, one number per action unit
    train_ids.csv, test_ids.csv     an id a line
    imgs/<id>.jpg

What a person should know about a folder, but what stops nothing, is said once, on stderr.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.picture_files import PICTURES
from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.blocks.sources.audetnet_folder import label_files
from netcfg.datasets.pictures.face_boxes import Picture
from netcfg.datasets.pictures.frames import picture_files
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pictures.reading import ORDINARY, Reading, broken_pictures, expect_picture
from netcfg.datasets.samples.label_files import Labels, read_csv_rows, read_labels
from netcfg.datasets.samples.pairing import NUMBERS, Numbers, Pairing, expect_fit
from netcfg.datasets.samples.table_samples import TableSamples, moved
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

MAX_INTENSITY = 5.0


@dataclass(frozen=True)
class Layout:
    """Where the parts of a folder lie, and how its samples are chosen. Equal layouts have equal samples."""

    folder: Path
    labels: str = "aus_dict.pkl"
    train_ids: str = "train_ids.csv"
    test_ids: str = "test_ids.csv"
    images: str = "imgs"
    units: tuple[int, ...] = ()
    intensities: bool = False
    validation: float | None = None
    seed: int = 0
    skips_missing: bool = False
    skips_broken: bool = False
    reading: Reading = ORDINARY
    pairing: Pairing = NUMBERS

    def place(self, part: str) -> Path:
        """The path of a part; parts may also lie elsewhere, under a whole path."""
        return self.folder / part


@dataclass
class SizedPictures:
    """Pictures as they lie on disk, all of one `size` (height, width): the one that is written, or the first one's."""

    paths: Sequence[str]
    size: tuple[int, int]
    size_of: str = ""
    reading: Reading = ORDINARY

    @staticmethod
    def like_the_first(paths: Sequence[str], reading: Reading) -> SizedPictures:
        """Of the first one's size, which is read at once: every worker then compares with the same one."""
        height, width = expect_picture(paths[0], reading).shape[:2]
        return SizedPictures(paths, (height, width), os.path.basename(paths[0]), reading)

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The picture. Raises `NetcfgError` for one of another size."""
        path = self.paths[index]
        picture = expect_picture(path, self.reading)
        if picture.shape[:2] != self.size:
            (height, width), (wanted_height, wanted_width) = picture.shape[:2], self.size
            wanted = f"`{self.size_of}` is" if self.size_of else "`image_size` is"
            raise NetcfgError(
                f"{shown_path(path)} is {height}×{width} (height×width), and {wanted} "
                f"{wanted_height}×{wanted_width}\nhelp: bring all pictures to one size, and write that as `image_size`",
                code="NC504",
            )
        return picture if jitter is None else moved(picture, jitter, self.size)

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Refused: there is none."""
        raise NetcfgError("AUDetNet's folders hold no flow", code="NC508")

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: which frames follow each other is not known."""
        raise NetcfgError("AUDetNet's folders hold frames that need not follow each other", code="NC508")


def open_folder(
    layout: Layout, split: Split, fields: Sequence[str], size: tuple[int, int] | None = None
) -> TableSamples:
    """The samples of one split of a folder.

    `image` is as large as it lies on disk; `labels` as stored, or divided by 5 where they are intensities; `subject`
    the place of the id's prefix (`SN001` of `SN001_43`) among all prefixes; `clip` the place of what stands before the
    frame's number. `size` (height, width) is what pictures must have; None: what the first one has.
    Errors: `NetcfgError` that names the file, the ids and what to do.
    """
    labels = checked_labels(layout)
    table, paths = _frames(layout, split, labels)
    is_shown = "image" in fields
    if size is not None or not is_shown:
        pictures = SizedPictures(paths, size or (0, 0), reading=layout.reading)
    else:
        pictures = SizedPictures.like_the_first(paths, layout.reading)
    return TableSamples(
        table,
        pictures,
        fields,
        opened=frozenset({"image"} if is_shown or size is not None else ()),
        reopen=lambda wanted: open_folder(layout, split, wanted, size),
    )


# --- labels -----------------------------------------------------------------------------------------------


def checked_labels(layout: Layout) -> Labels:
    """The folder's labels, for the wanted action units in their order. Raises `NetcfgError`."""
    path = layout.place(layout.labels)
    if not layout.folder.is_dir():
        raise NetcfgError(
            f"there is no folder {shown_path(layout.folder)}\n"
            "help: `netcfg data make audetnet DIR` writes one to try with",
            code="NC802",
        )
    if not path.exists():
        others = label_files(layout.folder)
        if others:
            raise NetcfgError(
                f"{shown_path(layout.folder)} has no `{layout.labels}`; its labels are {named(others)}\n"
                f"help: write `labels = {others[0]}`",
                code="NC506",
            )
    labels = _of_units(read_labels(path), layout.units, shown_path(path))
    _check_range(labels, layout, shown_path(path))
    return labels


def _of_units(labels: Labels, units: tuple[int, ...], shown: str) -> Labels:
    """A file that names its action units gives the wanted ones; another must have just as many."""
    width = labels.values.shape[1]
    if not units or labels.units == units:
        return labels
    if labels.units is None:
        if width != len(units):
            raise NetcfgError(
                f"{shown} has {width} labels for a frame, and `action_units` names {len(units)}\n"
                "help: `action_units` lists the units of the file in its order (disfa and bp4d have 12, disfa8 has 8)",
                code="NC505",
            )
        return Labels(labels.ids, labels.values, units, labels.rows)
    missing = [unit for unit in units if unit not in labels.units]
    if missing:
        raise NetcfgError(
            f"{shown} has no labels of AU{missing[0]}; it has {', '.join(f'AU{unit}' for unit in labels.units)}\n"
            "help: take it out of `action_units`",
            code="NC506",
        )
    columns = [labels.units.index(unit) for unit in units]
    return Labels(labels.ids, np.ascontiguousarray(labels.values[:, columns]), units, labels.rows)


def _check_range(labels: Labels, layout: Layout, shown: str) -> None:
    most, least = labels.values.max(1), labels.values.min(1)
    if not layout.intensities:
        if most.max() > 1:
            say(
                f"{shown}: labels reach {most.max():g}, and are used as they are stored\n"
                "help: `intensities = True` divides intensities by 5"
            )
        return
    outside = np.flatnonzero((most > MAX_INTENSITY) | (least < 0))
    if len(outside):
        raise NetcfgError(
            f"{shown}: the labels of `{labels.ids[outside[0]]}` reach from {least[outside[0]]:g} to "
            f"{most[outside[0]]:g}, and intensities from 0 to 5\nhelp: `intensities = False` for other labels",
            code="NC505",
        )


# --- frames -----------------------------------------------------------------------------------------------


def _frames(layout: Layout, split: Split, labels: Labels) -> tuple[SampleTable, list[str]]:
    """What is known of the frames of one split, in the order of its list, and where their pictures are."""
    train = _listed(layout, layout.train_ids, labels)
    test = _listed(layout, layout.test_ids, labels)
    _say_shared_subjects(train, test)
    train, validation = _split_off(train, test, layout)
    chosen = {"train": train, "validation": validation, "test": test}[split]
    paths = _paths(layout, chosen, {*train, *validation, *test})
    ids = [name for name in chosen if name in paths]
    if layout.skips_broken:
        ids = _without_broken(ids, paths, layout)
    if not ids:
        raise NetcfgError(
            f"{shown_path(layout.folder)}: the {split} split is empty\n"
            f"help: list frame ids in {layout.train_ids} and {layout.test_ids}",
            code="NC506",
        )
    everybody = (*train, *validation, *test)
    stored = labels.values[[labels.rows[name] for name in ids]]
    table = SampleTable(
        ids=tuple(ids),
        subjects=_numbered(ids, everybody, subject_of),
        clips=_numbered(ids, everybody, clip_of),
        labels={
            "labels": stored / np.float32(MAX_INTENSITY) if layout.intensities else stored,
            "intensities": stored,
        },
    )
    return table, [paths[name] for name in ids]


def _numbered(ids: list[str], everybody: Sequence[str], part: Callable[[str], str]) -> NDArray[np.int64]:
    """The place of a part of each id among those of all."""
    number = {name: place for place, name in enumerate(sorted(set(map(part, everybody))))}
    return np.array([number[part(name)] for name in ids], np.int64)


def subject_of(name: str) -> str:
    """Whom a frame shows: its id up to the first underscore."""
    return name.partition("_")[0]


def clip_of(name: str) -> str:
    """Which clip a frame is of: its id without its number."""
    return name.rpartition("_")[0]


def _listed(layout: Layout, part: str, labels: Labels) -> list[str]:
    """The ids of a list that have labels, each once, in the list's order."""
    path = layout.place(part)
    written = [row[0].strip() for _, row in read_csv_rows(path)]
    ids = list(dict.fromkeys(written))
    if len(ids) < len(written):
        say(
            f"{shown_path(path)}: written more than once and used once: {counted(len(written) - len(ids), 'id')}"
        )
    labelled = [name for name in ids if name in labels.rows]
    without = [name for name in ids if name not in labels.rows]
    if ids and not labelled:
        raise NetcfgError(
            f"none of the {len(ids)} ids in {shown_path(path)} has labels in {layout.labels}: "
            f"the list has `{ids[0]}`, the labels `{labels.ids[0]}`\nhelp: both must write ids in the same way",
            code="NC506",
        )
    if without:
        say(
            f"{shown_path(path)}: left out for want of labels: {len(without)} of {counted(len(ids), 'id')}, "
            f"{named(without)}"
        )
    return labelled


def _split_off(train: list[str], test: list[str], layout: Layout) -> tuple[list[str], list[str]]:
    """Training and validation: the test ids, as in the original, or a share of the training subjects."""
    if layout.validation is None:
        return train, test
    subjects = sorted({subject_of(name) for name in train})
    count = max(1, round(layout.validation * len(subjects)))
    if count >= len(subjects):
        raise NetcfgError(
            f"{shown_path(layout.place(layout.train_ids))} has {len(subjects)} subjects, too few to leave "
            f"{layout.validation:g} of them to validation\nhelp: `validation = test`, as in the original",
            code="NC506",
        )
    order = np.random.default_rng(layout.seed).permutation(len(subjects))
    chosen = {subjects[place] for place in order[:count]}
    taken = f"{count} of {counted(len(subjects), 'training subject')}"
    say(f"held out for validation: {taken}, {named(sorted(chosen))}")
    return (
        [name for name in train if subject_of(name) not in chosen],
        [name for name in train if subject_of(name) in chosen],
    )


def _say_shared_subjects(train: list[str], test: list[str]) -> None:
    shared = sorted({subject_of(name) for name in train} & {subject_of(name) for name in test})
    if shared:
        say(f"both in training and in test: {counted(len(shared), 'subject')}, {named(shared)}")


# --- pictures ---------------------------------------------------------------------------------------------


def _paths(layout: Layout, ids: list[str], all_ids: set[str]) -> dict[str, str]:
    """The pictures of the ids; ids without one are an error, or skipped where the layout says so."""
    folder = layout.place(layout.images)
    files = picture_files(folder)
    pictures: dict[str, str] = {}
    # Of one id in several formats the first of these wins, as it is put in last.
    for ending in reversed(PICTURES):
        pictures |= {path.stem: path.name for path in files if path.suffix.lower() == ending}
    expect_fit(layout.pairing, _numbers_of(all_ids, pictures, folder), has_order=False)
    pictures = {_with_number(name, -layout.pairing.shift): file for name, file in pictures.items()}
    missing = [name for name in ids if name not in pictures]
    if missing and not layout.skips_missing:
        raise NetcfgError(
            f"{shown_path(folder)} has no picture for {len(missing)} of {counted(len(ids), 'id')}: {named(missing)}\n"
            "help: `missing = skip` goes on without them",
            code="NC506",
        )
    if missing:
        say(
            f"{shown_path(folder)}: left out for want of a picture: {counted(len(missing), 'id')}, {named(missing)}"
        )
    extra = len(pictures.keys() - all_ids)
    if extra:
        share = f"{extra} of {counted(len(pictures), 'picture')}"
        say(f"{shown_path(folder)}: not used, as no labelled id names them: {share}")
    return {name: os.path.join(folder, pictures[name]) for name in ids if name in pictures}


def _numbers_of(ids: Collection[str], pictures: Collection[str], folder: Path) -> list[Numbers]:
    """The numbers of each clip's ids and pictures, of those that end in one."""
    found: dict[str, tuple[set[int], set[int]]] = {}
    for place, names in enumerate((ids, pictures)):
        for name in names:
            clip, _, number = name.rpartition("_")
            if number.isdecimal():
                found.setdefault(clip, (set(), set()))[place].add(int(number))
    return [Numbers(frozenset(labels), frozenset(files), folder) for labels, files in found.values()]


def _with_number(name: str, shift: int) -> str:
    """An id whose number is so much larger."""
    clip, line, number = name.rpartition("_")
    return f"{clip}{line}{int(number) + shift}" if shift and number.isdecimal() else name


def _without_broken(ids: list[str], paths: dict[str, str], layout: Layout) -> list[str]:
    broken = broken_pictures(tuple(paths[name] for name in ids), layout.reading)
    if broken:
        say(
            f"{shown_path(layout.place(layout.images))}: left out, as they cannot be read: "
            f"{counted(len(broken), 'picture')}, {named(sorted(map(os.path.basename, broken)))}"
        )
    return [name for name in ids if paths[name] not in broken]
