"""Samples of a table: what the table says of each, and its picture out of a file.

A source that can write a table of its samples, and knows the file of each, needs nothing else: reading, cutting to a
size, missing and broken pictures are the same for all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import FramePair, Sample, Samples, SampleTable
from netcfg.datasets.pictures.face_boxes import Picture, clipped_box, cut_out, jittered_box, middle_square
from netcfg.datasets.pictures.reading import ORDINARY, Least, Reading, expect_picture
from netcfg.datasets.samples.missing import Missing, with_pictures, without_broken
from netcfg.source import NetcfgError

Further = Callable[[int], NDArray[Any]]
"""A field of a sample by its number."""
_NUMBERS = ("subject", "clip", "frame")
PICTURE_FIELDS = frozenset({"image", "flow"})
Fit = Literal["crop", "stretch", "pad"]
"""How a picture becomes square: by its middle, at once, or by black beside it."""


class Pictures(Protocol):
    """The pictures of a table's samples; `jitter` asks for the face box moved in one of six ways."""

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The picture, uint8 H×W×3, RGB."""

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Its motion to the next frame, as a picture."""

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The whole frames between which that motion is found."""


class TableSamples:
    """Map-style data set of the asked-for fields: `image` and `flow` of the pictures, all others of the table.

    `opened` are the picture fields that can be given; `reopen` gives the same samples where others are wanted: a video
    is not unpacked for its labels. `has_flow` says that there are flow pictures in files. `further` are fields that a
    function of the sample's number gives, `beside` what these are made of, where that is known.
    """

    def __init__(
        self,
        table: SampleTable,
        pictures: Pictures,
        fields: Sequence[str],
        *,
        opened: frozenset[str] = PICTURE_FIELDS,
        reopen: Callable[[Sequence[str]], TableSamples] | None = None,
        has_flow: bool = False,
        further: Mapping[str, Further] | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.table = table
        self.pictures = pictures
        self.fields = tuple(fields)
        self._opened = opened
        self._reopen = reopen
        self._has_flow = has_flow
        self._further = dict(further or {})
        self._beside = beside

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> Sample:
        return self.jittered(index, None)

    def only(self, fields: Sequence[str]) -> TableSamples:
        """The same samples with other fields."""
        wanted = PICTURE_FIELDS.intersection(fields)
        if self._reopen is not None and not wanted <= self._opened:
            return self._reopen(fields)
        return TableSamples(
            self.table,
            self.pictures,
            fields,
            opened=self._opened,
            reopen=self._reopen,
            has_flow=self._has_flow,
            further=self._further,
            beside=self._beside,
        )

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample."""
        return self.pictures.pair(index, jitter)

    def with_frames(self) -> TableSamples:
        """The same, able to give whole frames."""
        return self.only((*self.fields, "image")).only(self.fields)

    def with_flow(self) -> Samples | None:
        """The same with the flow pictures in files; None where there are none."""
        return self.only((*self.fields, "flow")) if self._has_flow else None

    def jittered(self, index: int, jitter: int | None) -> Sample:
        """The sample, its face box moved (0 to 5) or as it is (None)."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return {name: self._value(name, index, jitter) for name in self.fields}

    def at_least(self, index: int, least: Least) -> Sample:
        """The sample, its picture perhaps decoded smaller, but not below what it will be brought to.

        As it is where other fields go by the pixels of the whole picture.
        """
        others = self.fields != ("image",) and not set(self.fields) <= {
            "image",
            *self.table.labels,
            *_NUMBERS,
        }
        if others or not isinstance(self.pictures, FilePictures) or self.pictures.size is not None:
            return self[index]
        return {
            name: self.pictures.reduced(index, least) if name == "image" else self._value(name, index, None)
            for name in self.fields
        }

    def files(self) -> Sequence[str] | None:
        """The picture of each, and what lies beside it; None where nobody knows that, or a picture is missing."""
        is_known = not self._further or self._beside is not None
        if not is_known or not isinstance(self.pictures, FilePictures) or None in self.pictures.paths:
            return None
        further = self._beside.files if self._beside is not None else ()
        return [*(str(path) for path in self.pictures.paths), *further]

    def made_by(self) -> str:
        """Size, way to it, and how files are read."""
        assert isinstance(self.pictures, FilePictures)
        own = f"{self.pictures.size} {self.pictures.fit} {self.pictures.alone} {self.pictures.reading}"
        return own if self._beside is None else f"{own} {self._beside.made_by}"

    def _value(self, name: str, index: int, jitter: int | None) -> NDArray[Any]:
        if name == "image":
            return self.pictures.image(index, jitter)
        if name == "flow":
            return self.pictures.flow(index, jitter)
        if name in self._further:
            return self._further[name](index)
        numbers = {"subject": self.table.subjects, "clip": self.table.clips, "frame": self.table.frames}
        column = numbers.get(name)
        if column is None:
            column = self.table.labels[name]
        return np.array(column[index])  # a copy: the table stays as it is


@dataclass(frozen=True)
class Beside:
    """What further fields of all samples are made of: files, and in words how; other words where it is otherwise."""

    files: Sequence[str]
    made_by: str


@dataclass(frozen=True)
class BesideFiles:
    """A file beside each sample's picture: another picture, or what `broken_among` knows to be readable or not."""

    paths: Sequence[str]
    broken_among: Callable[[tuple[str, ...]], frozenset[str]] | None = None
    noun: str = "picture"


