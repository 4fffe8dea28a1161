"""Diagrams to a scene: networks get their places on the page, and everything in them its shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from netcfg.draw import style
from netcfg.draw.alike import gathered
from netcfg.draw.ids import part_ids
from netcfg.draw.insides import inside_of
from netcfg.draw.legend import legend_of
from netcfg.draw.levels import Pin, split
from netcfg.draw.marks import LOOKS, paint_of
from netcfg.draw.measure import (
    WORD_GAP,
    Inside,
    Measured,
    faint_ink,
    frame_title,
    line_height,
    line_width,
    times_text,
)
from netcfg.draw.measure import words_of as words_of
from netcfg.draw.metrics import ASCENT, text_width
from netcfg.draw.model import Box, Diagram, Frame
from netcfg.draw.options import Look
from netcfg.draw.scene import Dot, Group, Path, Point, Rect, Scene, Shape, Text
from netcfg.draw.volumes import Scale, met, outlet, volume_shapes
from netcfg.source import Span

Ids = dict[int, str]
"""The names of boxes and frames, by the identity of the object."""


@dataclass(frozen=True, slots=True)
class Beside:
    """So many of a picture's diagrams that stand together beside the others, under a caption."""

    count: int
    caption: str = ""


def compose(
    diagrams: Sequence[Diagram], title: str = "", look: Look | None = None, groups: Sequence[Beside] = ()
) -> Scene:
    """All networks on one page, each in its frame, in reading order: downwards, then to the right.

    With `groups` those of each are packed by themselves, and stand beside the next ones.
    """
    look = look or Look()
    given = groups or [Beside(len(diagrams))]
    parts = _in_groups(diagrams, given)
    if not look.expand:
        parts = [gathered(part) for part in parts]
    groups = [Beside(len(part), group.caption) for part, group in zip(parts, given, strict=True)]
    diagrams = [diagram for part in parts for diagram in part]
    ids = part_ids(diagrams)
    scale = Scale(diagrams) if look.volumes else None
    insides = [inside_of(diagram.frame, split(diagram), look, scale) for diagram in diagrams]
    edges = [_edge(diagram.frame, look, len(diagrams)) for diagram in diagrams]
    sizes = [
        _network_size(inside, diagram.frame, edge)
        for inside, diagram, edge in zip(insides, diagrams, edges, strict=True)
    ]
    corners, captions, width, height = _beside(sizes, groups, look.is_sideways)
    title_width = text_width(title, style.PAGE_TITLE, bold=True)
    legend = legend_of(diagrams, look, max(width, title_width, style.LEGEND_WIDTH))
    top = style.PAGE_PAD + (style.PAGE_TITLE + style.PAGE_PAD if title else 0.0)
    legend_top = top
    top += legend.height
    page_width = max(width, title_width, legend.width) + 2 * style.PAGE_PAD
    page = ceil(page_width), ceil(height + top + style.PAGE_PAD)
    scene = Scene(*page, title)
    if title:
        y = style.PAGE_PAD + style.PAGE_TITLE * ASCENT
        scene.shapes.append(
            Text(style.PAGE_PAD, y, title, style.PAGE_TITLE, title_width, style.INK, bold=True)
        )
    scene.shapes += legend.shapes(style.PAGE_PAD, legend_top)
    scene.shapes += (
        replace(caption, x=caption.x + style.PAGE_PAD, y=caption.y + top) for caption in captions
    )
    for inside, diagram, size, (x, y), edge in zip(insides, diagrams, sizes, corners, edges, strict=True):
        left, upper, frame = x + style.PAGE_PAD, y + top, diagram.frame
        shapes = tuple(_network(inside, frame, ids, size, left, upper, edge))
        scene.shapes.append(
            Group("network", frame.details, shapes, ids[id(frame)], place=(left, upper, *size))
        )
    return scene


def _in_groups(diagrams: Sequence[Diagram], groups: Sequence[Beside]) -> list[Sequence[Diagram]]:
    parts, first = [], 0
    for group in groups:
        parts.append(diagrams[first : first + group.count])
        first += group.count
    return parts


