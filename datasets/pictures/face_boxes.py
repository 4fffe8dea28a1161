"""Where the face is in a frame: boxes made beforehand, or found from landmarks; moved, clipped, cut out.

A box is (row0, row1, column0, column1) in whole pixels, the second of each pair outside, as slices count.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.face_crop import face_square
from netcfg.source import NetcfgError, shown_path

Box = tuple[int, int, int, int]
Picture = NDArray[np.uint8]

# How often an eighth of the box's width it moves to the right, and of its height down.
JITTERS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1))
JITTER_SHARE = 8


def read_box(path: Path) -> Box:
    """The box of a file of four lines: row0, row1, column0, column1. Raises `NetcfgError`."""
    try:
        words = path.read_text(encoding="ascii").replace(",", " ").split()
        row0, row1, column0, column1 = (int(float(word)) for word in words)
    except (OSError, ValueError, OverflowError):
        raise NetcfgError(
            f"{shown_path(path)} is no face box\nhelp: four lines: first row, last row, first column, last column",
            code="NC505",
        ) from None
    if row1 <= row0 or column1 <= column0:
        raise NetcfgError(
            f"{shown_path(path)} holds an empty box: rows {row0} to {row1}, columns {column0} to {column1}",
            code="NC505",
        )
    return row0, row1, column0, column1


def jittered_box(box: Box, jitter: int) -> Box:
    """The box moved by an eighth of its sides: right, left, down, up, right and down, right and up (0 to 5)."""
    row0, row1, column0, column1 = box
    across, down = JITTERS[jitter]
    across *= (column1 - column0) // JITTER_SHARE
    down *= (row1 - row0) // JITTER_SHARE
    return row0 + down, row1 + down, column0 + across, column1 + across


def clipped_box(box: Box, height: int, width: int) -> Box | None:
    """What of the box lies in the frame; None where nothing does."""
    row0, row1, column0, column1 = box
    clipped = max(row0, 0), min(row1, height), max(column0, 0), min(column1, width)
    return clipped if clipped[0] < clipped[1] and clipped[2] < clipped[3] else None


def square_around(points: NDArray[Any], height: int, width: int) -> Box:
    """The square around landmarks N×2 (x, y), with some room, inside the frame."""
    left, top, side = face_square(points, width, height)
    return top, top + side, left, left + side


def middle_square(height: int, width: int) -> Box:
    """The largest square in the middle of a frame."""
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return top, top + side, left, left + side


def cut_out(frame: Picture, box: Box | None, size: int | tuple[int, int], nearest: bool = False) -> Picture:
    """The box's part of a frame (None: all of it) at a size: its side, or (height, width).

    `nearest` takes pixels as they are, as flow wants it, and mixes none.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if box is not None:
        frame = frame[box[0] : box[1], box[2] : box[3]]
    if frame.shape[:2] == (height, width):
        return frame
    from netcfg.datasets.pictures.opencv import cv2

    shrinks = frame.shape[0] > height or frame.shape[1] > width
    method = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=method))
