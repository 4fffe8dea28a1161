"""Lays a network out from the inside out: what a frame holds first, then the frame as one thing of its level.

The layout knows one direction, downwards. For a picture from left to right, sizes are turned before it and
places after it: what is called `along` here runs with the signals, `across` from lane to lane.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

from netcfg.draw import style
from netcfg.draw.columns import columns_of_page, fold
from netcfg.draw.ids import parts_below
from netcfg.draw.lanes import Lanes
from netcfg.draw.layout import Item, Link, Placement, Port, arrange
from netcfg.draw.levels import Level, Member, Pin, SignalKey
from netcfg.draw.measure import (
    Inside,
    Measured,
    box_lines,
    common_width,
    frame_title,
    label_width,
    line_width,
    measured_box,
    measured_pin,
    several_entries,
)
from netcfg.draw.metrics import fitted
from netcfg.draw.model import Box, Frame
from netcfg.draw.options import Look
from netcfg.draw.volumes import Scale, measured_volume

MORE_THAN_A_COLUMN = 1.2
"""A frame that is as many times as long as a column is folded in itself."""


def inside_of(
    frame: Frame, levels: dict[int, Level], look: Look | None = None, scale: Scale | None = None
) -> Inside:
    """Measure and lay out what a network's frame holds; with a scale, as volumes."""
    return _Layout(frame, levels, look or Look(), scale).network()


class _Layout:
    """One network's layout. Keys are the signals that a member gives, in the order of its ports."""

    def __init__(self, network: Frame, levels: dict[int, Level], look: Look, scale: Scale | None) -> None:
        self.levels = levels
        self.sideways = look.is_sideways
        self.columns = look.columns
        self.scale = scale
        self.with_shapes = "shape" in look.labels
        self.whole = network
        self.folds: dict[int, int] = {}
        members = [member for level in levels.values() for member in level.members]
        limit = style.NARROW_LINE_WIDTH if self.sideways or look.narrow else style.LINE_WIDTH
        self.lines = (
            {} if scale else {id(box): box_lines(box, limit) for box in members if isinstance(box, Box)}
        )
        least = style.NARROW_BOX_WIDTH if look.narrow else style.BOX_WIDTH
        self.common = 0.0 if self.sideways or scale else common_width(members, self.lines, least)

    def network(self) -> Inside:
        """The whole, in columns; a frame that would fill more than one of them is folded in itself."""
        whole = self.inside(self.whole)
        length, width = _extent(whole)
        columns = self.columns or columns_of_page(length, width)
        if columns < 2:
            return whole
        share = length / columns
        while found := list(self.long_frames(whole, share)):
            for part in found:
                self.folds[id(part.member)] = ceil(self.along(part) / share)
            whole = self.inside(self.whole)
        if self.folds:
            columns = round(_extent(whole)[0] / share)
        return self.refolded(whole, columns if self.columns else None)

    def long_frames(self, inside: Inside, share: float) -> Iterator[Measured]:
        """The frames that fill more than a column and are not folded yet, of those in each other the inmost."""
        for part in inside.parts:
            if part.inside is not None and self.along(part) > MORE_THAN_A_COLUMN * share:
                inner = list(self.long_frames(part.inside, share))
                yield from inner or ([part] if id(part.member) not in self.folds else [])

    def along(self, part: Measured) -> float:
        """How long a part is, as the signals run."""
        return part.item.width if self.sideways else part.item.height

    def refolded(self, inside: Inside, columns: int | None) -> Inside:
        """What was laid out at length, in columns."""
        links = _links(inside.level, _keys(inside.level))
        placement = turned(inside.placement) if self.sideways else inside.placement
        placement = fold(placement, links, columns)
        inside.placement = turned(placement) if self.sideways else placement
        return inside

    def inside(self, frame: Frame) -> Inside:
        level = self.levels[id(frame)]
        keys = _keys(level)
        several = several_entries(level.members)
        joined = [0] * len(level.members)
        for _, _, target in level.links:
            joined[target] += 1
        parts = []
        links = _links(level, keys)
        after = _joined_after(level, links) if self.scale else set()
        marked = {source for (source, _, _), mark in zip(level.links, level.marks, strict=True) if mark}
        for index, member in enumerate(level.members):
            labels = [
                fitted(level.labels.get(key, ""), style.SMALL, style.LABEL_WIDTH) for key in keys[index]
            ]
            if self.scale and len(labels) == 1 and index not in marked:
                labels = [""]  # the shape stands at the volume
            if isinstance(member, Frame):
                parts.append(self.frame(member, keys[index], labels))
            elif isinstance(member, Box):
                parts.append(self.box(member, labels, joined[index], index in after))
            else:
                parts.append(self.pin(member, several))
        placement = arrange([part.item for part in parts], links)
        if id(frame) in self.folds:
            placement = fold(placement, links, self.folds[id(frame)])
        if self.sideways:
            placement = turned(placement)
        for part, item in zip(parts, placement.items, strict=True):
            part.item = item
        return Inside(level, parts, placement, self.sideways)

    def box(self, box: Box, labels: list[str], joined: int, before: bool) -> Measured:
        if self.scale and box.kind != "output" and not _is_bundle(box, labels, joined):
            part = measured_volume(box, labels, before, self.scale, self.sideways, self.with_shapes)
            if self.sideways:
                side = part.item.side_top
                part.item = replace(turned_item(part.item, part.item.axis, labels), side_top=side)
            return part
        lines = self.lines.get(id(box))
        if not self.sideways:
            return measured_box(box, self.common, labels, joined, lines=lines)
        part = measured_box(box, self.common, labels, 0, lines=lines)
        part.item = turned_item(part.item, part.item.side_top or 0.0, labels)
        return part

    def pin(self, pin: Pin, several: bool) -> Measured:
        part = measured_pin(pin, several)
        if self.sideways:
            part.item = turned_item(part.item, 0.0, list(part.labels))
        return part

    def frame(self, frame: Frame, keys: list[SignalKey], labels: list[str]) -> Measured:
        inside = self.inside(frame)
        measured = self.sideways_frame if self.sideways else self.upright_frame
        item = measured(frame, inside, labels)
        offsets = _exit_offsets(inside)
        ports = [replace(port, offset=offsets[key]) for port, key in zip(item.ports, keys, strict=False)]
        return Measured(frame, replace(item, ports=tuple(ports) or (Port(),)), (), inside, tuple(labels))

    def upright_frame(self, frame: Frame, inside: Inside, labels: list[str]) -> Item:
        placement, behind = inside.placement, _behind(frame)
        left, right = _title_room(frame, placement.width, style.FRAME_PAD, style.FRAME_PAD)
        inside.beyond = style.FRAME_PAD
        width = left + placement.width + right + behind
        height = style.HEADER + placement.height + style.FRAME_PAD + behind
        return Item(width, height, left + placement.axis, ports_of(labels), style.HEADER / 2, _weight(inside))

    def sideways_frame(self, frame: Frame, inside: Inside, labels: list[str]) -> Item:
        placement, behind = inside.placement, _behind(frame)
        left, right = _title_room(frame, placement.width, 0.0, style.FRAME_PAD)
        inside.beyond = left + right
        along = placement.width + inside.beyond + behind
        across = style.HEADER + placement.height + 2 * style.FRAME_PAD + behind
        axis = style.HEADER + style.FRAME_PAD + placement.axis
        return Item(across, along, axis, turned_ports(labels), style.FRAME_SIDE, _weight(inside))


