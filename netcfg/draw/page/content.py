"""The data of a page: for each network what its parts look like, shown or folded, and how they are linked.

What many parts share (drawings, links, sections) is written once and called by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netcfg.draw import columns, insides, layout, style
from netcfg.draw.costs import cost_notes, sum_of
from netcfg.draw.figure import box_shapes, network_title, visible_size, words_of
from netcfg.draw.folds import Flow, FoldedLevel, Group, Repeat, Unit, flows_of_one, fold, leaves, level_of
from netcfg.draw.heat import coloured, heat_colour, most_of, warm_box
from netcfg.draw.ids import part_ids, parts_below
from netcfg.draw.insides import ports_of, turned_item
from netcfg.draw.lanes import Item, Lanes, Link, Port
from netcfg.draw.legend import Legend, legend_of
from netcfg.draw.levels import Pin, SignalKey
from netcfg.draw.links import Links
from netcfg.draw.marked import Mark
from netcfg.draw.marks import LEGEND_HEIGHT, LOOKS, marks_of
from netcfg.draw.measure import (
    Line,
    Measured,
    common_width,
    frame_title,
    line_width,
    measured_box,
    measured_pin,
    several_entries,
)
from netcfg.draw.metrics import ASCENT, fitted, text_width
from netcfg.draw.model import Box, Diagram, Frame, Wire
from netcfg.draw.options import Look
from netcfg.draw.page.folded import folded_box, is_shut, messages_of, shown_at_first, still_there
from netcfg.draw.page.night import at_night
from netcfg.draw.page.tables import Entries, Table
from netcfg.draw.scene import Scene, Shape, groups_of
from netcfg.draw.svg import rows_of

VERSION = 1
OPEN = Look()
"""With every template open."""

SIZES = {
    name: getattr(module, name)
    for module, names in (
        (layout, ("ARROW_GAP", "LINE_GAP", "FORK_GAP", "SIDE_GAP", "LANE_GAP")),
        (
            columns,
            ("ABOVE_ITEM", "HEAD", "TRACK", "CROSSED_COST", "LATE_COST", "MOST_CROSSED", "WORTH_IT", "STRIP")
            + ("MOST_CROSSED_BY_A_STRIP", "BELOW_LABEL", "PAGE_LENGTH", "PAGE_RATIO"),
        ),
        (insides, ("MORE_THAN_A_COLUMN",)),
        (
            style,
            ("BEHIND", "BOX_PAD_X", "HEADER", "FRAME_PAD", "FRAME_RADIUS", "FRAME_FILLS", "HEADER_FILL")
            + ("HEADER_STROKE", "LABEL_GAP", "LABEL_HEIGHT", "SMALL", "FAINT", "INK", "LINE", "NETWORK_PAD")
            + (
                "NETWORK_HEADER",
                "NETWORK_STROKE",
                "LINE_STROKE",
                "MARKED_STROKE",
                "PAGE_PAD",
                "PAGE_GAP",
                "PAGE_SHAPE",
            ),
        ),
    )
    for name in names
}
"""The distances and colours that the page lays out and draws with: those of the other formats."""

COLOURS = ("#ffffff", style.HEADER_FILL, style.HEADER_STROKE, style.NETWORK_STROKE, style.FAINT, style.LINE)
"""The colours of what the page draws by itself, beside those of `FRAME_FILLS`."""


HEAT = tuple((heat_colour(step / 16), at_night(heat_colour(step / 16))) for step in range(17))
"""What boxes that are coloured by their cost are filled with, by day and by night."""


def page_data(
    title: str,
    diagrams: Sequence[Diagram],
    links: Links,
    look: Look,
    scene: Scene | None = None,
) -> dict[str, Any]:
    """Everything that the page knows; templates more than `look.depth` levels deep are folded at first.

    With a `scene`, the page shows that, and there is nothing to fold.
    """
    folds = scene is None
    whole = [diagram.expanded() if folds and diagram.expanded else diagram for diagram in diagrams]
    content = _Content(whole, links, look, most_of(list(coloured(diagrams)), look.heat) if look.heat else 0)
    networks = [
        content.network(diagram, diagram is given, folds)
        for diagram, given in zip(whole, diagrams, strict=True)
    ]
    return {
        "version": VERSION,
        "title": title,
        "sizes": SIZES,
        "sideways": look.is_sideways,
        "columns": look.columns,
        "marks": {mark: LOOKS[mark]._asdict() for mark in marks_of(diagrams)},
        "legend": content.legend(legend_of(diagrams, look, style.LEGEND_WIDTH)) if folds else None,
        "still": content.still(scene) if scene else None,
        "heat": HEAT if folds and not look.heat and not marks_of(diagrams) else None,
        "networks": networks,
        "drawings": content.drawings.rows,
        "shapes": content.shapes.rows,
        "links": content.links.rows,
        "bodies": content.entries.bodies.rows,
        "files": content.entries.files,
        "types": content.entries.types,
    }


class _Content:
    """The data in the making, and what its networks share."""

    def __init__(self, diagrams: Sequence[Diagram], links: Links, look: Look, most: int) -> None:
        self.ids = part_ids(diagrams)
        self.most = most
        self.look = look
        self.entries = Entries(links)
        self.drawings, self.shapes, self.links = Table(), Table(), Table()

    def network(self, diagram: Diagram, shows_turns: bool, folds: bool) -> dict[str, Any]:
        """A network; with `shows_turns` every turn is shown at first, without `folds` it has no level."""
        frame, words = diagram.frame, network_title(diagram.frame)
        network = _Network(self, diagram, self.ids[id(frame)])
        whole, flows = fold(diagram) if folds else (None, [])
        return {
            "id": self.ids[id(frame)],
            "name": frame.name,
            "note": frame.note,
            "details": frame.details,
            "entries": self.entries.add(frame.entries),
            "title": self.drawing(words),
            "width": words[-1].x + words[-1].width,
            "turns": shows_turns,
            "boxes": [network.box_data(box) for box in network.boxes],
            "wires": [network.wire_data(wire) for wire in diagram.wires],
            "level": network.foldable(whole, flows) if whole else None,
        }

    def still(self, scene: Scene) -> dict[str, Any]:
        """A scene that stays as it is, and where the parts are in it."""
        rows = "\n".join(row for shape in scene.shapes for row in rows_of(shape))
        places = {group.id: group.place for group in groups_of(scene.shapes) if group.id and group.place}
        return {"svg": rows, "width": scene.width, "height": scene.height, "places": places}

    def legend(self, legend: Legend) -> dict[str, Any] | None:
        """What colours mean, around the origin."""
        if not legend.rows:
            return None
        rows = "".join(row for group in legend.shapes(0.0, 1.0) for row in rows_of(group))
        return {"svg": rows, "width": legend.width + 1, "height": legend.height - LEGEND_HEIGHT / 2}

    def as_shown(self, box: Box, boxes: Sequence[Box], turns: int) -> Box:
        """A box with the costs, and their colour, of all that it stands for in `turns` that are shown as one."""
        costs = sum_of(each.costs for each in still_there(boxes) for _ in range(turns))
        if not box.pieces or (len(boxes) * turns == 1 and not self.look.heat):
            return box
        shown = replace(box, costs=costs, notes=cost_notes(costs, self.look.labels))
        if self.look.heat:
            warm_box(shown, self.look.heat, self.most)
        return shown

    def drawing(self, shapes: Iterator[Shape] | Sequence[Shape]) -> int:
        """The number of a drawing around the origin."""
        return self.drawings.add("".join(row for shape in shapes for row in rows_of(shape)))

    def shape(self, part: Measured, box: Box) -> int:
        """The number of a box's size, ports and drawing."""
        item = part.item
        if self.look.is_sideways:  # the layout's directions are not those of the drawing
            part.item = replace(item, width=item.height, height=item.width)
        width, height = visible_size(part)
        data: dict[str, Any] = {
            "w": item.width,
            "h": item.height,
            "vw": width,
            "vh": height,
            "axis": item.axis,
        }
        data["side"] = item.side_top
        return self.shapes.add(data | {"drawing": self.drawing(box_shapes(part, box, 0.0, 0.0))})


