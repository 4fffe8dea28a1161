"""A training diagram as a scene: cards in columns, the lines between them, and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from netcfg.draw import style
from netcfg.draw.cards import BADGE, Sized, badge, card_shapes, sized
from netcfg.draw.channels import TRACK_GAP, Track, assign
from netcfg.draw.columns import Columns, Link, Slot
from netcfg.draw.metrics import ASCENT, text_width
from netcfg.draw.scene import Dot, Group, Path, Point, Scene, Shape, Text
from netcfg.draw.training import Card, Flow, Training, phase_colour

CHANNEL_START = 10.0
CHANNEL_END = 20.0
"""Room at both ends of a channel: on the right for arrow heads and, with `CUT` more for each, marks of cuts."""
CUT = 9.0
STRAND = 2.6
"""Between two strands of one line."""
STRAND_WIDTH = 1.8
LEGEND_GAP = 22.0
LEGEND_ROW = 20.0


def compose_training(training: Training, title: str, ids: dict[int, str]) -> Scene:
    """Everything in its place; `ids` are the names of the boxes, by identity."""
    return _Figure(training).scene(title, ids)


class _Figure:
    """First the heights, by `Columns`; then the channels between columns, and with them every x; then shapes."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.sized = [sized(card) for card in training.cards]
        slots = [
            Slot(card.column, one.width, one.height, one.inputs, one.outputs, card.kind == "phase")
            for card, one in zip(training.cards, self.sized, strict=True)
        ]
        links = [Link(flow.source, flow.output, flow.target, flow.input) for flow in training.flows]
        self.columns = Columns(slots, links)
        self.widths = [
            max((slot.width for slot in slots if slot.column == number), default=0.0)
            for number in range(len(self.columns.order))
        ]
        self.tracks: list[dict[tuple[int, int], Track]] = [
            self._channel(gap) for gap in range(len(self.widths))
        ]
        self.lefts = self._lefts()
        self.top = 0.0

    def _channel(self, gap: int) -> dict[tuple[int, int], Track]:
        """The tracks of the signals between a column and the next."""
        tracks: dict[tuple[int, int], Track] = {}
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
            cuts = max(
                (len(flow.cuts) for flow in self.training.flows if self._column(flow.target) == gap + 1),
                default=0,
            )
            x += width + CHANNEL_START + levels * TRACK_GAP + CHANNEL_END + cuts * CUT
        return lefts

    def _column(self, card: int) -> int:
        return self.training.cards[card].column

    # --- shapes ---------------------------------------------------------------------------------------------

    def scene(self, title: str, ids: dict[int, str]) -> Scene:
        title_size = style.PAGE_TITLE
        self.top = style.PAGE_PAD + 2 * title_size
        bottom = self.top + max((cell.y + cell.height for cell in self.columns.cells), default=0.0)
        right = self.lefts[-1] + self.widths[-1]
        legend, legend_size = _legend(self.training, style.PAGE_PAD, bottom + LEGEND_GAP, right)
        heading = list(_heading(title, self.training.note))
        width = max(right, legend_size[0], heading[-1].x + heading[-1].width) + style.PAGE_PAD
        scene = Scene(ceil(width), ceil(legend_size[1] + style.PAGE_PAD), title)
        scene.shapes += [*heading, *self._wires(), *self._cards(ids), legend]
        return scene

    def _cards(self, ids: dict[int, str]) -> Iterator[Shape]:
        for index, one in enumerate(self.sized):
            column = one.card.column
            y = self.columns.cells[index].y + self.top
            yield card_shapes(one, self.lefts[column], y, self.widths[column], ids[id(one.card.box)])

    def _wires(self) -> Iterator[Shape]:
        """Lines without gradients below all others; then strands, arrow heads, partings, and marks of cuts."""
        routes = [self._route(flow) for flow in self.training.flows]
        flows = list(zip(self.training.flows, routes, strict=True))
        for flow, route in flows:
            if not flow.gradients:
                yield Path(tuple(route), style.LINE, 1.2)
        strands = self._strands()
        for flow, route in flows:
            lanes = strands[flow.source, flow.output]
            for phase in flow.gradients:
                offset = (lanes.index(phase) - (len(lanes) - 1) / 2) * STRAND
                yield Path(tuple(_beside(route, offset)), phase_colour(phase), STRAND_WIDTH)
        yield from self._partings(strands)
        for flow, route in flows:
            colour = phase_colour(flow.gradients[0]) if len(flow.gradients) == 1 else style.LINE
            (x, y) = route[-1]
            yield Path(((x - 8.0, y), (x, y)), colour, 1.2, arrow=True)
            for place, phase in enumerate(flow.cuts):
                yield from cut_mark(x - 13.0 - place * CUT, y, phase)

    def _strands(self) -> dict[tuple[int, int], list[int]]:
        """For each signal the phases whose gradients flow back along any part of it."""
        strands: dict[tuple[int, int], list[int]] = {}
        for flow in self.training.flows:
            known = strands.setdefault((flow.source, flow.output), [])
            known += [phase for phase in flow.gradients if phase not in known]
        return {signal: sorted(phases) for signal, phases in strands.items()}

    def _route(self, flow: Flow) -> list[Point]:
        """The corners of a line, from card to card."""
        source, target = self.sized[flow.source], self.sized[flow.target]
        cells = self.columns.cells
        first, last = self._column(flow.source), self._column(flow.target)
        y = cells[flow.source].y + source.outputs[flow.output] + self.top
        points = [(self.lefts[first] + self.widths[first], y)]
        for gap in range(first, last):
            passed = self.columns.passing.get(((flow.source, flow.output), gap + 1))
            if gap + 1 == last:
                end = cells[flow.target].y + target.inputs[flow.input] + self.top
            else:
                assert passed is not None
                end = cells[passed].y + 2.0 + self.top
            if abs(end - y) > 0.01:
                x = self._track_x(gap, (flow.source, flow.output))
                points += [(x, y), (x, end)]
            y = end
        return [*points, (self.lefts[last], y)]

    def _track_x(self, gap: int, signal: tuple[int, int]) -> float:
        start = self.lefts[gap] + self.widths[gap] + CHANNEL_START
        return start + self.tracks[gap][signal].level * TRACK_GAP

    def _partings(self, strands: dict[tuple[int, int], list[int]]) -> Iterator[Dot]:
        for gap, tracks in enumerate(self.tracks):
            for signal, track in tracks.items():
                phases = strands[signal]
                colour = phase_colour(phases[0]) if len(phases) == 1 else style.LINE
                for y in _forks(track):
                    yield Dot(self._track_x(gap, signal), y + self.top, 2.6, colour)


