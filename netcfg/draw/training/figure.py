"""A training diagram as a scene: cards in columns, the lines between them, and a legend."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from netcfg.draw import style
from netcfg.draw.metrics import ASCENT, text_width
from netcfg.draw.scene import Dot, Group, Point, Scene, Shape, Text
from netcfg.draw.training.cards import card_shapes, sized
from netcfg.draw.training.channels import TRACK_GAP, Port, Track, assign
from netcfg.draw.training.columns import LINE_HEIGHT, Columns, Link, Slot
from netcfg.draw.training.legend import legend
from netcfg.draw.training.marks import CUT_GAP, line_end, strands, value_line
from netcfg.draw.training.model import Flow, Training, phase_colour

CHANNEL_START = 10.0
CHANNEL_END = 20.0
"""Room at both ends of a channel: on the right for arrow heads and, with `CUT_GAP` more for each, marks of cuts."""
LEGEND_GAP = 22.0


def compose_training(training: Training, title: str, ids: dict[int, str]) -> Scene:
    """Everything in its place; `ids` are the names of the boxes, by identity."""
    return TrainingFigure(training).scene(title, ids)


class TrainingFigure:
    """First the heights, by `Columns`; then the channels between columns, and with them every x; then shapes."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.sized = [sized(card) for card in training.cards]
        slots = [
            Slot(one.card.column, one.width, one.height, one.inputs, one.outputs, one.card.kind == "phase")
            for one in self.sized
        ]
        links = [Link(flow.source, flow.output, flow.target, flow.input) for flow in training.flows]
        self.columns = Columns(slots, links)
        self.widths = [0.0] * len(self.columns.order)
        for slot in slots:
            self.widths[slot.column] = max(self.widths[slot.column], slot.width)
        self.tracks = [self._channel(gap) for gap in range(len(self.widths))]
        self.lefts = self._lefts()
        self.top = style.PAGE_PAD + 2 * style.PAGE_TITLE
        self.lanes = self._lanes()

    def _channel(self, gap: int) -> dict[Port, Track]:
        """The tracks of the signals between a column and the next."""
        tracks: dict[Port, Track] = {}
        cells = self.columns.cells
        for joint in self.columns.joints[gap]:
            track = tracks.setdefault(joint.signal, Track(joint.signal, cells[joint.left].y + joint.start))
            track.leaves.append(cells[joint.right].y + joint.end)
        return tracks

    def _lefts(self) -> list[float]:
        """The x where each column begins."""
        lefts, x = [], style.PAGE_PAD
        for gap, width in enumerate(self.widths):
            lefts.append(x)
            levels = assign(list(self.tracks[gap].values()))
            ending = [flow for flow in self.training.flows if self._column(flow.target) == gap + 1]
            cuts = max((len(flow.cuts) for flow in ending), default=0)
            x += width + CHANNEL_START + levels * TRACK_GAP + CHANNEL_END + cuts * CUT_GAP
        return lefts

    def _column(self, card: int) -> int:
        return self.training.cards[card].column

    def _lanes(self) -> dict[Port, list[int]]:
        """For each signal the phases whose gradients flow back along any part of it."""
        lanes: dict[Port, set[int]] = {}
        for flow in self.training.flows:
            lanes.setdefault((flow.source, flow.output), set()).update(flow.gradients)
        return {signal: sorted(phases) for signal, phases in lanes.items()}

    # --- shapes ---------------------------------------------------------------------------------------------

    def scene(self, title: str, ids: dict[int, str]) -> Scene:
        """The page."""
        bottom = self.top + max((cell.y + cell.height for cell in self.columns.cells), default=0.0)
        right = self.lefts[-1] + self.widths[-1]
        heading = list(_heading(title, self.training.note))
        right = max(right, heading[-1].x + heading[-1].width)
        below = legend(self.training, style.PAGE_PAD, bottom + LEGEND_GAP, right - style.PAGE_PAD)
        group, legend_right, legend_bottom = below
        width, height = max(right, legend_right) + style.PAGE_PAD, legend_bottom + style.PAGE_PAD
        scene = Scene(ceil(width), ceil(height), title)
        scene.shapes += [*heading, *self._lines(), *self._cards(ids), group]
        return scene

    def _cards(self, ids: dict[int, str]) -> Iterator[Shape]:
        for index, one in enumerate(self.sized):
            column = one.card.column
            y = self.columns.cells[index].y + self.top
            yield card_shapes(one, self.lefts[column], y, self.widths[column], ids[id(one.card.box)])

    def _lines(self) -> Iterator[Shape]:
        """Lines without gradients below all others; then strands, partings, arrow heads and marks."""
        flows = self.routes()
        for flow, route in flows:
            if not flow.gradients:
                yield Group("line", self._said(flow), (value_line(route),))
        for flow, route in flows:
            paths = tuple(strands(flow, route, self.lanes[flow.source, flow.output]))
            if paths:
                yield Group("line", self._said(flow), paths)
        yield from self._partings()
        for flow, route in flows:
            yield from line_end(flow, route[-1])

    def routes(self) -> list[tuple[Flow, list[Point]]]:
        """The corners of each line, from card to card."""
        return [(flow, self._route(flow)) for flow in self.training.flows]

    def _route(self, flow: Flow) -> list[Point]:
        signal = flow.source, flow.output
        first, last = self._column(flow.source), self._column(flow.target)
        y = self._height(flow.source, self.sized[flow.source].outputs[flow.output])
        points = [(self.lefts[first] + self.widths[first], y)]
        for gap in range(first, last):
            if gap + 1 == last:
                end = self._height(flow.target, self.sized[flow.target].inputs[flow.input])
            else:
                end = self._height(self.columns.passing[signal, gap + 1], LINE_HEIGHT / 2)
            if not self.tracks[gap][signal].is_straight and abs(end - y) > 0.01:
                x = self._track_x(gap, signal)
                points += [(x, y), (x, end)]
            y = end
        return [*points, (self.lefts[last], y)]

    def _height(self, cell: int, below: float) -> float:
        return self.columns.cells[cell].y + below + self.top

    def _track_x(self, gap: int, signal: Port) -> float:
        start = self.lefts[gap] + self.widths[gap] + CHANNEL_START
        return start + self.tracks[gap][signal].level * TRACK_GAP

    def _said(self, flow: Flow) -> str:
        """What a viewer shows when the pointer rests on a line."""
        cards, phases = self.training.cards, self.training.phases
        rows = [flow.label, f"{cards[flow.source].box.name} → {cards[flow.target].box.name}"]
        rows += [f"gradients of {phases[phase].name} flow back" for phase in flow.gradients]
        rows += [f"gradients of {phases[phase].name} end here" for phase in flow.cuts]
        return "\n".join(rows)

    def _partings(self) -> Iterator[Dot]:
        for gap, tracks in enumerate(self.tracks):
            for signal, track in tracks.items():
                phases = self.lanes[signal]
                colour = phase_colour(phases[0]) if len(phases) == 1 else style.LINE
                for y in track.forks():
                    yield Dot(self._track_x(gap, signal), y + self.top, 2.6, colour)


def _heading(title: str, note: str) -> Iterator[Text]:
    """The title, and beside it how training runs."""
    base = style.PAGE_PAD + style.PAGE_TITLE * ASCENT
    width = text_width(title, style.PAGE_TITLE, bold=True)
    yield Text(style.PAGE_PAD, base, title, style.PAGE_TITLE, width, style.INK, bold=True)
    x = style.PAGE_PAD + width + (12.0 if title else 0.0)
    yield Text(x, base, note, style.TEXT, text_width(note, style.TEXT), style.FAINT)
