"""The style `volumes`: every box as the feature map it makes, a solid in perspective.

A map of C channels is a slab whose face is as high and as wide as the map and whose thickness stands for its
channels; a vector is a bar. Lengths grow with the square root of sizes, so that a map of 7×7 can be seen beside
one of 224×224. What the block is stands beneath, or above where several lines arrive; in a picture that runs
downwards it stands beside the solid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import sqrt
from typing import Final

from netcfg.draw import style
from netcfg.draw.colours import mixed
from netcfg.draw.layout import Item, Port
from netcfg.draw.marks import paint_of
from netcfg.draw.measure import (
    Line,
    Measured,
    Solid,
    Word,
    box_lines,
    label_width,
    line_width,
    times_text,
    words_of,
)
from netcfg.draw.metrics import ASCENT, fitted, text_width
from netcfg.draw.model import Box, Diagram, Frame, Part
from netcfg.draw.scene import Path, Point, Polygon, Shape
from netcfg.shapes import Shape as Sizes
from netcfg.shapes import Size, show

SIDE: Final = 14.0
"""Side of the largest map, by the square root of its size."""
MOST_SIDE: Final = 112.0
LEAST_SIDE: Final = 7.0
THICKNESS: Final = 0.9
"""Thickness by the square root of the channels."""
MOST_THICKNESS: Final = 44.0
LEAST_THICKNESS: Final = 3.0
BAR: Final = 1.6
"""Length of a vector's bar, by the square root of its features."""
BAR_THICKNESS: Final = 7.0
SLANT: Final = 0.3
"""How far what runs into the depth is drawn to the right and up, by its length."""
MOST_SOLIDS: Final = 3
"""A box that stands for more shows as many solids, and the number in words."""
TEXT_GAP: Final = 6.0
"""From a solid to its text."""
OUTLET: Final = 2.0
"""Width of the bar at the end of a box where lines begin that pass its solid."""
OUTLET_GAP: Final = 2.0
"""From a box's text to that bar."""
UNKNOWN_SIZE: Final = 32
"""An unknown size is drawn as this one."""
LEADING: Final = 1.22
"""From one base line to the next, in sizes of the letters."""
EDGE: Final = 0.8


# --- how large --------------------------------------------------------------------------------------------------


class Scale:
    """Sizes of maps as lengths: the largest map of the whole picture sets the scale."""

    def __init__(self, diagrams: Iterable[Diagram]) -> None:
        sizes = (size for diagram in diagrams for size in _map_sizes(diagram.frame))
        self.largest = max(map(_known, sizes), default=1)
        self.most_side = min(MOST_SIDE, SIDE * sqrt(self.largest))

    def side(self, size: Size) -> float:
        """The length of a side of a map."""
        return max(LEAST_SIDE, self.most_side * sqrt(_known(size) / self.largest))

    def lengths(self, shape: Sizes) -> tuple[float, float, float]:
        """Thickness, height and depth of a signal."""
        if _is_map(shape):
            channels, height, width = shape[-3:]
            thickness = min(max(LEAST_THICKNESS, THICKNESS * sqrt(_known(channels))), MOST_THICKNESS)
            return thickness, self.side(height), self.side(width)
        rows = shape[0] if len(shape) == 2 else 1
        features = 1 if not shape else shape[-1] if len(shape) < 3 else shape[-3]
        length = min(max(LEAST_SIDE, BAR * sqrt(_known(features))), MOST_SIDE)
        return max(BAR_THICKNESS, THICKNESS * sqrt(_known(rows))), length, BAR_THICKNESS


def _is_map(shape: Sizes) -> bool:
    return len(shape) > 2 and shape[-2:] != (1, 1)


def _known(size: Size) -> int:
    return max(size, 1) if isinstance(size, int) else UNKNOWN_SIZE


def _map_sizes(part: Part) -> Iterator[Size]:
    if isinstance(part, Frame):
        for inner in part.parts:
            yield from _map_sizes(inner)
    else:
        shape = shape_of(part)
        yield from shape[-2:] if _is_map(shape) else ()


def shape_of(box: Box) -> Sizes:
    """The shape that a box is drawn as: that of its last signal, which of a backbone's is the deepest."""
    return list(box.shapes.values())[-1] if box.shapes else ()


def solid_of(box: Box, scale: Scale, sideways: bool) -> Solid:
    """A box's solids at the origin."""
    shape = shape_of(box)
    thickness, height, depth = scale.lengths(shape)
    count = min(box.count, MOST_SOLIDS)
    if sideways:
        return Solid(thickness, height, SLANT * depth, count, True)
    width, depth = (depth, height) if _is_map(shape) else (height, depth)
    return Solid(width, thickness, SLANT * depth, count, False)


