"""Many samples on one picture, each with the action units it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

COLUMNS = 6
CAPTION = 18
GAP = 4
PAPER, INK = 255, 40
_FONT_SCALE, _LETTER = 0.38, 7  # of OpenCV's plain font: height, and about a letter's width in pixels


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], side: int = 160
) -> NDArray[np.uint8]:
    """Pictures (uint8 H×W×3) in rows, each scaled into a square of `side` pixels, its caption below.

    Where all are wider than high, so are the fields.
    """
    rows = -(-len(pictures) // COLUMNS)
    columns = min(COLUMNS, len(pictures))
    height = min(side, max(math.ceil(side * picture.shape[0] / picture.shape[1]) for picture in pictures))
    field = height + CAPTION + GAP
    sheet = np.full((rows * field + GAP, columns * (side + GAP) + GAP, 3), PAPER, np.uint8)
    for place, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        row, column = divmod(place, columns)
        _paste(sheet, picture, caption, GAP + row * field, GAP + column * (side + GAP), side, height)
    return sheet


def _paste(
    sheet: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    caption: str,
    top: int,
    left: int,
    side: int,
    room: int,
) -> None:
    from netcfg.datasets.pictures.opencv import cv2

    scale = min(room / picture.shape[0], side / picture.shape[1])
    height, width = (max(1, round(size * scale)) for size in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    sheet[top : top + height, left : left + width] = cv2.resize(
        np.ascontiguousarray(picture), (width, height), interpolation=method
    )
    most = side // _LETTER
    text = caption if len(caption) <= most else f"{caption[: most - 2]}.."
    place = (left, top + room + CAPTION - 6)
    cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, (INK, INK, INK), 1, cv2.LINE_AA)
