"""Which part of the face each pixel shows."""

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces import head
from netcfg.datasets.faces.geometry import (
    Camera,
    Points,
    move_points,
    neutral_points,
    outline,
    relief_of,
    trace,
)
from netcfg.datasets.faces.identity import Identity
from netcfg.datasets.faces.scene import Scene
from netcfg.datasets.faces.sketch import Sketch

PARTS = ("background", "skin", "brows", "eyes", "nose", "lips", "mouth", "hair")
"""By number; `mouth` is what shows between the lips, `background` also neck, ears and clothes."""

_NOSE = (27, 31, 32, 33, 34, 35)


def face_parts(
    identity: Identity,
    scene: Scene,
    activations: NDArray[np.float32],
    size: int,
    *,
    time: float,
    blink: float,
) -> NDArray[np.uint8]:
    """The parts of the face that `render_face` draws, numbers of PARTS, as whole pixels: (size, size)."""
    points = move_points(neutral_points(identity), activations, blink)
    lines = trace(points)
    camera = Camera(relief_of(identity), scene.pose_at(time), size)
    parts = np.zeros((size, size), np.uint8)
    for part, areas in _areas(identity, points, lines).items():
        sketch = Sketch()
        for area in areas:
            sketch.area(area, (0.0, 0.0, 0.0))
        sketch.paint_number(parts, camera, PARTS.index(part))
    head.hair_in_front(identity).paint_number(parts, camera, PARTS.index("hair"))
    return parts


def _areas(identity: Identity, points: Points, lines: dict[str, Points]) -> dict[str, list[Points]]:
    """Closed outlines of each part, from the back to the front."""
    above, below = lines["mouth above"], lines["mouth below"]
    sides = ("left", "right")
    half = head.brow_half(identity)
    return {
        "skin": [outline(points, identity)],
        "nose": [points[list(_NOSE)]],
        "lips": [np.concatenate([lines["upper lip"], lines["lower lip"]])],
        "mouth": [np.concatenate([above, below])] if points[66, 1] - points[62, 1] > 0.012 else [],
        "eyes": [np.concatenate([lines[f"{side} eye above"], lines[f"{side} eye below"]]) for side in sides],
        "brows": [
            np.concatenate([lines[f"{side} brow"] - half, (lines[f"{side} brow"] + half)[::-1]])
            for side in sides
        ],
    }
