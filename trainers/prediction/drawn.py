"""Masks, points and made pictures at the size of the frame they belong to.

Pictures are uint8 RGB H×W×3. Legend: K classes or points, C channels.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from netcfg.datasets.pictures.opencv import cv2
from netcfg.trainers.prediction.answers import Values
from netcfg.trainers.prediction.cells import bands, points_in_frame
from netcfg.trainers.prediction.prediction import Prediction
from netcfg.trainers.reporting.examples import class_colour
from netcfg.trainers.reporting.heat import with_heat

Picture = NDArray[np.uint8]

_STRENGTH = 0.5
_POINT, _RIM = (235, 60, 60), (255, 255, 255)
_MOST_BYTE = 256
_CELL, _TITLE, _ACROSS = 192, 18, 4
"""Of a sheet of maps: the longer side of a picture, the line above it, how many stand in a row."""


def class_map(
    shares: Values, height: int, width: int, box: tuple[float, float, float, float] | None = None
) -> NDArray[np.uint16]:
    """The likeliest class at each pixel of a frame: shares (K, h, w) are enlarged first, so that edges are smooth.

    `box` is the part of the frame that was seen (see `Answer.box`); the first class stands beyond it. A band of rows at
    a time, as a frame may be a hundred times the size of what a network saw. Classes of a frame's own size (H×W), as
    tiles give them, stay.
    """
    if shares.ndim == 2:
        return shares.astype(np.uint16)
    left, top, right, bottom = box or (0, 0, width, height)
    before, behind, across, seen_across = _between(width, shares.shape[2], left, right)
    above, below, down, seen_down = _between(height, shares.shape[1], top, bottom)
    shares = shares.astype(np.float32)
    wide = shares[:, :, before] * (1 - across) + shares[:, :, behind] * across
    classes = np.zeros((height, width), np.uint16)
    for rows in bands(height, width * len(shares)):
        part = down[rows, None]
        mixed = wide[:, above[rows]] * (1 - part) + wide[:, below[rows]] * part
        classes[rows] = mixed.argmax(0)
    if box is not None:
        classes[~seen_down] = 0
        classes[:, ~seen_across] = 0
    return classes


def _between(
    size: int, places: int, start: float, end: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
    """Between which places of a map, which reaches from `start` to `end`, each pixel of a side lies, and how far along.

    As bilinear scaling has it; and whether the pixel's middle is within.
    """
    middles = np.arange(size) + 0.5
    found = ((middles - start) / (end - start) * places - 0.5).clip(0, places - 1)
    low = found.astype(np.int64)
    return (
        low,
        np.minimum(low + 1, places - 1),
        (found - low).astype(np.float32),
        (middles >= start) & (middles <= end),
    )


def mask_png(classes: NDArray[np.uint16]) -> bytes:
    """A picture whose numbers are the classes, with a colour for each to look at; more than 256 are grey, 16 bits."""
    from PIL import Image

    if int(classes.max(initial=0)) >= _MOST_BYTE:
        return png_of(classes)
    picture = Image.fromarray(classes.astype(np.uint8), "P")
    picture.putpalette([channel for number in range(_MOST_BYTE) for channel in class_colour(number)])
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def laid_over(picture: Picture, classes: NDArray[np.uint16]) -> Picture:
    """A frame with a colour for each class but the first laid over it."""
    colours = np.array([class_colour(number) for number in range(int(classes.max(initial=0)) + 1)], np.uint8)
    drawn = picture.copy()
    for rows in bands(*classes.shape):
        mixed = cv2.addWeighted(picture[rows], 1 - _STRENGTH, colours[classes[rows]], _STRENGTH, 0)
        there = classes[rows] > 0
        drawn[rows][there] = mixed[there]
    return drawn


def with_points(picture: Picture, points: Values) -> Picture:
    """A frame with points (K, 2), x and y in its pixels, drawn in; those that are no numbers are left out."""
    drawn = picture.copy()
    radius = max(1, round(max(picture.shape[:2]) / 150))
    for x, y in points[np.isfinite(points).all(1)].clip(-1e6, 1e6):
        place = round(float(x)), round(float(y))
        if radius > 1:
            cv2.circle(drawn, place, radius + 1, _RIM, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(drawn, place, radius, _POINT, cv2.FILLED, cv2.LINE_AA if radius > 1 else cv2.LINE_8)
    return drawn


def made_picture(colours: Values) -> Picture:
    """Colours (C, H, W) from 0 to 1, or bytes, as a picture; what is no number is black."""
    bytes_ = (
        colours
        if colours.dtype == np.uint8
        else (np.nan_to_num(colours).clip(0, 1) * 255).round().astype(np.uint8)
    )
    return np.ascontiguousarray(np.broadcast_to(bytes_, (3, *bytes_.shape[1:])).transpose(1, 2, 0))


def seen_part(picture: Picture, box: tuple[float, float, float, float] | None) -> Picture:
    """What a network saw of a frame (see `Answer.box`), black where that reaches beyond."""
    if box is None:
        return picture
    left, top, right, bottom = (round(edge) for edge in box)
    height, width = picture.shape[:2]
    inner = picture[max(top, 0) : bottom, max(left, 0) : right]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    return np.asarray(cv2.copyMakeBorder(inner, *beyond, cv2.BORDER_CONSTANT), np.uint8)


def heat_sheet(picture: Picture, names: Sequence[str], maps: Values) -> Picture:
    """A frame once for each map (A, h, w), which is laid over it, with its name and its mean; in rows of four."""
    shown = _at_most(picture, _CELL)
    colours = torch.from_numpy(shown).movedim(-1, 0).float() / 255
    cells = []
    for name, heat in zip(names, maps, strict=True):
        drawn = with_heat(colours, torch.from_numpy(np.ascontiguousarray(heat)))
        cell = np.ascontiguousarray((drawn * 255).round().to(torch.uint8).movedim(0, -1).numpy())
        title = np.full((_TITLE, cell.shape[1], 3), 250, np.uint8)
        text = f"{name} {float(heat.mean()):+.2f}"
        cv2.putText(
            title, text, (4, _TITLE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (45, 45, 45), 1, cv2.LINE_AA
        )
        cells.append(np.concatenate([title, cell]))
    across = min(_ACROSS, len(cells))
    cells += [np.full_like(cells[0], 250)] * (-len(cells) % across)
    rows = [np.concatenate(cells[start : start + across], 1) for start in range(0, len(cells), across)]
    return np.concatenate(rows)


def _at_most(picture: Picture, side: int) -> Picture:
    """A picture with sides of about as many pixels, larger ones made smaller and small ones larger."""
    factor = side / max(picture.shape[:2])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def drawn_in(prediction: Prediction) -> Picture:
    """The frame with its masks laid over and its points drawn in."""
    picture = prediction.frame.image
    for answer, values in prediction.answers:
        if answer.kind == "mask":
            picture = laid_over(picture, class_map(values, picture.shape[0], picture.shape[1], answer.box))
        elif answer.kind == "points":
            picture = with_points(picture, points_in_frame(answer, values, prediction))
    return picture


def png_of(picture: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A picture, RGB or of one channel, as the content of a PNG file."""
    stored = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    return bytes(cv2.imencode(".png", stored)[1].tobytes())