def _forks(track: Track) -> list[float]:
    """The heights at which three lines or more meet on a track."""
    if track.is_straight:
        return []
    inner = [y for y in sorted({*track.leaves, track.enters}) if track.low < y < track.high]
    ends = [y for y in (track.low, track.high) if y == track.enters and y in track.leaves]
    return inner + ends


def _beside(route: Sequence[Point], offset: float) -> list[Point]:
    """The same line, `offset` lower; where it goes down or up so far aside that strands do not cross."""
    moved = []
    for place, (x, y) in enumerate(route):
        near = route[max(place - 1, 0) : place + 2]
        rise = next((b[1] - a[1] for a, b in zip(near, near[1:], strict=False) if a[0] == b[0]), 0.0)
        moved.append((x - (offset if rise > 0 else -offset if rise < 0 else 0.0), y + offset))
    return moved


def cut_mark(x: float, y: float, phase: int) -> Iterator[Path]:
    """Two strokes across a line, in the colour of the phase whose gradients end there."""
    for place in (x - 2.0, x + 2.0):
        yield Path(((place - 2.0, y + 6.0), (place + 2.0, y - 6.0)), phase_colour(phase), 2.0)


def _heading(title: str, note: str) -> Iterator[Text]:
    base = style.PAGE_PAD + style.PAGE_TITLE * ASCENT
    width = text_width(title, style.PAGE_TITLE, bold=True)
    yield Text(style.PAGE_PAD, base, title, style.PAGE_TITLE, width, style.INK, bold=True)
    x = style.PAGE_PAD + width + 12.0
    yield Text(x, base, note, style.TEXT, text_width(note, style.TEXT), style.FAINT)


def _legend(training: Training, left: float, top: float, right: float) -> tuple[Group, Point]:
    """What the lines and marks mean, and the metrics; and how far right and down it reaches."""
    shapes: list[Shape] = []
    x, y, reach = left, top, left
    number = next(iter(training.phases), 1)
    samples = [
        ((Path(((0.0, 0.0), (26.0, 0.0)), style.LINE, 1.2, arrow=True),), "values"),
        (
            (Path(((0.0, 0.0), (26.0, 0.0)), phase_colour(number), STRAND_WIDTH, arrow=True),),
            "and gradients of a phase back",
        ),
    ]
    for sample, text in samples:
        shapes += [_moved(shape, x, y) for shape in sample]
        width = text_width(text, style.SMALL)
        shapes.append(Text(x + 32.0, y + style.SMALL * ASCENT / 2, text, style.SMALL, width, style.FAINT))
        x += 32.0 + width + LEGEND_GAP
    shapes += [
        *_moved_all(Path(((0.0, 0.0), (26.0, 0.0)), style.LINE, 1.2), x, y),
        *cut_mark(x + 13.0, y, number),
    ]
    text = "a phase's gradients end here"
    width = text_width(text, style.SMALL)
    shapes.append(Text(x + 32.0, y + style.SMALL * ASCENT / 2, text, style.SMALL, width, style.FAINT))
    x += 32.0 + width + LEGEND_GAP
    shapes += badge(number, x + BADGE, y)
    text = "updated by this phase"
    width = text_width(text, style.SMALL)
    shapes.append(Text(x + 22.0, y + style.SMALL * ASCENT / 2, text, style.SMALL, width, style.FAINT))
    reach = x + 22.0 + width
    for line in _filled(
        [f"metrics: {training.measured[0]}", *training.measured[1:]] if training.measured else [],
        right - left,
    ):
        y += LEGEND_ROW
        width = text_width(line, style.SMALL)
        shapes.append(Text(left, y, line, style.SMALL, width, style.FAINT))
        reach = max(reach, left + width)
    return Group("legend", "", tuple(shapes)), (reach, y + 6.0)


def _moved(path: Path, x: float, y: float) -> Path:
    return Path(
        tuple((px + x, py + y) for px, py in path.points),
        path.stroke,
        path.stroke_width,
        path.radius,
        path.arrow,
    )


def _moved_all(path: Path, x: float, y: float) -> list[Path]:
    return [_moved(path, x, y)]


def _filled(pieces: Sequence[str], limit: float) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}, {piece}" if lines else ""
        if lines and text_width(longer, style.SMALL) <= limit:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines
