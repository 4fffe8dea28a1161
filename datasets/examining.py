"""Pictures of a data set looked into: their sizes, their mean and deviation, and those that stand in several splits.

Equal files are found among all of them, by sizes, then by a few bytes, then by all bytes. What needs pictures to be
opened is found among some, evenly spread, as many as a few seconds allow.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import Samples
from netcfg.datasets.samples.table_samples import FilePictures, TableSamples
from netcfg.files import expect_regular
from netcfg.source import NetcfgError

MOST_PICTURES = 1_000
MOST_PIXELS = 200_000_000
"""Of all pictures together that are opened: about three seconds."""
THUMBNAIL = 16
NEAR = 3.0
"""Levels of 255 by which the thumbnails of near-equal pictures differ, as a root of the mean square."""
FLAT = 4.0
"""A deviation of levels up to which a thumbnail shows nothing that could be recognised."""
_PROBE = 256
_CHUNK = 256

Place = tuple[Split, int]


@dataclass(frozen=True)
class Twins:
    """Pairs of samples of different splits that show the same, and how many there are in all."""

    count: int
    pairs: Sequence[tuple[Place, Place]]


@dataclass(frozen=True)
class Examined:
    """What was found: heights and widths of the pictures opened, N×2; mean and deviation by channel, from 0 to 1."""

    opened: int
    of: int
    sizes: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    equal: Twins | None
    near: Twins
    unreadable: Sequence[tuple[Place, str]] = ()


@dataclass
class _Sums:
    count: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    squares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Count a picture, as much as any other: networks see all of them at one size."""
        flat = picture.reshape(-1, picture.shape[-1])
        self.count += 1
        # By how often each level occurs: exact, and quicker than numbers with a point.
        for channel in range(3):
            levels = np.bincount(flat[:, channel], minlength=256)
            self.total[channel] += levels @ np.arange(256) / len(flat)
            self.squares[channel] += levels @ np.arange(256) ** 2 / len(flat)


def examine(opened: Mapping[Split, Samples], all_pictures: bool = False) -> Examined:
    """Look into the splits' pictures, opened with the field `image` and what is read beside it, such as masks; into all
    where that is asked for. A sample of which anything cannot be read is among the unreadable ones.
    """
    places = [(split, index) for split, samples in opened.items() for index in range(len(samples))]
    sums, sizes, thumbnails, seen = _Sums(), [], [], []
    unreadable: list[tuple[Place, str]] = []
    for place in places if all_pictures else _some(places, opened):
        split, index = place
        try:
            picture = opened[split][index]["image"]
        except NetcfgError as refusal:
            unreadable.append((place, str(refusal).partition("\n")[0]))
            continue
        picture = picture.reshape(-1, *picture.shape[-2:]) if picture.ndim > 3 else picture
        sizes.append(picture.shape[:2])
        sums.add(picture)
        thumbnails.append(_thumbnail(picture))
        seen.append(place)
    mean = sums.total / max(1, sums.count)
    variance = sums.squares / max(1, sums.count) - mean**2
    return Examined(
        len(seen),
        len(places),
        np.array(sizes, np.int64).reshape(-1, 2),
        mean / 255,
        np.sqrt(np.maximum(variance, 0)) / 255,
        equal_files(opened),
        _near(thumbnails, seen),
        unreadable,
    )


