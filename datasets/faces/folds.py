"""Furrows and mounds of the skin: where they lie, and which action units call them up.

Every one is a line in the tables below, for the right half of the face; the left half mirrors it. Places
hang on landmarks, (landmark, dx, dy) in face units, so folds travel with the skin. Heights are shares of the
deepest furrow or highest mound, -1..1: `always`, plus `age` times the subject's age, plus each unit's
activation times its share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.expression import FACE_AUS
from netcfg.datasets.faces.geometry import MIRROR, Points, spline
from netcfg.datasets.pictures.opencv import cv2

SPAN_X, SPAN_Y = 2.6, 3.2
LEFT, TOP = -1.3, -1.5
COLUMNS, ROWS = 104, 128
CELLS_PER_UNIT = ROWS / SPAN_Y
SHIFT = 4

Place = tuple[int, float, float]
Map8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Fold:
    """A furrow (negative height) or a ridge along a smooth line through two to four places."""

    places: tuple[Place, ...]
    units: Mapping[int, float]
    always: float = 0.0
    age: float = 0.0
    width: float = 0.03


@dataclass(frozen=True)
class Mound:
    """A rounded mound with half axes in face units; `cheeks` is its share of the subject's cheeks."""

    place: Place
    axes: tuple[float, float]
    units: Mapping[int, float] = field(default_factory=dict)
    always: float = 0.0
    cheeks: float = 0.0


def _forehead() -> list[Fold]:
    folds = []
    for up, share in ((0.15, 0.8), (0.25, 1.0), (0.35, 0.8)):
        inner = ((22, -0.155, -up), (22, 0.06, -up - 0.01), (23, 0.05, 0.03 - up))
        outer = ((24, -0.06, 0.03 - up), (24, 0.08, -up), (26, 0.0, -0.01 - up))
        folds.append(Fold(inner, {1: -0.68 * share}, age=-0.07))
        folds.append(Fold(outer, {2: -0.68 * share}, age=-0.07))
    folds.append(
        Fold(((22, -0.02, -0.12), (22, -0.035, 0.0), (22, -0.03, 0.11)), {4: -1.0}, age=-0.12, width=0.025)
    )
    folds.append(Fold(((22, 0.04, -0.13), (22, 0.025, -0.05)), {4: -0.6}))
    return folds


def _eyes() -> list[Fold]:
    pouch = ((42, 0.05, 0.09), (47, 0.03, 0.085), (46, 0.03, 0.08), (45, 0.02, 0.07))
    roll = ((42, 0.06, 0.055), (47, 0.03, 0.04), (46, 0.03, 0.04), (45, 0.0, 0.03))
    crows_feet = [
        ((45, 0.07, dy), (45, 0.13, 2 * dy), (45, 0.21, 3 * dy + 0.01)) for dy in (-0.03, 0.0, 0.03)
    ]
    return [
        *(Fold(places, {6: -0.95}, age=-0.12) for places in crows_feet),
        Fold(pouch, {6: -0.7, 7: -0.5, 9: -0.25}, age=-0.2),
        Fold(roll, {6: 0.5, 7: 0.5}),
        Fold(((42, 0.06, 0.19), (47, 0.04, 0.19), (46, 0.08, 0.16)), {6: -0.5}, age=-0.1, width=0.04),
    ]


def _nose() -> list[Fold]:
    root = [((27, 0.0, y), (27, 0.05, y + 0.005), (27, 0.10, y + 0.03)) for y in (-0.10, -0.02, 0.07)]
    sides = [
        ((27, x, y), (27, x + 0.06, y + 0.05), (27, x + 0.11, y + 0.14))
        for x, y in ((0.06, 0.12), (0.08, 0.20))
    ]
    wing = ((35, -0.02, -0.13), (35, 0.045, -0.075), (35, 0.035, 0.0))
    return [
        *(Fold(places, {9: -0.85}) for places in root),
        *(Fold(places, {9: -0.9}) for places in sides),
        Fold(wing, {9: -0.35, 10: -0.2}, always=-0.45),
    ]


