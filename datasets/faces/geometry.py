"""Where the points of a face lie: a neutral face, what action units do to it, and its picture under a pose.

Units: face units (see `identity`); x right, y down, z towards the camera.
Shapes: a face is (68, 2), the points of the iBUG scheme: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes,
48-59 outer lips, 60-67 inner lips. Everything the renderer draws hangs on these points, so they are exact.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.expression import FACE_AUS
from netcfg.datasets.faces.identity import Identity
from netcfg.datasets.faces.scene import Pose

Points = NDArray[np.float32]

# The half of the average face at the right of the image, and the points on the axis; the rest is mirrored.
_AVERAGE: dict[int, tuple[float, float]] = {
    8: (0.0, 1.385), 9: (0.235, 1.355), 10: (0.455, 1.265), 11: (0.645, 1.12), 12: (0.795, 0.93),
    13: (0.895, 0.70), 14: (0.955, 0.45), 15: (0.985, 0.20), 16: (1.0, -0.05),
    22: (0.155, -0.285), 23: (0.295, -0.325), 24: (0.45, -0.34), 25: (0.60, -0.32), 26: (0.73, -0.25),
    27: (0.0, -0.02), 28: (0.0, 0.14), 29: (0.0, 0.30), 30: (0.0, 0.45),
    33: (0.0, 0.59), 34: (0.085, 0.575), 35: (0.175, 0.53),
    42: (0.225, 0.02), 43: (0.35, -0.08), 44: (0.505, -0.08), 45: (0.635, 0.0),
    46: (0.51, 0.065), 47: (0.36, 0.07),
    51: (0.0, 0.785), 52: (0.075, 0.77), 53: (0.225, 0.81), 54: (0.36, 0.86),
    55: (0.235, 0.945), 56: (0.105, 0.985), 57: (0.0, 0.99),
    62: (0.0, 0.865), 63: (0.09, 0.86), 64: (0.315, 0.86), 65: (0.09, 0.866), 66: (0.0, 0.871),
}  # fmt: skip

# Point -> its mirror image; points on the axis are their own.
MIRROR: tuple[int, ...] = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip

# Action unit -> displacement of points of the right half and of the axis at full activation.
_MOVES: dict[int, dict[int, tuple[float, float]]] = {
    1: {22: (0.0, -0.17), 23: (0.0, -0.12), 24: (0.0, -0.04), 43: (0.0, -0.012)},
    2: {22: (0.0, -0.01), 23: (0.0, -0.055), 24: (0.0, -0.12), 25: (0.01, -0.17),
        26: (0.01, -0.12), 44: (0.0, -0.012)},
    4: {22: (-0.075, 0.085), 23: (-0.05, 0.10), 24: (-0.03, 0.08), 25: (-0.015, 0.045), 26: (0.0, 0.015),
        43: (0.0, 0.022), 44: (0.0, 0.012)},
    5: {43: (0.0, -0.060), 44: (0.0, -0.062), 46: (0.0, 0.008), 47: (0.0, 0.008)},
    6: {46: (0.0, -0.040), 47: (0.0, -0.030), 44: (0.0, 0.012), 45: (-0.005, 0.005),
        25: (0.0, 0.02), 26: (0.0, 0.03)},
    7: {46: (0.0, -0.050), 47: (0.0, -0.050), 43: (0.0, 0.030), 44: (0.0, 0.030)},
    9: {22: (-0.025, 0.06), 23: (0.0, 0.04), 30: (0.0, -0.035), 33: (0.0, -0.045), 34: (0.01, -0.055),
        35: (0.035, -0.075), 47: (0.0, -0.02), 46: (0.0, -0.015), 43: (0.0, 0.02),
        51: (0.0, -0.045), 52: (0.0, -0.06), 53: (0.0, -0.04)},
    10: {35: (0.02, -0.035), 34: (0.005, -0.015), 51: (0.0, -0.085), 52: (0.005, -0.12), 53: (0.02, -0.085),
         63: (0.01, -0.06), 62: (0.0, -0.05), 64: (0.01, -0.01), 54: (0.02, -0.01)},
    12: {54: (0.12, -0.13), 53: (0.085, -0.065), 52: (0.03, 0.008), 51: (0.0, 0.015), 55: (0.09, -0.055),
         56: (0.04, -0.005), 64: (0.12, -0.125), 63: (0.04, 0.0), 65: (0.04, 0.0),
         62: (0.0, 0.005), 66: (0.0, 0.005), 46: (0.0, -0.008), 47: (0.0, -0.008), 35: (0.02, -0.01),
         12: (0.015, -0.02), 13: (0.02, -0.01)},
    14: {54: (-0.045, -0.02), 53: (-0.03, 0.018), 55: (-0.03, -0.022), 64: (-0.055, -0.015),
         57: (0.0, -0.01), 56: (0.0, -0.01)},
    15: {54: (0.01, 0.125), 53: (0.0, 0.06), 52: (0.0, 0.012), 55: (0.0, 0.055), 56: (0.0, 0.005),
         64: (0.005, 0.12), 63: (0.0, 0.005), 65: (0.0, 0.008)},
    17: {57: (0.0, -0.075), 56: (0.0, -0.075), 55: (0.0, -0.045), 66: (0.0, -0.045), 65: (0.0, -0.045),
         62: (0.0, -0.043), 63: (0.0, -0.043), 51: (0.0, -0.035), 52: (0.0, -0.035), 53: (0.0, -0.015),
         54: (-0.01, 0.03), 64: (-0.01, 0.02), 8: (0.0, -0.065), 9: (0.0, -0.055), 10: (0.0, -0.02)},
    20: {54: (0.16, 0.035), 53: (0.10, 0.035), 52: (0.045, 0.02), 51: (0.0, 0.01),
         55: (0.11, 0.0), 56: (0.05, -0.012), 57: (0.0, -0.012), 64: (0.16, 0.035), 63: (0.05, 0.004),
         65: (0.05, 0.004), 11: (0.015, 0.0)},
    23: {54: (-0.03, 0.0), 64: (-0.03, 0.0)},
    24: {54: (-0.085, 0.005), 53: (-0.06, 0.0), 52: (-0.02, 0.0), 55: (-0.06, 0.0), 56: (-0.025, 0.0),
         64: (-0.08, 0.005), 63: (-0.025, 0.0), 65: (-0.025, 0.0)},
    25: {51: (0.0, -0.012), 52: (0.0, -0.014), 62: (0.0, -0.022), 63: (0.0, -0.020),
         66: (0.0, 0.065), 65: (0.0, 0.055), 57: (0.0, 0.060), 56: (0.0, 0.055), 55: (0.0, 0.030),
         8: (0.0, 0.015)},
    26: {8: (0.0, 0.20), 9: (0.0, 0.195), 10: (-0.005, 0.165), 11: (-0.015, 0.115), 12: (-0.015, 0.06),
         13: (-0.01, 0.02), 54: (-0.025, 0.065), 64: (-0.025, 0.065), 53: (-0.015, 0.025), 55: (-0.015, 0.12),
         56: (-0.005, 0.185), 57: (0.0, 0.195), 65: (-0.005, 0.185), 66: (0.0, 0.195)},
}  # fmt: skip

# How much of a lip's height is left at full activation.
_THINNING = {20: 0.72, 23: 0.42, 24: 0.38, 12: 0.86, 15: 0.92}
_OUTER_LIPS = [49, 50, 51, 52, 53, 55, 56, 57, 58, 59]
_INNER_LIPS = [61, 61, 62, 63, 63, 65, 65, 66, 67, 67]  # where the lip at the outer point begins
_LIP_HALF = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0], np.float32)  # 0 left, 1 right
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower

PIVOT_DEPTH = 0.45  # the head turns about a vertical line this far in front of the ears
CAMERA_DISTANCE = 7.0


@lru_cache(maxsize=128)
def neutral_points(identity: Identity) -> Points:
    """The subject's face at rest, not to be written to: (68, 2)."""
    points = _average_points().astype(np.float64)
    _shape_outline(points, identity)
    _shape_brows(points, identity)
    _shape_eyes(points, identity)
    _shape_nose(points, identity)
    _shape_mouth(points, identity)
    at_rest = points.astype(np.float32)
    at_rest.flags.writeable = False
    return at_rest