def _beside(
    sizes: Sequence[Point], groups: Sequence[Beside], rows: bool
) -> tuple[list[Point], list[Text], float, float]:
    """The corners of networks, the captions of groups, and the width and height of all: each group beside the next."""
    corners: list[Point] = []
    captions: list[Text] = []
    along = across = 0.0
    first = 0
    for group in groups:
        inner, width, height = pack(sizes[first : first + group.count], rows)
        first += group.count
        head = style.TITLE + style.PAGE_PAD if group.caption else 0.0
        left, upper = (0.0, along) if rows else (along, 0.0)
        if group.caption:
            wide = text_width(group.caption, style.TITLE, bold=True)
            base = upper + style.TITLE * ASCENT
            captions.append(Text(left, base, group.caption, style.TITLE, wide, style.INK, bold=True))
            width = max(width, wide)
        corners += [(x + left, y + upper + head) for x, y in inner]
        size = (height + head, width) if rows else (width, height + head)
        along, across = along + size[0] + style.PAGE_GAP, max(across, size[1])
    along = max(0.0, along - style.PAGE_GAP)
    return corners, captions, *((across, along) if rows else (along, across))


def pack(sizes: Sequence[Point], rows: bool = False) -> tuple[list[Point], float, float]:
    """Upper left corners of networks in columns, or in rows, and the width and height they take.

    Columns are filled downwards, rows to the right, as far as suits the shape of the page.
    """
    if not rows:
        return _packed(sizes, style.PAGE_SHAPE)
    corners, height, width = _packed([(height, width) for width, height in sizes], 1 / style.PAGE_SHAPE)
    return [(x, y) for y, x in corners], width, height


def _packed(sizes: Sequence[Point], shape: float) -> tuple[list[Point], float, float]:
    """In columns, near to a page that is `shape` as wide as it is high."""
    heights = [height for _, height in sizes]
    limits = {max(heights, default=0.0)}
    for first in range(len(heights)):
        stack = [height + style.PAGE_GAP for height in heights[first : first + 12]]
        limits.update(
            max(max(heights), sum(stack[:count]) - style.PAGE_GAP) for count in range(1, len(stack) + 1)
        )
    trials = [_columns(sizes, limit) for limit in sorted(limits)]
    return min(trials, key=lambda trial: max(trial[1] / shape, trial[2]))


def _columns(sizes: Sequence[Point], limit: float) -> tuple[list[Point], float, float]:
    corners: list[Point] = []
    x = y = right = bottom = 0.0
    for width, height in sizes:
        if y and y + height > limit + 0.01:
            x, y = right + style.PAGE_GAP, 0.0
        corners.append((x, y))
        right, bottom = max(right, x + width), max(bottom, y + height)
        y += height + style.PAGE_GAP
    return corners, right, bottom


# --- frames -------------------------------------------------------------------------------------------------


def network_title(frame: Frame) -> tuple[Text, Text]:
    """The network's name, and its size behind it, at the origin."""
    title = f"{frame.name} {times_text(frame.count)}".rstrip()
    name_width = text_width(title, style.TITLE, bold=True)
    note_width = text_width(frame.note, style.TEXT)
    name = Text(0.0, 0.0, title, style.TITLE, name_width, style.INK, bold=True)
    return name, Text(name_width + 2 * WORD_GAP, 0.0, frame.note, style.TEXT, note_width, style.FAINT)


class _Edge(NamedTuple):
    """What is around a network: whether there is a line, the room inside of it, and that for its name."""

    is_drawn: bool
    pad: float
    header: float
    behind: float


def _edge(frame: Frame, look: Look, networks: int) -> _Edge:
    """A network without an edge has no name where it is alone, but how often it is there."""
    if look.frame:
        behind = style.BEHIND if frame.count > 1 else 0.0
        return _Edge(True, style.NETWORK_PAD, style.NETWORK_HEADER, behind)
    is_named = networks > 1 or frame.count > 1
    return _Edge(False, 0.0, style.NETWORK_HEADER - style.NETWORK_PAD if is_named else 0.0, 0.0)


def _network_size(inside: Inside, frame: Frame, edge: _Edge) -> Point:
    _, note = network_title(frame)
    named = note.x + note.width if edge.header else 0.0
    width = max(inside.placement.width, named) + 2 * edge.pad + edge.behind
    return width, inside.placement.height + edge.header + edge.pad + edge.behind