def _is_bundle(box: Box, labels: Sequence[str], joined: int) -> bool:
    """Whether a box stands for so many blocks that it has more signals than a solid has room for, and no one shape."""
    return box.kind == "template" and (len(labels) > 1 or joined > 2)


def ports_of(labels: list[str], sideways: bool = False) -> tuple[Port, ...]:
    """The ports of a frame whose signals have these labels."""
    if sideways:
        return turned_ports(labels)
    return tuple(Port(0.0, label_width(label), style.LABEL_HEIGHT if label else 0.0) for label in labels)


def _extent(inside: Inside) -> tuple[float, float]:
    """Length, as the signals run, and width."""
    placement = inside.placement
    sizes = placement.height, placement.width
    return (sizes[1], sizes[0]) if inside.sideways else sizes


def _keys(level: Level) -> list[list[SignalKey]]:
    keys: list[dict[SignalKey, None]] = [{} for _ in level.members]
    for source, key, _ in level.links:
        keys[source][key] = None
    return [list(each) for each in keys]


def _links(level: Level, keys: list[list[SignalKey]]) -> list[Link]:
    return [Link(source, target, keys[source].index(key)) for source, key, target in level.links]


def _joined_after(level: Level, links: list[Link]) -> set[int]:
    """The members into which lines run from the right of their lane: in a picture from left to right, from below."""
    items = [
        Item(0.0, 0.0, 0.0, weight=_boxes_in(member), last=isinstance(member, Pin) and member.exit)
        for member in level.members
    ]
    lanes = Lanes(items, links)
    exits = [(branch.lane, links[link].target) for branch in lanes.branches for link in branch.exits]
    return {target for lane, target in exits if lane > lanes.lane[target]}


def _boxes_in(member: Member) -> int:
    if isinstance(member, Frame):
        return sum(isinstance(part, Box) for part in parts_below(member))
    return int(isinstance(member, Box))


def _behind(frame: Frame) -> float:
    return style.BEHIND if frame.count > 1 else 0.0


def _weight(inside: Inside) -> int:
    return sum(part.item.weight for part in inside.parts)


def _title_room(frame: Frame, width: float, left: float, right: float) -> tuple[float, float]:
    """The space left and right of what a frame holds, so that its title has room."""
    short = line_width(frame_title(frame)) + 2 * style.BOX_PAD_X - width - left - right
    return left + max(0.0, short / 2), right + max(0.0, short / 2)


def _exit_offsets(inside: Inside) -> dict[SignalKey, float]:
    """How far from the axis each signal leaves a frame."""
    offsets = {}
    for _, key, target in inside.level.links:
        member = inside.parts[target].member
        if isinstance(member, Pin) and member.exit:
            corner = inside.placement.corners[target]
            offsets[key] = corner[1 if inside.sideways else 0] - inside.placement.axis
    return offsets


# --- from left to right ---------------------------------------------------------------------------------------


def turned_item(item: Item, axis: float, labels: list[str]) -> Item:
    """The item as the layout sees it, its height across and its width along."""
    ports = turned_ports(labels) or (Port(),)
    return replace(
        item, width=item.height, height=item.width, axis=axis, ports=ports, side_top=item.width / 2
    )


def turned_ports(labels: list[str]) -> tuple[Port, ...]:
    """The ports of members whose labels stand under lines that run to the right."""
    return tuple(
        Port(0.0, style.LABEL_HEIGHT, label_width(label) + style.LABEL_GAP) if label else Port()
        for label in labels
    )


def turned(placement: Placement) -> Placement:
    """A placement that runs downwards, as one that runs to the right; items keep their `axis` and ports."""
    return Placement(
        placement.height,
        placement.width,
        placement.axis,
        [replace(item, width=item.height, height=item.width) for item in placement.items],
        [(y, x) for x, y in placement.corners],
        [tuple((y, x) for x, y in route) for route in placement.routes],
        [tuple((y, x) for x, y in line) for line in placement.lines],
        [(y, x) for x, y in placement.dots],
    )
