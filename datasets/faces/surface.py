"""How light falls on a face, and the colour of its skin: everything soft, at low resolution.

The maps cover part of the face's frontal plane with ROWS x COLUMNS cells (see `folds`). Furrows and mounds
are height, so that a fold throws its shade away from the lamp wherever the lamp is.
Values: in 8-bit maps 128 is neutral (no height, or "multiply by 1").
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.folds import (
    CELLS_PER_UNIT,
    COLUMNS,
    LEFT,
    ROWS,
    SHIFT,
    TOP,
    Map8,
    draw_bulges,
    draw_folds,
    to_cells,
)
from netcfg.datasets.faces.geometry import Camera, Points, neutral_points, outline, rotation
from netcfg.datasets.faces.identity import Identity
from netcfg.datasets.faces.scene import Light, Pose
from netcfg.datasets.pictures.opencv import cv2

Map = NDArray[Any]  # float32

_FOLD_HEIGHT = 0.036  # face units, of a fold of depth 1
_MOUND_HEIGHT = 0.16
_LIPS = tuple(range(48, 60))
_BEARD_STRENGTH = {"stubble": 0.42, "moustache": 0.85, "full": 0.88, "goatee": 0.85}


def shade(
    identity: Identity,
    points: Points,
    edge: Points,
    activations: NDArray[np.float32],
    pose: Pose,
    light: Light,
) -> Map8:
    """What to multiply the flat colours of the head with: (ROWS, COLUMNS, 3), 128 is 1, also outside `edge`.

    Shapes: points (68, 2) and the head's outline `edge` (n, 2) in face units; activations (17, 2).
    """
    fine = draw_folds(points, activations, identity.age)
    inside = _mask(edge)
    height = _height(identity, points, activations, fine, inside)
    brightness = _illuminate(height, fine, rotation(pose).T @ np.array(light.direction, np.float32), light)
    brightness = 1.0 + (brightness - 1.0) * inside
    grey = cv2.convertScaleAbs(brightness, alpha=128.0)
    tinted = cv2.LUT(cv2.merge([grey] * 3), _skin_curve())
    return np.asarray(cv2.multiply(tinted, _albedo(identity, points), scale=1 / 128), np.uint8)


def to_image(surface: Map8, camera: Camera, size: int) -> Map8:
    """A map of the frontal plane as the camera sees it: (size, size, channels)."""
    x, y = camera.unproject_grid(18)
    column = cv2.resize((x - LEFT) * CELLS_PER_UNIT - 0.5, (size, size), interpolation=cv2.INTER_LINEAR)
    row = cv2.resize((y - TOP) * CELLS_PER_UNIT - 0.5, (size, size), interpolation=cv2.INTER_LINEAR)
    neutral = (128,) * 4
    return np.asarray(
        cv2.remap(surface, column, row, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, neutral), np.uint8
    )


def _height(
    identity: Identity, points: Points, activations: NDArray[np.float32], fine: Map8, inside: Map
) -> Map:
    mounds = cv2.resize(draw_bulges(points, activations, identity.cheeks), (COLUMNS, ROWS))
    lips = np.full((ROWS, COLUMNS), 128, np.uint8)
    _fill(lips, points[list(_LIPS)], 172)
    cv2.polylines(lips, [to_cells(points[60:68])], True, 118, 1, cv2.LINE_AA, SHIFT)
    soft = cv2.addWeighted(mounds, 1.0, cv2.GaussianBlur(lips, (5, 5), 1.4), 0.55, -70.4)
    height = cv2.addWeighted(soft, _MOUND_HEIGHT / 127, fine, _FOLD_HEIGHT / 127, 0.0, dtype=cv2.CV_32F)
    height += _bone(identity)
    return np.asarray(cv2.scaleAdd(inside, 0.25, height), np.float32)


def _illuminate(height: Map, fine: Map8, lamp: NDArray[np.float32], light: Light) -> Map:
    """Brightness, about 1 on a well-lit patch: diffuse and ambient light, a sheen, and darkness in furrows.

    `lamp` is the direction of the light as the head sees it.
    """
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=CELLS_PER_UNIT / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=CELLS_PER_UNIT / 8)
    upright = 1.0 / cv2.magnitude(cv2.magnitude(across, down), np.ones_like(across))
    half_way = lamp + np.array([0.0, 0.0, 1.0], np.float32)
    half_way /= np.linalg.norm(half_way)
    diffuse = _facing(across, down, upright, 0.85 * light.diffuse * lamp)
    diffuse += 0.15 * light.diffuse
    brightness = np.maximum(diffuse, 0.0, out=diffuse)
    sheen = np.maximum(_facing(across, down, upright, half_way), 0.0)
    for _ in range(4):
        np.multiply(sheen, sheen, out=sheen)
    brightness += light.ambient
    brightness += 0.10 * sheen
    furrow = cv2.convertScaleAbs(fine, alpha=0.5, beta=64.0)  # half as strong as the fold, still around 128
    return np.asarray(cv2.multiply(brightness, furrow, scale=1 / 128, dtype=cv2.CV_32F), np.float32)


def _facing(across: Map, down: Map, upright: Map, direction: NDArray[np.float32]) -> Map:
    """Dot product of the surface's normal and a direction."""
    x, y, z = (float(v) for v in direction)
    slope = cv2.addWeighted(across, -x, down, -y, z)
    return np.asarray(np.multiply(slope, upright, out=slope), np.float32)