def _network(
    inside: Inside, frame: Frame, ids: Ids, size: Point, x: float, y: float, edge: _Edge
) -> Iterator[Shape]:
    stroke = LOOKS[frame.mark].colour if frame.mark else style.NETWORK_STROKE
    width, height = size[0] - edge.behind, size[1] - edge.behind
    if edge.behind:
        yield Rect(x + edge.behind, y + edge.behind, width, height, "#ffffff", stroke, style.NETWORK_RADIUS)
    if edge.is_drawn:
        yield Rect(x, y, width, height, "#ffffff", stroke, style.NETWORK_RADIUS)
    title = []
    for text in network_title(frame) if edge.header else ():
        left, base = x + edge.pad + text.x, y + edge.pad + style.TITLE * ASCENT
        title.append(Text(left, base, text.text, text.size, text.width, text.fill, text.bold))
    if title:
        yield Group("header", "", tuple(title), spans=_spans(frame))
    spare = width - inside.placement.width
    yield from _content(inside, ids, x + spare / 2, y + edge.header, 0)


def _frame(part: Measured, frame: Frame, ids: Ids, x: float, y: float, depth: int) -> Iterator[Shape]:
    inside = part.inside
    assert inside is not None
    behind = style.BEHIND if frame.count > 1 else 0.0
    width, height = visible_size(part)
    fill = style.FRAME_FILLS[depth % len(style.FRAME_FILLS)]
    stroke, radius = LOOKS[frame.mark].colour if frame.mark else style.HEADER_STROKE, style.FRAME_RADIUS
    if behind:
        yield Rect(x + behind, y + behind, width, height, style.HEADER_FILL, stroke, radius)
    yield Rect(x, y, width, height, fill, stroke, radius)
    header = LOOKS[frame.mark].fill if frame.mark else style.HEADER_FILL
    bar = Rect(x, y, width, style.HEADER, header, stroke, radius, top_only=True)
    title = frame_title(frame)
    base = y + style.HEADER / 2 + style.TEXT * ASCENT / 2
    words = words_of(title, x + (width - line_width(title)) / 2, base)
    yield Group("header", "", (bar, *words), spans=_spans(frame))
    if inside.sideways:
        left, top = x, y + style.HEADER + style.FRAME_PAD
    else:
        left, top = x + part.item.axis - inside.placement.axis, y + style.HEADER
    yield from _content(inside, ids, left, top, depth + 1)


def _spans(part: Box | Frame) -> tuple[Span, ...]:
    """Where a part is written, the innermost place first."""
    return part.entries[0].spans if part.entries else ()


def _content(inside: Inside, ids: Ids, x: float, y: float, depth: int) -> Iterator[Shape]:
    """Lines, then boxes and frames, then labels."""
    placement = inside.placement
    ends = zip(inside.level.links, inside.level.marks, placement.lines, strict=True)
    for (source, _, target), mark, line in sorted(
        ends, key=lambda end: bool(end[1])
    ):  # marked ones over the others
        member = inside.parts[target].member
        points = [(x + px, y + py) for px, py in line]
        axis = placement.corners[source][inside.sideways] + inside.parts[source].item.axis
        offset = line[0][inside.sideways] - axis
        end = placement.corners[target]
        corner = x + end[0], y + end[1]
        points = met(points, inside.parts[source], inside.parts[target], offset, corner, inside.sideways)
        if isinstance(member, Pin):
            points[-1] = _further(points[-1], inside)
        colour, thickness = (
            (LOOKS[mark].colour, style.MARKED_STROKE) if mark else (style.LINE, style.LINE_STROKE)
        )
        yield Path(tuple(points), colour, thickness, arrow=not isinstance(member, Pin))
    for px, py in placement.dots:
        yield Dot(x + px, y + py, 2.4, style.LINE)
    for part, (px, py) in zip(inside.parts, placement.corners, strict=True):
        member, place = part.member, visible_place(part, x + px, y + py)
        if isinstance(member, Box):
            drawn = box_shapes if part.solid is None else volume_shapes
            shapes = tuple(drawn(part, member, x + px, y + py))
            if part.solid is not None:
                yield from outlet(part, member, x + px, y + py)
            kind = f"box {member.kind}"
            yield Group(kind, member.details, shapes, ids[id(member)], _spans(member), place)
        elif isinstance(member, Frame):
            shapes = tuple(_frame(part, member, ids, x + px, y + py, depth))
            yield Group("frame", member.details, shapes, ids[id(member)], place=place)
    yield from _labels(inside, x, y)


