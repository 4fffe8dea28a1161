"""A face turned, moved and scaled by its points, as the faces of FFHQ are.

Matrices are 2×3 and take pixels (x, y, 1), whole numbers at pixels' middles, to where they go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Sample
from netcfg.datasets.transforms.heatmaps import ExpectFace

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
MOUTH_CORNERS = (48, 54)
OF_EYES, OF_MOUTH = 2.0, 1.8
"""Half a side of the square, in distances of the eyes, and of eyes and mouth."""
TOWARDS_MOUTH = 0.1


def ffhq_matrix(points: NDArray[Any], size: int, zoom: float = 1.0) -> NDArray[np.float64]:
    """The matrix that takes a face with these 68 points (x, y) to its place in a square of so many pixels."""
    points = points.astype(np.float64)
    left, right = points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0)
    eyes = (left + right) / 2
    across = right - left
    down = points[list(MOUTH_CORNERS)].mean(0) - eyes
    # The direction between that of the eyes and the one at right angles to the line from eyes to mouth.
    side = across + np.array([down[1], -down[0]])
    side *= max(np.hypot(*across) * OF_EYES, np.hypot(*down) * OF_MOUTH) / np.hypot(*side) / zoom
    other = np.array([-side[1], side[0]])
    corner = eyes + TOWARDS_MOUTH * down - side - other
    turned = np.linalg.inv(np.column_stack([side, other]) * 2 / size)
    # The square's edges lie half a pixel beyond the middles of its outer pixels; the points' pixels, as dlib counts
    # them, have their middles at whole numbers too, and FFHQ adds half a pixel for the corner as well.
    return np.column_stack([turned, -turned @ corner - 0.5])


@dataclass(frozen=True)
class AlignSample:
    """Warps `pictures` and `masks` by the `points`, which move along; they count the pixels of `input`."""

    input: str
    points: str
    pictures: tuple[str, ...]
    masks: tuple[str, ...]
    size: int
    zoom: float

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with its face aligned. Raises `SampleError` where the points are no face in the picture."""
        if self.points not in sample or self.input not in sample:
            return sample
        points = sample[self.points]
        height, width = sample[self.input].shape[:2]
        ExpectFace(self.points, (height, width))(sample, random)
        matrix = ffhq_matrix(points, self.size, self.zoom)
        changed: Sample = {self.points: (points @ matrix[:, :2].T + matrix[:, 2]).astype(points.dtype)}
        changed |= {
            name: self._warped(sample[name], matrix, False) for name in self.pictures if name in sample
        }
        changed |= {name: self._warped(sample[name], matrix, True) for name in self.masks if name in sample}
        return sample | changed

    def _warped(self, picture: NDArray[Any], matrix: NDArray[np.float64], nearest: bool) -> NDArray[Any]:
        from netcfg.datasets.pictures.opencv import cv2

        if not nearest:
            picture, matrix = _reduced(picture, matrix)
        method = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        return np.asarray(
            cv2.warpAffine(
                picture, matrix, (self.size, self.size), flags=method, borderMode=cv2.BORDER_REFLECT_101
            )
        )


def _reduced(picture: NDArray[Any], matrix: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """A picture of which a warp would pass over pixels, made smaller by means first, and the matrix of that one."""
    from netcfg.datasets.pictures.opencv import cv2

    scale = float(np.hypot(*matrix[:, 0]))
    factor = int(1 / scale) if scale > 0 else 1
    height, width = picture.shape[0] // max(factor, 1), picture.shape[1] // max(factor, 1)
    if factor < 2 or not height or not width:
        return picture, matrix
    whole = np.ascontiguousarray(picture[: height * factor, : width * factor])
    small = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))
    # A small pixel's middle is that of `factor` pixels.
    shift = matrix[:, :2] @ np.full(2, (factor - 1) / 2) + matrix[:, 2]
    return small, np.column_stack([matrix[:, :2] * factor, shift])