@lru_cache(maxsize=128)
def _bone(identity: Identity) -> Map:
    """Height of the face at rest without lips and folds: skull, sockets, nose, cheekbones and chin."""
    x, y = _grid()
    length, width, tall = identity.nose_length, identity.nose_width, identity.nose_height
    side = np.abs(x)
    eye = 0.43 + identity.eye_spacing
    rise = np.clip((y + 0.10) / (0.55 * length), 0.0, 1.0) ** 1.3 / (
        1.0 + np.exp((y - 0.54 * length) / 0.022)
    )
    height = 0.80 - 0.55 * np.clip(side, 0, 1.15) ** 2.4 - 0.20 * (y - 0.1) ** 2
    height += 0.23 * tall * rise * np.exp(-((x / (0.075 + 0.05 * rise)) ** 2))
    height += 0.07 * _hill(side - 0.125 * width, y - 0.505 * length, 0.06, 0.055)
    height += 0.05 * _hill(side - 0.40, y + 0.19 - identity.brow_height, 0.30, 0.10)
    height -= 0.10 * _hill(side - eye, y + 0.02, 0.24, 0.15)
    height += 0.05 * _hill(side - eye, y, 0.15, 0.09)
    height += 0.06 * identity.cheeks * _hill(side - 0.62, y - 0.32, 0.22, 0.17)
    height += 0.08 * _hill(x, y - 0.86, 0.36, 0.24)
    height -= 0.012 * _hill(x, y - 0.68, 0.045, 0.07)
    height -= 0.04 * (2.0 - identity.cheeks) * _hill(side - 0.62, y - 0.78, 0.14, 0.22)
    return np.asarray(height, np.float32)


@lru_cache(maxsize=128)
def _complexion(identity: Identity) -> Map8:
    """Colour of the skin relative to the identity's flat skin colour: (ROWS, COLUMNS, 3), 128 is the same."""
    x, y = _grid()
    side = np.abs(x)
    eye = 0.43 + identity.eye_spacing
    rng = np.random.Generator(np.random.Philox(identity.texture_seed))
    blotches = cv2.resize(rng.normal(0.0, 1.0, (20, 16)).astype(np.float32), (COLUMNS, ROWS))
    red = _hill(side - 0.58, y - 0.42, 0.25, 0.20) + 0.7 * _hill(x, y - 0.5, 0.16, 0.12)
    dark = (0.5 + 0.5 * identity.age) * _hill(side - eye + 0.05, y - 0.12, 0.20, 0.06)
    dark = dark + 0.8 * identity.lashes * _hill(side - eye, y + 0.10, 0.24, 0.08)
    tone = np.stack([0.03 * red - 0.09 * dark, -0.10 * red - 0.15 * dark, -0.08 * red - 0.12 * dark], -1)
    tone += 0.02 * blotches[..., None] - _freckles(rng, identity)[..., None] * np.array([0.5, 0.9, 1.0])
    under_hair = np.clip(1.0 - (y - (-0.80 + identity.hairline)) / 0.25, 0.0, 1.0)
    tone -= 0.18 * (under_hair * (identity.hair_style != "bald"))[..., None]
    at_rest = neutral_points(identity)
    tone *= _mask(outline(at_rest, identity))[..., None]
    return np.clip(128 * (1.0 + tone), 0, 255).astype(np.uint8)


def _hill(x: Map, y: Map, width: float, height: float) -> Map:
    return np.asarray(np.exp(-((x / width) ** 2) - (y / height) ** 2), np.float32)