def _mouth() -> list[Fold]:
    cheek = ((35, 0.05, -0.08), (35, 0.15, 0.04), (54, 0.12, -0.14), (54, 0.105, 0.04))
    smile = {6: -0.3, 9: -0.6, 10: -0.8, 12: -0.85, 20: -0.25}
    stretch = [((54, x, -0.12), (54, x + 0.02, 0.0), (54, x - 0.01, 0.13)) for x in (0.06, 0.12)]
    pleats = [((p, 0.0, 0.025 * s), (p, 0.012, 0.10 * s)) for p, s in ((52, -1), (53, -1), (55, 1), (56, 1))]
    return [
        Fold(cheek, smile, always=-0.10, age=-0.3, width=0.035),
        Fold(((54, 0.045, -0.10), (54, 0.09, -0.01), (54, 0.045, 0.09)), {14: -1.0}, width=0.045),
        Fold(((54, 0.03, 0.01), (54, 0.065, 0.08), (54, 0.07, 0.18)), {15: -0.9}, age=-0.12),
        Fold(((54, 0.005, 0.0), (54, 0.04, 0.0)), {12: -0.3, 14: -0.4, 15: -0.4}, always=-0.35),
        *(Fold(places, {20: -0.6}) for places in stretch),
        *(Fold(places, {23: -0.75}) for places in pleats),
    ]


def _chin() -> list[Fold]:
    under_lip = ((57, 0.0, 0.075), (56, 0.03, 0.075), (55, 0.0, 0.06))
    over_lip = ((51, 0.0, -0.03), (52, 0.03, -0.035), (53, 0.03, -0.03))
    boss = ((8, 0.0, -0.27), (8, 0.12, -0.25), (8, 0.21, -0.17), (8, 0.23, -0.07))
    pits = ((0.0, -0.18), (0.06, -0.12), (0.13, -0.16), (0.02, -0.07), (0.11, -0.08))
    return [
        Fold(under_lip, {17: -0.5, 24: -0.4}, always=-0.22, width=0.04),
        Fold(over_lip, {24: -0.6}),
        Fold(boss, {17: -0.75}),
        *(Fold(((8, x - 0.012, y - 0.02), (8, x + 0.012, y + 0.02)), {17: -0.85}) for x, y in pits),
    ]


FOLDS: tuple[Fold, ...] = (*_forehead(), *_eyes(), *_nose(), *_mouth(), *_chin())

MOUNDS: tuple[Mound, ...] = (
    Mound((29, 0.56, 0.12), (0.22, 0.14), {}, cheeks=0.10),
    Mound((46, 0.05, 0.28), (0.22, 0.13), {6: 0.65, 12: 0.40}),
    Mound((35, 0.10, -0.07), (0.07, 0.10), {9: 0.6, 10: 0.45}),
    Mound((54, 0.17, 0.0), (0.06, 0.11), {14: 0.7}),
    Mound((54, -0.04, 0.13), (0.08, 0.05), {15: 0.5}),
    Mound((51, 0.12, -0.085), (0.14, 0.035), {24: 0.6}),
    Mound((57, 0.12, 0.045), (0.14, 0.035), {24: 0.6}),
    Mound((8, 0.06, -0.16), (0.13, 0.10), {17: 0.6}, always=0.22),
    Mound((22, -0.04, -0.02), (0.09, 0.07), {4: 0.5}),
)


@dataclass(frozen=True)
class _Table:
    """Folds or mounds of both halves as arrays, first all of the left half, then all of the right.

    Shapes: landmarks (n, places); offsets (n, places, 2); by_unit (n / 2, 17); always, age (n / 2,).
    """

    landmarks: NDArray[np.intp]
    offsets: NDArray[np.float32]
    by_unit: NDArray[np.float32]
    always: NDArray[np.float32]
    age: NDArray[np.float32]

    def places(self, points: Points) -> Points:
        """Where the places lie now: (n, places, 2)."""
        return np.asarray(points[self.landmarks] + self.offsets, np.float32)

    def heights(self, activations: NDArray[np.float32], age: float) -> NDArray[np.float32]:
        """Heights now, -1..1: (n,)."""
        heights = (self.by_unit @ activations).T + (self.always + age * self.age)
        return np.asarray(np.clip(heights.ravel(), -1.0, 1.0), np.float32)