# --- what stands beside it --------------------------------------------------------------------------------------


def volume_lines(box: Box, with_shape: bool) -> tuple[Line, ...]:
    """A box's text in smaller letters and shorter lines, and beneath it the shape and the number of turns."""
    beside = replace(box, pieces=_short_pieces(box.pieces), heat=None)
    lines = [
        tuple(replace(word, size=word.size * style.VOLUME_TEXT) for word in line)
        for line in box_lines(beside, style.VOLUME_LINE_WIDTH)
    ]
    last = []
    if with_shape and box.shapes:
        text = fitted(show(shape_of(box)), style.VOLUME_SHAPE, style.LABEL_WIDTH)
        last.append(Word(text, style.VOLUME_SHAPE, colour=style.FAINT))
    if box.count > 1:
        last.append(Word(times_text(box.count), style.VOLUME_SHAPE, bold=True))
    return (*lines, tuple(last)) if last else tuple(lines)


def _short_pieces(pieces: list[str]) -> list[str]:
    """A long type apart from its first option: `convolutional`, `3×3`, and so on."""
    if not pieces or text_width(pieces[0], style.TEXT) <= style.VOLUME_LINE_WIDTH:
        return pieces
    words = pieces[0].split()
    first = next((place for place, word in enumerate(words) if place and _has_digit(word)), len(words))
    return [piece for piece in (" ".join(words[:first]), " ".join(words[first:]), *pieces[1:]) if piece]


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _line_height(line: Line) -> float:
    return LEADING * line[0].size


def measured_volume(
    box: Box, labels: list[str], before: bool, scale: Scale, sideways: bool, with_shape: bool
) -> Measured:
    """A box as solids and the text at them; `before` is above them, or left of them."""
    solid = solid_of(box, scale, sideways)
    lines = volume_lines(box, with_shape)
    width = max(map(line_width, lines), default=0.0)
    height = sum(map(_line_height, lines))
    if sideways:
        solid, item = _over_text(solid, width, height, before)
    else:
        solid, item = _beside_text(solid, width, height, before)
    ports = tuple(Port(0.0, label_width(label), style.LABEL_HEIGHT if label else 0.0) for label in labels)
    item = replace(item, ports=ports or (Port(),), spread=True)
    return Measured(box, item, lines, labels=tuple(labels), solid=solid)


def _over_text(solid: Solid, width: float, height: float, before: bool) -> tuple[Solid, Item]:
    """For signals that run to the right: text in the middle under the solids, or `before` them, above."""
    across, along = solid.size[1], solid.size[0]
    whole = max(along, width)
    corner = (whole - along) / 2, height + TEXT_GAP if before else 0.0
    text = whole / 2, 0.0 if before else across + TEXT_GAP
    axis = corner[1] + across / 2
    side = corner[0] + along / 2
    item = Item(whole, across + TEXT_GAP + height, axis, side_top=side)
    return replace(solid, corner=corner, text=text, axis=axis, flush=0.5), item


def _beside_text(solid: Solid, width: float, height: float, before: bool) -> tuple[Solid, Item]:
    """For signals that run downwards: text right of the solids, or `before` them, left."""
    across, along = solid.size
    whole = max(along, height)
    corner = width + TEXT_GAP if before else 0.0, (whole - along) / 2
    text = width if before else across + TEXT_GAP, (whole - height) / 2
    axis = corner[0] + across / 2
    side = corner[1] + along / 2
    item = Item(across + TEXT_GAP + width, whole, axis, side_top=side)
    return replace(solid, corner=corner, text=text, axis=axis, flush=1.0 if before else 0.0), item


# --- how it is drawn --------------------------------------------------------------------------------------------


def volume_shapes(part: Measured, box: Box, x: float, y: float) -> Iterator[Shape]:
    """The solids of a box and its text, the item's upper left corner at (x, y)."""
    solid = part.solid
    assert solid is not None
    shift = part.item.axis - solid.axis
    x, y = (x, y + shift) if solid.sideways else (x + shift, y)
    left, top = x + solid.corner[0], y + solid.corner[1] + solid.slant
    for number in _from_behind(solid):
        step = number * ((solid.width if solid.sideways else solid.height) + style.SOLID_GAP)
        place = (left + step, top) if solid.sideways else (left, top + step)
        yield from _solid(solid, paint_of(box), place, style.MARKED_STROKE if box.mark else EDGE)
    top = y + solid.text[1]
    for line in part.lines:
        base = top + _line_height(line) / 2 + line[0].size * ASCENT / 2
        yield from words_of(line, x + solid.text[0] - solid.flush * line_width(line), base)
        top += _line_height(line)


