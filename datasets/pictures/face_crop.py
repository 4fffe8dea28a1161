"""A face cut out of a frame by its landmarks: eyes levelled, a square with some room around, one size."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.source import NetcfgError, shown_path

# The points of the two eyes, by how many points a scheme has: 68 of iBUG, 66 without inner mouth corners, 49
# without the jaw.
EYES = {68: (36, 42), 66: (36, 42), 51: (19, 25), 49: (19, 25)}
EYE_POINTS = 6
WIDER, HIGHER = 1.2, 1.3

_MATRIX, _COMPRESSED = 14, 15  # MATLAB's types of data elements
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MOST_BYTES = 16 * 1024**2


def crop_face(picture: NDArray[np.uint8], points: NDArray[Any] | None, size: int) -> NDArray[np.uint8]:
    """The face, `size`×`size`. `points` N×2 (x, y) in pixels; None: the middle of the frame, as it stands.

    Source: AUDetNet's preparation of DISFA: rotated (bicubic) until the eyes are level, the points' box 1.2 times
    as wide and 1.3 times as high, made square, kept inside the frame.
    """
    from netcfg.datasets.pictures.opencv import cv2

    height, width = picture.shape[:2]
    if points is None:
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
    else:
        matrix = levelling(points)
        picture = cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        left, top, side = face_square(points @ matrix[:, :2].T + matrix[:, 2], width, height)
    face = picture[top : top + side, left : left + side]
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (size, size), interpolation=method))


def levelling(points: NDArray[Any]) -> NDArray[np.float64]:
    """The 2×3 matrix that turns a frame about the middle of the eyes until these are level.

    Raises `NetcfgError` for a number of points whose eyes are not known.
    """
    if len(points) not in EYES:
        known = ", ".join(map(str, EYES))
        raise NetcfgError(f"there are {len(points)} landmarks, and eyes are known of {known}", code="NC505")
    left, right = (points[start : start + EYE_POINTS].mean(0) for start in EYES[len(points)])
    across, down = right - left
    length = float(np.hypot(across, down))
    # Eyes in one place say nothing of a turn: as it stands, or every pixel would become that place.
    cos, sin = (across / length, down / length) if length else (1.0, 0.0)
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = (left + right) / 2
    return np.column_stack([turn, middle - turn @ middle])


def face_square(points: NDArray[Any], width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of the square around points, inside a frame of `width`×`height`."""
    least, most = points.min(0), points.max(0)
    side = min(round(max((most[0] - least[0]) * WIDER, (most[1] - least[1]) * HIGHER)), width, height)
    side = max(side, 1)
    corner = np.rint((least + most) / 2 - side / 2)
    left, top = np.clip(corner, 0, [width - side, height - side]).astype(int).tolist()
    return left, top, side


# --- landmark files -----------------------------------------------------------------------------------------


def read_landmarks(path: Path) -> NDArray[np.float64]:
    """The points N×2 of a .pts file, a MATLAB .mat file (its first N×2 matrix), a numpy array, or lines `x y`.

    Errors: `NetcfgError` where there are none.
    """
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".npy":
            # Never objects: these would be a pickle, which runs what it holds.
            points = np.load(io.BytesIO(data), allow_pickle=False).astype(np.float64)
            return _expected(points, path)
        points = _from_matlab(data) if path.suffix.lower() == ".mat" else _from_text(data.decode("ascii"))
    except (OSError, ValueError, IndexError, KeyError, struct.error, zlib.error):
        points = np.zeros((0, 2))
    return _expected(points, path)


def _expected(points: NDArray[Any], path: Path) -> NDArray[np.float64]:
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise NetcfgError(f"{shown_path(path)} holds no landmarks that netcfg can read", code="NC505")
    return points


def _from_text(text: str) -> NDArray[np.float64]:
    """Lines `x y` (or `x,y`); in .pts files between braces, after a head of `key: value`."""
    body = text.partition("{")[2].partition("}")[0] if "{" in text else text
    return np.array(
        [
            [float(cell) for cell in line.replace(",", " ").split()]
            for line in body.split("\n")
            if line.strip()
        ]
    )


def _from_matlab(data: bytes) -> NDArray[np.float64]:
    """The first matrix of two columns in a MATLAB 5 file (which begins with 128 bytes of head)."""
    if data[126:128] != b"IM":
        raise ValueError("not little-endian MATLAB 5")
    for kind, body in _elements(data[128:]):
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            kind, body = next(_elements(unpacker.decompress(body, _MOST_BYTES)))
        if kind == _MATRIX:
            # Flags, sizes, name, numbers: the parts of a matrix, which stands by columns.
            (_, _), (_, sizes), _, (numbers, values), *_ = _elements(body)
            shape = struct.unpack(f"<{len(sizes) // 4}i", sizes)
            matrix = np.frombuffer(values, "<" + _NUMBERS[numbers]).reshape(shape, order="F")
            if matrix.ndim == 2 and 2 in shape:
                return (matrix if shape[1] == 2 else matrix.T).astype(np.float64)
    raise ValueError("no matrix")


def _elements(data: bytes) -> Any:
    """The data elements in a row: type, bytes."""
    place = 0
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<II", data, place)
        if kind >> 16:  # a short one: type and length in four bytes, up to four bytes of data after them
            yield kind & 0xFFFF, data[place + 4 : place + 4 + (kind >> 16)]
            place += 8
        else:
            yield kind, data[place + 8 : place + 8 + length]
            # Filled up to eight bytes, but for compressed ones.
            place += 8 + (length if kind == _COMPRESSED else -(-length // 8) * 8)