def draw_folds(points: Points, activations: NDArray[np.float32], age: float) -> Map8:
    """All furrows and ridges on a neutral map: (ROWS, COLUMNS), 128 is no height."""
    canvas = np.full((ROWS, COLUMNS), 128, np.uint8)
    for table, widths in _fold_tables():
        heights = table.heights(activations, age)
        seen = np.flatnonzero(np.abs(heights) > 0.04)
        lines = to_cells(spline(table.landmarks.shape[1], 3) @ table.places(points)[seen])
        levels = (128.0 + 127.0 * heights[seen]).tolist()
        for line, level, width in zip(lines, levels, widths[seen].tolist(), strict=True):
            cv2.polylines(canvas, [line], False, level, width, cv2.LINE_AA, SHIFT)
    return np.asarray(cv2.GaussianBlur(canvas, (5, 5), 0.9), np.uint8)


def draw_bulges(points: Points, activations: NDArray[np.float32], cheeks: float) -> Map8:
    """All mounds, soft, at half the resolution: (ROWS / 2, COLUMNS / 2), 128 is no height."""
    canvas = np.full((ROWS // 2, COLUMNS // 2), 128, np.uint8)
    table, axes = _mound_table()
    heights = table.heights(activations, cheeks)
    seen = np.flatnonzero(heights > 0.04)
    # At half the resolution a cell's middle lies between those of two: (cell - ½) / 2.
    centres = ((to_cells(table.places(points)[seen, 0]) - (1 << SHIFT) // 2) >> 1).tolist()
    for centre, axis, level in zip(
        centres, axes[seen].tolist(), (128 + 127 * heights[seen]).tolist(), strict=True
    ):
        cv2.ellipse(canvas, centre, axis, 0, 0, 360, level, -1, cv2.LINE_8, SHIFT)
    return np.asarray(cv2.blur(cv2.blur(canvas, (5, 5)), (5, 5)), np.uint8)


def to_cells(points: Points) -> NDArray[np.int32]:
    """Face units to cells of the maps, as fixed-point numbers for OpenCV: (..., 2)."""
    # OpenCV counts fixed-point places from the middle of the first cell, half a cell from the map's edge.
    cells = (points - np.array([LEFT, TOP], np.float32)) * (CELLS_PER_UNIT * (1 << SHIFT)) - 0.5 * (
        1 << SHIFT
    )
    return np.asarray(np.rint(cells), np.int32)


@cache
def _fold_tables() -> list[tuple[_Table, NDArray[np.int64]]]:
    """One table for each number of places, with line widths in cells."""
    tables = []
    for count in (2, 3, 4):
        folds = [fold for fold in FOLDS if len(fold.places) == count]
        widths = np.array([max(1, round(fold.width * CELLS_PER_UNIT)) for fold in folds] * 2)
        table = _table([fold.places for fold in folds], [fold.units for fold in folds],
                       [fold.always for fold in folds], [fold.age for fold in folds])  # fmt: skip
        tables.append((table, widths))
    return tables


@cache
def _mound_table() -> tuple[_Table, NDArray[np.int64]]:
    table = _table([(mound.place,) for mound in MOUNDS], [mound.units for mound in MOUNDS],
                   [mound.always for mound in MOUNDS], [mound.cheeks for mound in MOUNDS])  # fmt: skip
    axes = np.array([mound.axes for mound in MOUNDS] * 2) * CELLS_PER_UNIT / 2 * (1 << SHIFT)
    return table, np.rint(axes).astype(np.int64)


def _table(
    places: list[tuple[Place, ...]], units: list[Mapping[int, float]], always: list[float], age: list[float]
) -> _Table:
    right = np.array(places, np.float64)
    landmarks = right[..., 0].astype(np.intp)
    offsets = right[..., 1:].astype(np.float32)
    by_unit = np.array([[shares.get(unit, 0.0) for unit in FACE_AUS] for shares in units], np.float32)
    return _Table(
        landmarks=np.concatenate([np.array(MIRROR)[landmarks], landmarks]),
        offsets=np.concatenate([offsets * np.array([-1.0, 1.0], np.float32), offsets]),
        by_unit=by_unit,
        always=np.array(always, np.float32),
        age=np.array(age, np.float32),
    )