def _further(end: Point, inside: Inside) -> Point:
    """Where a line that leaves a frame ends: at the frame's edge."""
    x, y = end
    return (x + inside.beyond, y) if inside.sideways else (x, y + inside.beyond)


def visible_size(part: Measured) -> Point:
    """The size of a box or frame without the edge of a second one behind it."""
    several = not isinstance(part.member, Pin) and part.member.count > 1
    behind = style.BEHIND if several else 0.0
    return part.item.width - behind, part.item.height - behind


def visible_place(part: Measured, x: float, y: float) -> tuple[float, float, float, float]:
    """The left, top, width and height of what can be seen of a part whose item is at (x, y)."""
    solid = part.solid
    if solid is None:
        return (x, y, *visible_size(part))
    shift = part.item.axis - solid.axis
    left, top = (0.0, shift) if solid.sideways else (shift, 0.0)
    return (x + left + solid.corner[0], y + top + solid.corner[1], *solid.size)


def _labels(inside: Inside, x: float, y: float) -> Iterator[Shape]:
    """The texts beside the lines, under the boxes that make the signals."""
    for part, (px, py) in zip(inside.parts, inside.placement.corners, strict=True):
        for text, port in zip(part.labels, part.item.ports, strict=False):
            if inside.sideways:
                left = x + px + part.item.width + style.LABEL_GAP
                base = y + py + part.item.axis + port.offset + style.LABEL_HEIGHT - 4.0
            else:
                left = x + px + part.item.axis + port.offset + style.LABEL_GAP
                base = y + py + part.item.height + style.LABEL_HEIGHT - 4.0
            if text:
                yield Text(left, base, text, style.SMALL, text_width(text, style.SMALL), style.FAINT)


# --- boxes --------------------------------------------------------------------------------------------------


def box_shapes(part: Measured, box: Box, x: float, y: float) -> Iterator[Shape]:
    """A box and its text, with its upper left corner at (x, y)."""
    fill, edge, thickness = _paint(box)
    behind = style.BEHIND if box.count > 1 else 0.0
    width, height = visible_size(part)
    radius = style.BOX_RADIUS if box.pieces else min(height, style.PILL) / 2
    if behind:
        yield Rect(x + behind, y + behind, width, height, fill, edge, radius, thickness)
    yield Rect(x, y, width, height, fill, edge, radius, thickness)
    top = y + (height - sum(map(line_height, part.lines))) / 2
    for line in part.lines:
        base = top + line_height(line) / 2 + line[0].size * ASCENT / 2
        yield from words_of(line, x + (width - line_width(line)) / 2, base)
        top += line_height(line)
    yield from _corners(box, x, y, width, height)


def _paint(box: Box) -> tuple[str, str, float]:
    """The fill of a box, and the colour and width of its edge."""
    paint = paint_of(box)
    return paint.fill, paint.stroke, style.MARKED_STROKE if box.mark or box.colour else 1.0


def _corners(box: Box, x: float, y: float, width: float, height: float) -> Iterator[Shape]:
    """The position of an unnamed block, and the number of turns."""
    if box.place:
        base = y + style.BOX_PAD_Y + style.SMALL * ASCENT - 1.0
        size = text_width(box.place, style.SMALL)
        yield Text(x + WORD_GAP, base, box.place, style.SMALL, size, faint_ink(box))
    if box.count > 1:
        times = times_text(box.count)
        base = y + height / 2 + style.TEXT * ASCENT / 2
        size = text_width(times, style.TEXT, bold=True)
        yield Text(x + width - WORD_GAP, base, times, style.TEXT, size, style.INK, bold=True, anchor="end")
