"""Areas and lines in face units that are put under the camera and painted in one go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.geometry import Camera, Points
from netcfg.datasets.faces.identity import Colour
from netcfg.datasets.pictures.opencv import cv2

Image = NDArray[np.uint8]
Pixels = NDArray[np.int32]

_SHIFT = 4
_UNIT = 1 << _SHIFT


@dataclass(frozen=True)
class _Mark:
    """An area (width 0), or lines of equal length, colour and width in face units."""

    count: int
    colour: Colour
    width: float
    closed: bool


class Sketch:
    """Areas and lines on a head, painted in the order in which they were added.

    Shapes: outlines (n, 2) and bundles of lines (lines, n, 2), in face units. `lift` is the height above the
    head's surface, `width` that of the line.
    """

    def __init__(self) -> None:
        self._points: list[Points] = []
        self._lengths: list[int] = []
        self._lifts: list[float] = []
        self._marks: list[_Mark] = []

    def area(self, outline: Points, colour: Colour, lift: float = 0.0) -> None:
        """Fill a closed outline."""
        self._add(_Mark(1, colour, 0.0, True), outline, lift)

    def line(
        self, line: Points, colour: Colour, width: float, *, closed: bool = False, lift: float = 0.0
    ) -> None:
        """Draw one line."""
        self._add(_Mark(1, colour, width, closed), line, lift)

    def lines(
        self, lines: Points, colour: Colour, width: float, *, closed: bool = False, lift: float = 0.0
    ) -> None:
        """Draw a bundle of lines."""
        self._add(_Mark(len(lines), colour, width, closed), lines.reshape(-1, 2), lift)

    def extend(self, other: "Sketch") -> None:
        """Paint another sketch on top."""
        self._points += other._points
        self._lengths += other._lengths
        self._lifts += other._lifts
        self._marks += other._marks

    def paint(self, image: Image, camera: Camera) -> None:
        """Paint everything into `image`, in place."""
        lifts = np.repeat(np.array(self._lifts, np.float32), self._lengths)
        pixels = np.rint(camera.project(np.concatenate(self._points), lifts) * _UNIT).astype(np.int32)
        unit = camera.pose.scale * camera.size
        start = 0
        for mark, length in zip(self._marks, self._lengths, strict=True):
            _paint_mark(image, mark, pixels[start : start + length], unit)
            start += length

    def paint_number(self, parts: NDArray[np.uint8], camera: Camera, number: int) -> None:
        """Write a number wherever anything of it shows, in place: whole pixels, nothing between two numbers."""
        if not self._points:
            return
        lifts = np.repeat(np.array(self._lifts, np.float32), self._lengths)
        pixels = np.rint(camera.project(np.concatenate(self._points), lifts) * _UNIT).astype(np.int32)
        start = 0
        for mark, length in zip(self._marks, self._lengths, strict=True):
            if not mark.width:
                cv2.fillPoly(parts, [pixels[start : start + length]], number, cv2.LINE_8, _SHIFT)
            start += length

    def _add(self, mark: _Mark, points: Points, lift: float) -> None:
        self._points.append(points)
        self._lengths.append(len(points))
        self._lifts.append(lift)
        self._marks.append(mark)


def _paint_mark(image: Image, mark: _Mark, pixels: Pixels, unit: float) -> None:
    lines = [pixels] if mark.count == 1 else list(pixels.reshape(mark.count, -1, 2))
    if mark.width:
        width = max(1, round(mark.width * unit))
        cv2.polylines(image, lines, mark.closed, mark.colour, width, cv2.LINE_AA, _SHIFT)
    else:
        cv2.fillPoly(image, lines, mark.colour, cv2.LINE_AA, _SHIFT)