@dataclass(frozen=True)
class FilePictures:
    """A picture file for each sample, brought to size×size; None stands for one that is missing and shown black.

    Without a `size` each has its own.
    """

    paths: Sequence[Path | str | None]
    size: int | None
    reading: Reading = ORDINARY
    fit: Fit = "stretch"
    alone: bool = False
    """Whether nothing else of a sample goes by the pixels of its file."""
    _last: dict[int, Picture] = field(default_factory=dict, repr=False, compare=False)
    """One picture by its number, in what a frozen class may change: a worker asks for all fields of one in a row."""

    def original(self, index: int) -> Picture:
        """The picture as it lies in its file. The last one is kept: what belongs to it asks for its size."""
        path = self.paths[index]
        if path is None:
            return black(self.size or 1)
        if index not in self._last:
            picture = expect_picture(path, self.reading)
            self._last.clear()
            self._last[index] = picture
        return self._last[index]

    def reduced(self, index: int, least: Least) -> Picture:
        """The picture, perhaps decoded smaller, but not below what it will be brought to."""
        path = self.paths[index]
        return black(self.size or 1) if path is None else expect_picture(path, self.reading, least)

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """The whole picture; a moved box shows what of it lies in the picture."""
        path = self.paths[index]
        if path is None:
            return black(self.size or 1)
        picture = self.reduced(index, self._least) if self.alone and self.size else self.original(index)
        if self.fit != "stretch":
            picture = squared(picture, self.fit) if self.size else picture
        return moved(picture, jitter, self.size or (picture.shape[0], picture.shape[1]))

    def _least(self, size: tuple[int, int]) -> tuple[float, float]:
        """What a picture is brought to as a whole, where it is made square in this way."""
        assert self.size is not None
        if self.fit == "stretch":
            return self.size, self.size
        side = min(size) if self.fit == "crop" else max(size)
        return self.size * size[0] / side, self.size * size[1] / side

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Refused: there is none."""
        raise NetcfgError("these pictures have no flow\nhelp: a source of clips has", code="NC508")

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: motion is found between frames that follow each other."""
        raise NetcfgError(
            "these pictures are no frames that follow each other\nhelp: a source of clips has such",
            code="NC508",
        )