def _freckles(rng: np.random.Generator, identity: Identity) -> Map:
    count = int(rng.integers(0, 50)) if sum(identity.skin) > 560 else 4
    spots = np.zeros((ROWS, COLUMNS), np.float32)
    places = np.column_stack([rng.normal(0.0, 0.42, count), rng.normal(0.42, 0.2, count)]).astype(np.float32)
    for column, row in to_cells(places) >> SHIFT:
        spots[row % ROWS, column % COLUMNS] = rng.uniform(0.2, 0.6)
    return np.asarray(cv2.GaussianBlur(spots, (3, 3), 0.6), np.float32)


def _albedo(identity: Identity, points: Points) -> Map8:
    """Complexion with the shadow of a beard, which moves with jaw and lips."""
    complexion = _complexion(identity)
    if identity.beard == "none":
        return complexion
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    for area in _beard_areas(identity, points):
        _fill(mask, area, 255 * _BEARD_STRENGTH[identity.beard])
    _fill(mask, points[list(_LIPS)], 0)
    share = cv2.merge([cv2.GaussianBlur(mask, (7, 7), 1.5)] * 3)
    return np.asarray(
        cv2.subtract(complexion, cv2.multiply(share, _hair_loss(identity), scale=1 / 255)), np.uint8
    )


@lru_cache(maxsize=128)
def _hair_loss(identity: Identity) -> Map8:
    """What hair in place of skin takes away from the neutral 128, with the grain of a beard."""
    rng = np.random.Generator(np.random.Philox(identity.texture_seed + 2))
    ratio = 1.0 - np.minimum(1.0, np.array(identity.brows) / np.array(identity.skin))
    grain = 1.0 + 0.16 * rng.normal(0.0, 1.0, (ROWS, COLUMNS, 1))
    return np.asarray(np.clip(128 * ratio * grain, 0, 128), np.uint8)


def _beard_areas(identity: Identity, points: Points) -> list[Points]:
    """Closed outlines of the bearded skin."""
    areas = []
    if identity.beard in ("stubble", "full"):
        cheek = [(54, 0.30, -0.16), (54, 0.12, -0.06), (35, 0.10, 0.10), (33, 0.0, 0.07), (31, -0.10, 0.10),
                 (48, -0.12, -0.06), (48, -0.30, -0.16)]  # fmt: skip
        areas.append(np.vstack([points[1:16] * np.array([0.99, 1.0]), _near(points, cheek)]))
    if identity.beard in ("moustache", "goatee"):
        above = [(48, -0.07, 0.02), (31, -0.02, 0.08), (33, 0.0, 0.06), (35, 0.02, 0.08), (54, 0.07, 0.02)]
        areas.append(np.vstack([points[[54, 53, 52, 51, 50, 49, 48]], _near(points, above)]))
    if identity.beard == "goatee":
        chin = _near(points, [(58, 0, 0.05), (57, 0, 0.05), (56, 0, 0.05)])
        areas.append(np.vstack([chin, points[10:5:-1] * np.array([0.72, 0.995])]))
    return [area.astype(np.float32) for area in areas]


def _near(points: Points, places: list[tuple[int, float, float]]) -> Points:
    return np.asarray([points[point] + np.array([dx, dy]) for point, dx, dy in places], np.float32)


@lru_cache(maxsize=1)
def _grid() -> tuple[Map, Map]:
    x = (np.arange(COLUMNS, dtype=np.float32) + 0.5) / CELLS_PER_UNIT + LEFT
    y = (np.arange(ROWS, dtype=np.float32) + 0.5) / CELLS_PER_UNIT + TOP
    columns, rows = np.meshgrid(x, y)
    return columns.astype(np.float32), rows.astype(np.float32)


@lru_cache(maxsize=1)
def _skin_curve() -> NDArray[np.uint8]:
    """Shadows on skin are warm: red falls more slowly than green and blue. (1, 256, 3)."""
    level = np.arange(256) / 128
    channels = [128 * level**power for power in (0.84, 1.06, 1.14)]
    return np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8)[None]


def _mask(edge: Points) -> Map:
    """1 inside an outline, 0 outside, soft between: (ROWS, COLUMNS)."""
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    _fill(mask, edge, 255)
    soft = cv2.blur(mask, (5, 5))
    return np.asarray(cv2.addWeighted(soft, 1 / 255, soft, 0.0, 0.0, dtype=cv2.CV_32F), np.float32)


def _fill(canvas: Map8, points: Points, level: float) -> None:
    cv2.fillPoly(canvas, [to_cells(points)], level, cv2.LINE_AA, SHIFT)