class _Network:
    """One network's part of the data."""

    def __init__(self, content: _Content, diagram: Diagram, name: str) -> None:
        self.content = content
        self.name = name
        self.boxes = [part for part in parts_below(diagram.frame) if isinstance(part, Box)]
        self.number = {id(box): place for place, box in enumerate(self.boxes)}
        self.common = 0.0

    def foldable(self, whole: Group, flows: Sequence[Flow]) -> dict[str, Any]:
        """Its outermost level."""
        if not self.content.look.is_sideways:
            shown = shown_at_first(whole, self.content.look)
            self.common = common_width([self.content.as_shown(*each) for each in shown])
        return self.level(level_of(whole.units, flows), 0, 1)

    def box_data(self, box: Box) -> dict[str, Any]:
        """What the panel and the search know of a box."""
        data = {"id": self.content.ids[id(box)], "kind": box.kind, "name": box.name, "details": box.details}
        if box.mark:
            data |= {"mark": box.mark, "message": ": ".join(filter(None, (box.mark, box.message)))}
        return data | {"entries": self.content.entries.add(box.entries)}

    def wire_data(self, wire: Wire) -> list[Any]:
        """The numbers of the boxes at its ends, and what runs between them."""
        return [self.number[id(wire.source)], self.number[id(wire.target)], wire.label]

    # --- levels -------------------------------------------------------------------------------------------

    def level(self, level: FoldedLevel, depth: int, turns: int) -> dict[str, Any]:
        """Members, and the number of the links between them.

        It is inside of `depth` templates, and of repeats that show one of `turns`.
        """
        keys: list[list[SignalKey]] = [[] for _ in level.members]
        joined = [0] * len(level.members)
        for source, key, target in level.links:
            joined[target] += 1
            if key not in keys[source]:
                keys[source].append(key)
        items = [_stand_in(member, len(own)) for member, own in zip(level.members, keys, strict=True)]
        links = [Link(source, target, keys[source].index(key)) for source, key, target in level.links]
        lanes = Lanes(items, links)
        members = [
            self._member(member, level, _Edge(keys[index], joined[index], index, lanes, level, depth, turns))
            for index, member in enumerate(level.members)
        ]
        marks = [level.marks.get(link, "") for link in level.links]
        return {"links": self.content.links.add(_links_data(lanes, marks)), "members": members}

    def _member(self, member: Unit | Pin, level: FoldedLevel, edge: _Edge) -> dict[str, Any]:
        if isinstance(member, Pin):
            part = measured_pin(member, several_entries(level.members))
            if self.content.look.is_sideways:
                part.item = turned_item(part.item, 0.0, list(part.labels))
            return {"is": "exit" if member.exit else "entry", "ports": _ports(part.item.ports, part.labels)}
        labels = [fitted(level.labels.get(key, ""), style.SMALL, style.LABEL_WIDTH) for key in edge.keys]
        flows = level.inner[id(member)]
        if isinstance(member, Box):
            return self._box(member, member, labels, edge)
        if isinstance(member, Group):
            return self._group(member, flows, labels, edge)
        return self._repeat(member, flows, labels, edge)

    def _box(self, box: Box, unit: Unit, labels: list[str], edge: _Edge) -> dict[str, Any]:
        """A box that stands for all boxes of a unit: of one that is shown as one turn, or folded."""
        boxes = list(leaves(unit))
        box = self.content.as_shown(box, boxes, edge.turns)
        if self.content.look.is_sideways:
            part = measured_box(box, self.common, labels, 0, style.NARROW_LINE_WIDTH)
            part.item = turned_item(part.item, part.item.side_top or 0.0, labels)
        else:
            part = measured_box(box, self.common, labels, edge.joined)
        part.item = layout.spread_ports(part.item, edge.index, edge.lanes)
        data: dict[str, Any] = {"is": "box", "box": self.number[id(boxes[0])], "count": len(boxes)}
        data["shape"] = self.content.shape(part, box)
        return data | {"ports": _ports(part.item.ports, labels)}

    def _group(self, group: Group, flows: Sequence[Flow], labels: list[str], edge: _Edge) -> dict[str, Any]:
        return self._frame(group.frame, group, group.units, flows, labels, edge)

    def _frame(
        self,
        frame: Frame,
        unit: Unit,
        units: Sequence[Unit],
        flows: Sequence[Flow],
        labels: list[str],
        edge: _Edge,
    ) -> dict[str, Any]:
        """A frame that may be folded into a box."""
        inside = level_of(units, flows)
        boxes = list(leaves(unit))
        title = frame_title(frame)
        ports = ports_of(labels, self.content.look.is_sideways)
        return {
            "is": "frame",
            "id": f"{self.name}.{frame.path}",
            "details": "\n".join(filter(None, (frame.details, messages_of(boxes)))),
            "entries": self.content.entries.add(frame.entries),
            "name": frame.name,
            "note": frame.note,
            "turns": frame.count,
            "title": self.content.drawing(_title_words(title)),
            "width": line_width(title),
            "paint": [LOOKS[frame.mark].colour, LOOKS[frame.mark].fill] if frame.mark else None,
            "message": messages_of(boxes),
            "box": self.number[id(boxes[0])],
            "count": len(boxes),
            "shut": is_shut(edge.depth, boxes, self.content.look),
            "exits": [inside.exits[key] for key in edge.keys],
            "entries_at": [edge.entering(key) for key in inside.entries],
            "ports": _ports(ports or (Port(),), labels or [""]),
            "folded": self._box(folded_box(frame, boxes, edge.turns), unit, labels, edge),
            "level": self._level_inside(inside, frame, unit, edge),
        }

    def _level_inside(self, inside: FoldedLevel, frame: Frame, unit: Unit, edge: _Edge) -> dict[str, Any]:
        """The level in a frame: around all turns of a repeat, in the one that is shown, or in a template."""
        if not isinstance(unit, Repeat):
            return self.level(inside, edge.depth + 1, edge.turns)
        if frame is unit.frame:
            return self.level(inside, edge.depth, edge.turns)
        return self.level(inside, edge.depth + 1, edge.turns * len(unit.turns))

    def _repeat(
        self, repeat: Repeat, flows: Sequence[Flow], labels: list[str], edge: _Edge
    ) -> dict[str, Any]:
        """A repeat shown as one turn (`one`), or all of them in a frame (`all`)."""
        if isinstance(repeat.one, Box):
            one = self._box(repeat.one, repeat, labels, edge)
        else:
            one = self._frame(
                repeat.one.frame, repeat, repeat.one.units, flows_of_one(repeat, flows), labels, edge
            )
        every = self._frame(repeat.frame, repeat, repeat.turns, flows, labels, edge)
        return {"is": "repeat", "id": every["id"], "one": one, "all": every, "turns": len(repeat.turns)}