def move_points(neutral: Points, activations: NDArray[np.float32], blink: float = 0.0) -> Points:
    """The face `neutral` with action units at work: (68, 2).

    Shapes: activations (17, 2): FACE_AUS by the halves of the face at the left and right of the image, 0..1.
    """
    left, right = _moves()
    points = neutral + (activations[:, 0] @ left + activations[:, 1] @ right).reshape(68, 2)
    _thin_lips(points, activations)
    _close_mouth(points)
    _open_lids(points, blink)
    return points.astype(np.float32)


@dataclass(frozen=True)
class Relief:
    """Depth of a head over its frontal plane: a rounded block with a nose."""

    nose_y: float
    nose_height: float

    def depth(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        """Z in face units at (x, y); about 0.8 between the eyes, 0.1 at the ears."""
        skull = 0.80 - 0.62 * x * x - 0.17 * (y - 0.15) ** 2
        nose = 0.27 * self.nose_height * np.exp(-((x / 0.21) ** 2) - ((y - self.nose_y) / 0.30) ** 2)
        return np.asarray(np.maximum(skull, -0.35) + nose, np.float32)


def relief_of(identity: Identity) -> Relief:
    """The depth of this subject's head."""
    return Relief(nose_y=0.45 * identity.nose_length, nose_height=identity.nose_height)


@dataclass(frozen=True)
class Camera:
    """Face units to pixels of a square image of side `size`, for one relief and one pose.

    Pixel coordinates are (x, y) with the first pixel's centre at (0, 0).
    """

    relief: Relief
    pose: Pose
    size: float

    def project(self, points: Points, lift: float | Points = 0.0) -> Points:
        """Pixels of points on the head's surface, or `lift` above it: (n, 2) -> (n, 2)."""
        x, y = points[:, 0], points[:, 1]
        return self._project(x, y, self.relief.depth(x, y) + lift)

    def _project(self, x: Points, y: Points, z: Points) -> Points:
        r = rotation(self.pose)
        z = z - PIVOT_DEPTH
        away = CAMERA_DISTANCE - (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z)
        zoom = self.pose.scale * self.size * CAMERA_DISTANCE / away
        pixels = np.empty((len(x), 2), np.float32)
        pixels[:, 0] = (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z) * zoom + self.pose.x * self.size - 0.5
        pixels[:, 1] = (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z) * zoom + self.pose.y * self.size - 0.5
        return pixels

    def unproject_grid(self, cells: int) -> tuple[Points, Points]:
        """Face-unit x and y seen at the centres of `cells` x `cells` equal squares of the image.

        Solved by iteration: the rotation of the frontal plane is undone, with the depths of the last guess.
        """
        r = rotation(self.pose)
        centres = ((np.arange(cells, dtype=np.float32) + 0.5) / cells).astype(np.float32)
        u = (centres[None, :] - self.pose.x) / self.pose.scale
        v = (centres[:, None] - self.pose.y) / self.pose.scale
        determinant = r[0, 0] * r[1, 1] - r[0, 1] * r[1, 0]
        x, y = np.broadcast_to(u, (cells, cells)), np.broadcast_to(v, (cells, cells))
        for _ in range(3):
            z = self.relief.depth(x, y) - PIVOT_DEPTH
            zoom = 1.0 - (r[2, 0] * x + r[2, 1] * y + r[2, 2] * z) / CAMERA_DISTANCE
            right, down = u * zoom - r[0, 2] * z, v * zoom - r[1, 2] * z
            x = (r[1, 1] * right - r[0, 1] * down) / determinant
            y = (r[0, 0] * down - r[1, 0] * right) / determinant
        return x.astype(np.float32), y.astype(np.float32)


@lru_cache(maxsize=64)
def rotation(pose: Pose) -> NDArray[np.float32]:
    """Head to camera: (3, 3)."""
    (cy, cp, cr), (sy, sp, sr) = (
        np.cos([pose.yaw, pose.pitch, pose.roll]),
        np.sin([pose.yaw, pose.pitch, pose.roll]),
    )
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(tilt @ nod @ turn, np.float32)


@cache
def spline(count: int, steps: int, closed: bool = False) -> NDArray[np.float32]:
    """Matrix from `count` points to a Catmull-Rom curve through them with `steps` points per stretch."""
    stretches = count if closed else count - 1
    rows = np.zeros((stretches * steps + (not closed), count))
    for row in range(len(rows)):
        stretch, t = min(row // steps, stretches - 1), row / steps - min(row // steps, stretches - 1)
        weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3)
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
            index = stretch + offset
            rows[row, index % count if closed else min(max(index, 0), count - 1)] += 0.5 * weight
    return rows.astype(np.float32)


def curve(points: Points, steps: int = 4, closed: bool = False) -> Points:
    """A smooth curve through points: (n, 2) -> (m, 2)."""
    return np.asarray(spline(len(points), steps, closed) @ points, np.float32)


def outline(points: Points, identity: Identity) -> Points:
    """The closed outline of jaw and skull: (n, 2)."""
    return np.asarray(spline(26, 3, closed=True) @ np.vstack([points[:17], _skull(identity)]), np.float32)


@lru_cache(maxsize=128)
def _skull(identity: Identity) -> Points:
    """Upper outline from the right temple over the top to the left one: (9, 2)."""
    half = np.array([(1.0, -0.35), (0.93, -0.72), (0.70, -1.06), (0.37, -1.27)], np.float32)
    half = half * np.array([identity.face_width, 1.0 + 0.5 * identity.forehead], np.float32)
    top = np.array([[0.0, -1.33 - identity.forehead]], np.float32)
    return np.vstack([half, top, mirrored(half)[::-1]]).astype(np.float32)


# Name -> the points a smooth line runs through.
_LINES: dict[str, tuple[int, ...]] = {
    "left eye above": (36, 37, 38, 39), "left eye below": (39, 40, 41, 36),
    "right eye above": (42, 43, 44, 45), "right eye below": (45, 46, 47, 42),
    "left brow": (21, 20, 19, 18, 17), "right brow": (22, 23, 24, 25, 26), "nose": (31, 32, 33, 34, 35),
    "upper lip": (48, 49, 50, 51, 52, 53, 54), "lower lip": (54, 55, 56, 57, 58, 59, 48),
    "mouth above": (60, 61, 62, 63, 64), "mouth below": (64, 65, 66, 67, 60),
}  # fmt: skip


def trace(points: Points) -> dict[str, Points]:
    """The smooth lines of eyes, brows, nose and mouth through the 68 points: name -> (n, 2)."""
    matrix, cuts = _tracing()
    lines = matrix @ points
    return {name: lines[start:stop] for name, (start, stop) in cuts.items()}


@cache
def _tracing() -> tuple[NDArray[np.float32], dict[str, tuple[int, int]]]:
    blocks, cuts, start = [], {}, 0
    for name, indices in _LINES.items():
        block = np.zeros((3 * (len(indices) - 1) + 1, 68), np.float32)
        block[:, list(indices)] = spline(len(indices), 3, closed=False)
        blocks.append(block)
        cuts[name] = (start, start + len(block))
        start += len(block)
    return np.vstack(blocks), cuts


def mirrored(points: Points) -> Points:
    """Points reflected in the face's axis: (n, 2)."""
    return points * np.array([-1.0, 1.0], np.float32)


@cache
def _average_points() -> Points:
    points = np.zeros((68, 2), np.float32)
    for index, (x, y) in _AVERAGE.items():
        points[index] = x, y
        points[MIRROR[index]] = -x, y
    return points


@cache
def _moves() -> tuple[Points, Points]:
    """Displacements (17, 136) by the left and the right half; points on the axis take half of each."""
    right = np.zeros((len(FACE_AUS), 68, 2), np.float32)
    for row, unit in enumerate(FACE_AUS):
        for point, move in _MOVES[unit].items():
            right[row, point] = np.multiply(move, 0.5 if MIRROR[point] == point else 1.0)
    left = right[:, MIRROR] * np.array([-1.0, 1.0], np.float32)
    return left.reshape(len(FACE_AUS), -1).astype(np.float32), right.reshape(len(FACE_AUS), -1)


def _shape_outline(points: NDArray[np.float64], identity: Identity) -> None:
    jaw = points[:17]
    lower = np.clip((jaw[:, 1] - 0.2) / 1.0, 0.0, 1.0)
    jaw[:, 0] *= identity.face_width * (1.0 + (identity.jaw_width - 1.0) * lower)
    jaw[:, 1] += identity.chin_length * np.clip((jaw[:, 1] - 0.6) / 0.8, 0.0, 1.0)


def _shape_brows(points: NDArray[np.float64], identity: Identity) -> None:
    brows = points[17:27]
    outward = (np.abs(brows[:, 0]) - 0.45) / 0.3
    arch = np.array([0.0, 0.6, 1.0, 0.7, 0.0] * 2)
    brows[:, 1] += (
        identity.brow_height - identity.brow_tilt * outward - 0.05 * (identity.brow_arch - 1.0) * arch
    )
    brows[:, 0] += np.sign(brows[:, 0]) * identity.eye_spacing


def _shape_eyes(points: NDArray[np.float64], identity: Identity) -> None:
    eyes = points[36:48]
    side = np.sign(eyes[:, 0])
    x = np.abs(eyes[:, 0]) - 0.43
    eyes[:, 1] *= identity.eye_size * identity.eye_opening
    eyes[:, 1] += identity.eye_tilt * x / 0.2
    eyes[:, 0] = side * (0.43 + identity.eye_spacing + x * identity.eye_size)


def _shape_nose(points: NDArray[np.float64], identity: Identity) -> None:
    nose = points[27:36]
    nose[:, 0] *= identity.nose_width
    nose[:, 1] *= identity.nose_length


def _shape_mouth(points: NDArray[np.float64], identity: Identity) -> None:
    mouth = points[48:68]
    x, y = mouth[:, 0] * identity.mouth_width, mouth[:, 1] - 0.86
    lip = np.where(y < 0, identity.upper_lip, identity.lower_lip)
    line = identity.mouth_curve * ((x / 0.36) ** 2 - 0.3)
    mouth[:, 0] = x
    mouth[:, 1] = 0.87 + identity.mouth_height + 0.3 * identity.chin_length + y * lip + line


def _thin_lips(points: Points, activations: NDArray[np.float32]) -> None:
    """Bring the outer edges of the lips closer to where the lips meet."""
    left, right = (1.0 - _thinning()[:, None] * activations).prod(axis=0)
    share = left + (right - left) * _LIP_HALF
    inner = points[_INNER_LIPS, 1]
    points[_OUTER_LIPS, 1] = inner + (points[_OUTER_LIPS, 1] - inner) * share


@cache
def _thinning() -> NDArray[np.float32]:
    """The share of a lip's height that each unit takes away: (17,)."""
    return np.array([1.0 - _THINNING.get(unit, 1.0) for unit in FACE_AUS], np.float32)


def _close_mouth(points: Points) -> None:
    """Lips meet, they do not cross."""
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        if points[lower, 1] < points[upper, 1]:
            points[[upper, lower], 1] = points[[upper, lower], 1].mean()


def _open_lids(points: Points, blink: float) -> None:
    for upper, lower in _LIDS:
        opening = max(float(points[lower, 1] - points[upper, 1]), 0.035) * (1.0 - 0.9 * blink)
        points[upper, 1] = points[lower, 1] - opening