def _from_behind(solid: Solid) -> Iterable[int]:
    """The order in which solids hide each other: those to the right, and those above, are nearer."""
    return range(solid.count) if solid.sideways else reversed(range(solid.count))


def _solid(solid: Solid, paint: style.Paint, front: Point, edge: float) -> Iterator[Polygon]:
    """The front, the top and the right side; the one that the signals leave by or enter is the lightest."""
    left, top = front
    right, bottom, slant = left + solid.width, top + solid.height, solid.slant
    dark, mid = mixed(paint.fill, paint.stroke, 0.45), mixed(paint.fill, paint.stroke, 0.22)
    upper, side = (mid, paint.fill) if solid.sideways else (paint.fill, mid)
    faces = (
        (((left, top), (left + slant, top - slant), (right + slant, top - slant), (right, top)), upper),
        (
            ((right, top), (right + slant, top - slant), (right + slant, bottom - slant), (right, bottom)),
            side,
        ),
        (((left, top), (right, top), (right, bottom), (left, bottom)), dark),
    )
    for points, fill in faces:
        yield Polygon(points, fill, paint.stroke, edge)


def met(
    points: list[Point], source: Measured, target: Measured, offset: float, corner: Point, sideways: bool
) -> list[Point]:
    """A line from item to item, led on to the solids in them.

    It leaves its source `offset` from the axis; `corner` is the target's upper left one.
    """
    along = 0 if sideways else 1
    first, *_, last = points
    if source.solid is not None and first[1 - along] == points[1][1 - along]:
        points[0] = _leaving(first, offset, source.item, source.solid, along)
    if target.solid is not None:
        before, across = points[-2], 1 - along
        if before[across] == last[across]:
            points[-1] = _moved(last, along, target.solid.corner[along])
        else:
            position = last[along] - corner[along] - target.solid.corner[along]
            inset = _inset(target.solid, position, before[across] < last[across])
            points[-1] = _moved(last, across, inset)
    return points


def _leaving(end: Point, offset: float, item: Item, solid: Solid, along: int) -> Point:
    """Where a line begins that leaves an item at `end`: at the slanted end of its solid, or at the outlet beside it."""
    if _is_beside(offset, solid):
        return _moved(end, along, OUTLET_GAP)
    back = (item.width, item.height)[along] - solid.corner[along] - solid.size[along]
    return _moved(end, along, -back - max(0.0, offset - _reach(solid)[1] + solid.slant))


def _reach(solid: Solid) -> tuple[float, float]:
    """How far the solid reaches from its axis, to the left or upwards, and to the right or downwards."""
    across = 1 if solid.sideways else 0
    before = solid.axis - solid.corner[across]
    return before, solid.size[across] - before


def _is_beside(offset: float, solid: Solid) -> bool:
    """Whether a line that leaves so far from the axis passes the solid: of several signals not all have room at it."""
    before, after = _reach(solid)
    return not -before < offset < after


def outlet(part: Measured, box: Box, x: float, y: float) -> Iterator[Path]:
    """A bar at the end of a box, in its colour, where lines begin that pass its solid: text may stand there."""
    solid, item = part.solid, part.item
    assert solid is not None
    beside = [port.offset for port in item.ports if _is_beside(port.offset, solid)]
    if not beside:
        return
    low, high = min(0.0, *beside) + item.axis, max(0.0, *beside) + item.axis
    if solid.sideways:
        end = x + item.width + OUTLET_GAP
        points = (end, y + low), (end, y + high)
    else:
        end = y + item.height + OUTLET_GAP
        points = (x + low, end), (x + high, end)
    yield Path(points, paint_of(box).stroke, OUTLET)


def _inset(solid: Solid, position: float, from_before: bool) -> float:
    """How far a line from the side has to go on to the slanted outline; none where text stands between."""
    if from_before == solid.text_before:
        return 0.0
    thickness = solid.size[0 if solid.sideways else 1] - solid.slant
    if from_before:
        return max(0.0, min(solid.slant, solid.slant - position))
    return -max(0.0, min(solid.slant, position - thickness))


def _moved(point: Point, axis: int, by: float) -> Point:
    return (point[0] + by, point[1]) if axis == 0 else (point[0], point[1] + by)