def _some(places: Sequence[Place], opened: Mapping[Split, Samples]) -> Iterator[Place]:
    """Some of the samples, evenly spread: fewer where they are large."""
    chosen = np.linspace(0, len(places) - 1, min(MOST_PICTURES, len(places))).round().astype(int)
    probed = [places[place] for place in chosen[:: max(1, len(chosen) // 5)]]
    pixels = [_pixels(opened[split], index) for split, index in probed]
    known = [count for count in pixels if count]
    most = int(MOST_PIXELS / max(1.0, float(np.mean(known)))) if known else len(chosen)
    kept = np.linspace(0, len(chosen) - 1, max(1, min(most, len(chosen)))).round().astype(int)
    return (places[chosen[place]] for place in np.unique(kept)) if len(chosen) else iter(())


def _pixels(samples: Samples, index: int) -> int:
    try:
        picture = samples[index]["image"]
    except NetcfgError:
        return 0
    return int(np.prod(picture.shape[:-1]))


def _thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture in 16×16 levels of grey, as one row."""
    from netcfg.datasets.pictures.opencv import cv2

    small = cv2.resize(picture, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    grey: NDArray[np.float32] = np.asarray(small, np.float32).mean(axis=2, dtype=np.float32)
    return grey.reshape(-1)


# --- equal files


def equal_files(opened: Mapping[Split, Samples]) -> Twins | None:
    """Samples of different splits whose files are equal byte for byte; None where samples are no files."""
    files: list[tuple[Place, str]] = []
    for split, samples in opened.items():
        paths = files_of(samples)
        if paths is None:
            return None
        files += [((split, index), path) for index, path in enumerate(paths) if path is not None]
    groups = [files]
    for key in (_size, _probe, _whole):
        groups = [part for group in groups for part in _parted(group, key)]
    pairs = [
        (group[0][0], other[0]) for group in groups for other in group[1:] if other[0][0] != group[0][0][0]
    ]
    return Twins(len(pairs), pairs)


def files_of(samples: Samples) -> Sequence[str | None] | None:
    """The file of each sample's picture; None where pictures are no single files."""
    if isinstance(samples, TableSamples) and isinstance(samples.pictures, FilePictures):
        return [None if path is None else str(path) for path in samples.pictures.paths]
    return None


def _parted(files: Sequence[tuple[Place, str]], key: object) -> Iterable[list[tuple[Place, str]]]:
    """Files by what a function says of them; groups of one split alone are left out."""
    found: dict[object, list[tuple[Place, str]]] = defaultdict(list)
    for place, path in files:
        value = key(path)  # type: ignore[operator]
        if value is not None:
            found[value].append((place, path))
    return (group for group in found.values() if len({split for (split, _), _ in group}) > 1)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _probe(path: str) -> bytes | None:
    """Some bytes of a file's middle and its last ones: those of pictures that are not equal differ there."""
    try:
        expect_regular(path)
        with open(path, "rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            stream.seek(max(0, size // 2 - _PROBE // 2))
            middle = stream.read(_PROBE)
            stream.seek(max(0, size - _PROBE))
            return middle + stream.read(_PROBE)
    except OSError:
        return None


def _whole(path: str) -> bytes | None:
    try:
        expect_regular(path)
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "blake2b").digest()
    except OSError:
        return None


# --- near-equal pictures


def _near(thumbnails: Sequence[NDArray[np.float32]], places: Sequence[Place]) -> Twins:
    """Pairs of different splits whose thumbnails hardly differ; flat ones, which tell nothing, are left out."""
    if not thumbnails:
        return Twins(0, ())
    rows = np.stack(thumbnails)
    shown = np.flatnonzero(rows.std(axis=1) > FLAT)
    # Near-equal pictures are about equally bright: sorted by that, only neighbours need to be compared.
    shown = shown[np.argsort(rows[shown].mean(axis=1), kind="stable")]
    rows, means = rows[shown], rows[shown].mean(axis=1)
    splits = np.array([place[0] for place in places])[shown]
    pairs: list[tuple[Place, Place]] = []
    for start in range(0, len(rows), _CHUNK):
        own = slice(start, min(start + _CHUNK, len(rows)))
        end = int(np.searchsorted(means, means[own][-1] + NEAR, side="right"))
        differences = _mean_squares(rows[own], rows[start:end])
        close = differences <= NEAR**2
        close &= np.arange(start, end)[None, :] > np.arange(own.start, own.stop)[:, None]
        close &= splits[own][:, None] != splits[start:end][None, :]
        pairs += [
            (places[shown[start + one]], places[shown[start + other]])
            for one, other in np.argwhere(close).tolist()
        ]
    return Twins(len(pairs), pairs)


def _mean_squares(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    products = ours @ theirs.T
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None, :] - 2 * products
    return np.asarray(squares / ours.shape[1])