@dataclass
class _Edge:
    """How a member is linked to the others of its level, and where that is."""

    keys: list[SignalKey]
    joined: int
    index: int
    lanes: Lanes
    level: FoldedLevel
    depth: int
    turns: int

    def entering(self, key: SignalKey) -> int:
        """The number of the link by which a signal comes in."""
        return next(
            row
            for row, (_, signal, target) in enumerate(self.level.links)
            if (signal, target) == (key, self.index)
        )


def _weight(member: Unit | Pin) -> int:
    return 0 if isinstance(member, Pin) else sum(1 for _ in shown_at_first(member, OPEN))


def _stand_in(member: Unit | Pin, ports: int) -> Item:
    """As much of an item as decides on its lane."""
    last = isinstance(member, Pin) and member.exit
    return Item(0.0, 0.0, 0.0, (Port(),) * max(ports, 1), weight=_weight(member), last=last)


def _links_data(lanes: Lanes, marks: Sequence[Mark]) -> dict[str, Any]:
    """The links of a level and where they run, without any sizes."""
    rows = [[link.source, link.port, link.target] for link in lanes.links]
    branches = [[branch.lane, branch.entries, branch.items, branch.exits] for branch in lanes.branches]
    data = {"rows": rows, "rank": lanes.rank, "lane": lanes.lane, "branches": branches}
    return data | ({"marks": list(marks)} if any(marks) else {})


def _ports(ports: Sequence[Port], labels: Sequence[str]) -> list[list[Any]]:
    """Offset, width and height of the label, its text, and that text's own width."""
    texts = [*labels, *[""] * (len(ports) - len(labels))]
    return [
        [port.offset, port.label_width, port.label_height, text, round(text_width(text, style.SMALL), 2)]
        for port, text in zip(ports, texts, strict=True)
    ]


def _title_words(title: Line) -> Iterator[Shape]:
    return words_of(title, 0.0, style.HEADER / 2 + style.TEXT * ASCENT / 2)
