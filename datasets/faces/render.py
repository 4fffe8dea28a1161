"""One picture of one face: identity, scene and action units in, image and landmarks out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces import head
from netcfg.datasets.faces.backdrop import add_noise, background, light_over_image
from netcfg.datasets.faces.expression import FACE_AUS, activation_array
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
from netcfg.datasets.faces.sketch import Image, Sketch
from netcfg.datasets.faces.surface import shade, to_image
from netcfg.datasets.pictures.opencv import cv2

_LEAST_SIDE = 128  # smaller images are drawn at twice their size


@dataclass(frozen=True)
class Face:
    """A picture and the truth about it.

    Shapes: image (size, size, 3) RGB; landmarks (68, 2), pixels (x, y), the first pixel's centre at (0, 0).
    """

    image: NDArray[np.uint8]
    landmarks: NDArray[np.float32]


def render_face(
    identity: Identity,
    scene: Scene,
    activations: Mapping[int, float] | NDArray[np.float32],
    size: int,
    *,
    time: float = 0.0,
    blink: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
    grain: int = 0,
) -> Face:
    """Draw a face.

    `activations` maps action units to 0..1, or is an array (17, 2) of FACE_AUS by halves of the face; `time`
    in 0..1 is the moment in the scene's clip; `grain` picks the camera's noise.
    """
    array = activation_array(activations) if isinstance(activations, Mapping) else activations
    rest = neutral_points(identity)
    points = move_points(rest, array, blink)
    edge = outline(points, identity)
    scaling = -(-_LEAST_SIDE // size)
    camera = Camera(relief_of(identity), scene.pose_at(time), size * scaling)
    image = background(scene.background_seed, scene.clutter, size * scaling)
    _sketch(identity, points, rest, edge, array, gaze).paint(image, camera)
    surface = shade(identity, points, edge, array, camera.pose, scene.light)
    image = _lay_over(image, surface, camera, scene)
    if scaling > 1:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    # Places count from the first pixel's middle, and pixels become smaller about the picture's corner.
    landmarks = (camera.project(points) + 0.5) / scaling - 0.5
    # Noise is the camera's: drawn before, it would be averaged away where pictures are made smaller.
    return Face(add_noise(image, scene, grain), landmarks.astype(np.float32))


def _sketch(
    identity: Identity,
    points: Points,
    rest: Points,
    edge: Points,
    activations: NDArray[np.float32],
    gaze: tuple[float, float],
) -> Sketch:
    sketch = Sketch()
    lines = trace(points)
    head.draw_body(sketch, points, identity)
    sketch.area(edge, identity.skin)
    head.draw_nose(sketch, points, lines, identity)
    head.draw_mouth(sketch, points, lines, rest, identity)
    head.draw_eyes(sketch, points, lines, identity, gaze, drop=_lid_drop(activations))
    head.draw_brows(sketch, lines, identity)
    sketch.extend(head.worn(identity))
    return sketch


def _lid_drop(activations: NDArray[np.float32]) -> float:
    strength = dict(zip(FACE_AUS, activations.mean(axis=1).tolist(), strict=True))
    drop = 0.9 * strength[4] + 0.5 * strength[6] + 0.5 * strength[9] - strength[5] - strength[2]
    return float(min(max(drop, -1.0), 1.0))


def _lay_over(image: Image, surface: Image, camera: Camera, scene: Scene) -> Image:
    """The flat picture with shade, folds and complexion laid over it, and the lamp's fall-off over all."""
    size = image.shape[0]
    # Light and folds are soft, and look the same of half the size. In bytes, of which 128 leaves a pixel as it is: so
    # they can darken to nothing, and make twice as bright.
    low = max(112, size // 2)
    over = cv2.multiply(to_image(surface, camera, low), light_over_image(scene.light, low), scale=1 / 128)
    if low != size:
        over = cv2.resize(over, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(image, over, scale=1 / 128), np.uint8)