def table_samples(
    table: SampleTable,
    paths: Sequence[Path | str | None],
    fields: Sequence[str],
    size: int | None,
    *,
    folder: Path,
    missing: Missing = "stop",
    skips_broken: bool = False,
    reading: Reading = ORDINARY,
    fit: Fit = "stretch",
    further: Callable[[FilePictures, Sequence[int]], Mapping[str, Further]] | None = None,
    beside: Sequence[BesideFiles] = (),
    made_by: Callable[[Sequence[int]], Beside] | None = None,
    help: str = "`missing = skip` goes on without them",
) -> TableSamples:
    """Samples of a table whose pictures lie in these files; None, or a file that is not there, is a missing one.

    `further` makes other fields, given the pictures and the rows that are left; `beside` are files that these need,
    which may be broken as pictures may; `made_by` says of the rows all that they are made of; `help` is the way out
    where pictures lack.
    Errors: `NetcfgError` for missing pictures where none may lack, with the `folder`, and where no sample is left.
    """
    there = [path if path is not None and os.path.isfile(path) else None for path in paths]
    rows = with_pictures(
        range(len(table)),
        lambda row: there[row] is not None,
        lambda row: table.ids[row],
        place=lambda row: folder,
        missing=missing,
        noun="sample",
        help=help,
    )
    if skips_broken:
        rows = without_broken(rows, lambda row: [path for path in (there[row],) if path is not None], reading)
        for other in beside:
            rows = _without_broken_beside(rows, other, reading)
    if not rows:
        raise NetcfgError(
            f"{folder}: the split holds no picture\nhelp: look at its list, and at its pictures", code="NC506"
        )
    pictures = FilePictures([there[row] for row in rows], size, reading, fit, alone=further is None)
    others = further(pictures, rows) if further else {}
    return TableSamples(
        table.rows(rows),
        pictures,
        fields,
        opened=frozenset({"image"}),
        further=others,
        beside=made_by(rows) if made_by else None,
    )


def _without_broken_beside(rows: list[int], other: BesideFiles, reading: Reading) -> list[int]:
    return without_broken(rows, lambda row: [other.paths[row]], reading, other.broken_among, other.noun)


def moved(
    picture: Picture, jitter: int | None, size: int | tuple[int, int], nearest: bool = False
) -> Picture:
    """A whole picture at a size, or what of its moved outline lies in it."""
    height, width = picture.shape[:2]
    box = None if jitter is None else clipped_box(jittered_box((0, height, 0, width), jitter), height, width)
    return cut_out(picture, box, size, nearest)


def squared(picture: Picture, fit: Fit, value: int = 0) -> Picture:
    """A square of a picture H×W(×C), or a picture with `value` beside it; as it is where it is to be stretched."""
    height, width = picture.shape[:2]
    if height == width or fit == "stretch":
        return picture
    if fit == "crop":
        return cut_out(picture, box := middle_square(height, width), (box[1] - box[0], box[3] - box[2]))
    side = max(height, width)
    wide = np.full((side, side, *picture.shape[2:]), value, picture.dtype)
    top, left = (side - height) // 2, (side - width) // 2
    wide[top : top + height, left : left + width] = picture
    return wide


def placed(points: NDArray[np.float32], height: int, width: int, size: int, fit: Fit) -> NDArray[np.float32]:
    """Landmarks P×2 (x, y) of a picture's pixels, in those of the square of a size that is made of it."""
    if fit == "stretch":
        scale, shift = np.array([size / width, size / height]), np.zeros(2)
    else:
        side = min(height, width) if fit == "crop" else max(height, width)
        scale = np.array([size / side, size / side])
        shift = np.array([(side - width) // 2, (side - height) // 2], float)
        if fit == "crop":
            shift = -np.array([(width - side) // 2, (height - side) // 2], float)
    # A pixel's middle stays its middle: pixel 0 covers from -0.5 to 0.5.
    moved_points: NDArray[np.float32] = ((points + shift + 0.5) * scale - 0.5).astype(np.float32)
    return moved_points


def black(size: int) -> Picture:
    """The picture that stands in for one that is missing."""
    return np.zeros((size, size, 3), np.uint8)
