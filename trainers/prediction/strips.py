"""A clip as a picture: its frames in rows, under each the gates of frame attention and its part in the whole, as bars.

Source: the figure of Emotion-FAN's repository (Meng et al., 2019), which shows frames so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.opencv import cv2
from netcfg.trainers.prediction.answers import Values
from netcfg.trainers.prediction.cells import sentence
from netcfg.trainers.prediction.clips import THUMB, evenly
from netcfg.trainers.prediction.prediction import Prediction, SeenClip

Picture = NDArray[np.uint8]

MOST_SHOWN = 48
COLUMNS = 12
GAP, BAR, LINE = 8, 60, 18
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_PAPER, _INK, _GROUND = (250, 250, 250), (45, 45, 45), (232, 232, 232)
_GATES = ((31, 119, 180), (148, 103, 189), (44, 160, 44))
_WEIGHT = (255, 127, 14)


def strip(prediction: Prediction) -> Picture:
    """The picture of a clip, RGB. A gate's bar is full at 1, that of a frame's part at the largest part of a frame.

    Of more than 48 frames that were seen so many are shown, evenly spaced.
    """
    clip = prediction.clip
    assert clip is not None
    shown = list(range(len(clip.numbers)))
    if len(shown) > MOST_SHOWN:
        shown = evenly(len(shown), MOST_SHOWN)
    bars = _bars(clip)
    lines = [f"{prediction.file}, {len(shown)} of {clip.frames} frames"]
    lines += [sentence(answer, values) for answer, values in prediction.answers]
    columns = min(COLUMNS, len(shown))
    cell_height = THUMB + LINE + (BAR + GAP if bars else 0) + GAP
    head = GAP + LINE * (len(lines) + (1 if bars else 0)) + GAP
    width = max(columns * (THUMB + GAP) + GAP, 480)
    sheet = np.full((head + -(-len(shown) // columns) * cell_height, width, 3), _PAPER, np.uint8)
    for place, line in enumerate(lines):
        _write(sheet, line, GAP, GAP + place * LINE + 13)
    if bars:
        _legend(sheet, bars, GAP + len(lines) * LINE)
    for place, frame in enumerate(shown):
        row, column = divmod(place, columns)
        _frame(sheet, clip, frame, bars, head + row * cell_height, GAP + column * (THUMB + GAP))
    return sheet


def _bars(clip: SeenClip) -> list[tuple[str, Values, tuple[int, int, int]]]:
    """Names, lengths from 0 to 1 for each frame, and colours."""
    found = [
        (name, values, _GATES[place % len(_GATES)]) for place, (name, values) in enumerate(clip.gates.items())
    ]
    if clip.weights is not None:
        most = float(clip.weights.max()) or 1.0
        found.append((f"part in the whole (full bar: {most:.3f})", clip.weights / most, _WEIGHT))
    return found


def _legend(sheet: Picture, bars: list[tuple[str, Values, tuple[int, int, int]]], top: int) -> None:
    left = GAP
    for name, _, colour in bars:
        cv2.rectangle(sheet, (left, top + 4), (left + 10, top + 14), colour, cv2.FILLED)
        _write(sheet, name, left + 16, top + 13)
        left += 16 + cv2.getTextSize(name, _FONT, _SIZE, 1)[0][0] + 2 * GAP


def _frame(
    sheet: Picture,
    clip: SeenClip,
    frame: int,
    bars: list[tuple[str, Values, tuple[int, int, int]]],
    top: int,
    left: int,
) -> None:
    picture = clip.pictures[frame]
    height, width = picture.shape[:2]
    down, right = top + (THUMB - height) // 2, left + (THUMB - width) // 2
    sheet[down : down + height, right : right + width] = picture
    _write(sheet, str(clip.numbers[frame]), left, top + THUMB + 13)
    if not bars:
        return
    base = top + THUMB + LINE + BAR
    side = (THUMB - GAP * (len(bars) - 1)) // len(bars)
    for place, (_, values, colour) in enumerate(bars):
        start = left + place * (side + GAP)
        value = float(np.clip(np.nan_to_num(values[frame]), 0, 1))
        cv2.rectangle(sheet, (start, base - BAR), (start + side - 1, base), _GROUND, cv2.FILLED)
        cv2.rectangle(sheet, (start, base - round(BAR * value)), (start + side - 1, base), colour, cv2.FILLED)


def _write(sheet: Picture, text: str, left: int, base: int) -> None:
    room = (sheet.shape[1] - left) // 7
    text = text if len(text) <= room else f"{text[: max(0, room - 2)]}.."
    plain = text.encode("ascii", "replace").decode()  # what OpenCV's font has
    cv2.putText(sheet, plain, (left, base), _FONT, _SIZE, _INK, 1, cv2.LINE_AA)
