"""What a diagram shows of a graph: boxes, frames around them, and wires, before anything has a size.

Which nodes share a box is for `netcfg.draw.shown` to say: it keeps a diagram short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from netcfg.draw.costs import Costs, amount, cost_notes, costs_of
from netcfg.draw.entry import Entry, entry_of, place_text, start_of
from netcfg.draw.folders import FOLDER, with_folders
from netcfg.draw.marked import NO_MARKS, UNMARKED, Mark, Marks
from netcfg.draw.options import Look
from netcfg.draw.shown import (
    Place,
    Shown,
    Turn,
    is_frozen,
    kinds_of_blocks,
    lender,
    plain_name,
    shown_boxes,
    signals_given,
)
from netcfg.draw.style import Paint
from netcfg.shapes import Shape, show, to_json
from netcfg.source import Note

if TYPE_CHECKING:
    from netcfg.graph import Graph, Node, Signal


@dataclass(slots=True, eq=False)
class Box:
    """One box: `pieces` are its type and options, `place` an unnamed block's position, `count` its ×N.

    `template` is what it is a use of, where nothing else is in that template. `path` is what others call it in
    its network, and `entries` the sections it stands for. `turn` is set where each turn is shown by itself.
    `colour` is that of its edge, if not its family's. `message` says what its `mark` is for; its lines, or
    `drawn` in their place, stand below the others. `notes` are the further lines that were asked for, `costs`
    those of all that it stands for, `shapes` those of its signals by port, `start` the weights that it starts
    from, and `lender` what it shares its parameters with. `heat` is how near it comes to the highest cost, where
    boxes are coloured by it, `paint` the colours of a palette.
    """

    kind: str
    name: str
    place: str
    pieces: list[str]
    details: str
    count: int = 1
    frozen: bool = False
    template: str = ""
    path: str = ""
    entries: tuple[Entry, ...] = ()
    turn: Turn | None = None
    colour: str = ""
    mark: Mark = ""
    message: str = ""
    drawn: str | None = None
    notes: tuple[str, ...] = ()
    costs: Costs = Costs()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    start: str = ""
    lender: str = ""
    heat: float | None = None
    paint: Paint | None = None


@dataclass(slots=True, eq=False)
class Frame:
    """A titled frame around boxes: a template's use, a folder, or the whole network. `parts` are in file order.

    `path`, `entries`, `turn` and `mark` are as those of a box.
    """

    name: str
    note: str
    details: str
    count: int = 1
    parts: list[Part] = field(default_factory=list)
    path: str = ""
    entries: tuple[Entry, ...] = ()
    turn: Turn | None = None
    mark: Mark = ""


Part = Box | Frame


@dataclass(frozen=True, slots=True)
class Wire:
    """A signal from a box to a box. `label` is its shape, `port` the producer's port.

    In training diagrams `phases` are those whose gradients flow back along it, with their `colours`, and `cuts` those
    whose gradients end here; an `update` is no signal, but leads from a phase to a network. The `message` of a marked
    wire stands behind its label.
    """

    source: Box
    target: Box
    port: str
    label: str
    phases: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    update: bool = False
    mark: Mark = ""
    message: str = ""


@dataclass(slots=True)
class Diagram:
    """One network as boxes, frames and wires; `expanded` gives the same with every turn by itself."""

    frame: Frame
    wires: list[Wire]
    expanded: Callable[[], Diagram] | None = None


def diagram(graph: Graph, expand: bool = False, look: Look | None = None, marks: Marks = NO_MARKS) -> Diagram:
    """The boxes, frames and wires of one network; `expand` as in `Look`. What is marked unalike is never one box."""
    look = look or Look()
    expand = expand or look.expand
    written, graph = graph, with_folders(graph)
    shown, shown_by = shown_boxes(graph, expand, look.depth, marks, look.insets)
    all_frozen = graph.parameters > 0 and graph.trainable == 0
    boxes = {id(one): _box(graph, one, all_frozen, look) for one in shown}
    frame = _frames(graph, shown, boxes, all_frozen)
    _mark_frames(frame)
    box_by = [boxes[id(one)] for one in shown_by]
    ports = {id(one): _ports(graph, one, shown_by) for one in shown if one.closed}
    drawn = _Wires(graph, box_by, [ports.get(id(one), {}) for one in shown_by], "shape" in look.labels, marks)
    wires = [*drawn.between_boxes(), *drawn.to_outputs(frame)]
    _say_marks(frame)
    expanded = (
        None if expand else partial(diagram, written, True, replace(look, depth=None, insets=()), marks)
    )
    return Diagram(frame, wires, expanded)


# --- boxes and frames ---------------------------------------------------------------------------------------


def _box(graph: Graph, one: Shown, all_frozen: bool, look: Look) -> Box:
    costs = costs_of(one.nodes)
    box = _use_box(graph, one) if one.closed else _block_box(graph, one)
    box.frozen = _all_frozen(one) and not all_frozen
    box.start = _start(graph, one)
    box.lender = _lender(graph, one)
    box.count, box.turn, box.costs = one.count, one.turn, costs
    box.mark, box.message, box.drawn = one.marked
    box.shapes = {port: signal.shape for port, signal in one.last.outputs.items()}
    box.notes = cost_notes(costs, look.labels)
    return box


def _start(graph: Graph, one: Shown) -> str:
    """The weights that a box starts from, where its network does not start from them as a whole."""
    starts = dict.fromkeys(start_of(graph, node) for node in one.nodes if node.parameters)
    start = next(iter(starts), "") if len(starts) == 1 and graph.weights else ""
    return "" if start == _start_of_all(graph) else _file(start)


def _lender(graph: Graph, one: Shown) -> str:
    """What lends a box its parameters, where it has any."""
    borrowed = {node.shared: lender(node) for node in one.nodes if node.shared}
    if not borrowed:
        return ""
    lenders = {borrowed[node.path] for node in graph.nodes if node.parameters and node.path in borrowed}
    return lenders.pop() if len(lenders) == 1 else ""


def _start_of_all(graph: Graph) -> str:
    return next((request.source for request in graph.weights if not request.path), "")


def _file(start: str) -> str:
    """A file of weights without its folder."""
    return start.replace("\\", "/").rpartition("/")[2]


def _all_frozen(one: Shown) -> bool:
    if not one.closed:
        return is_frozen(one.first)
    owners = list(filter(_has_parameters, one.nodes))
    return bool(owners) and all(map(is_frozen, owners))


def _has_parameters(node: Node) -> bool:
    return node.parameters > 0


def _block_box(graph: Graph, one: Shown) -> Box:
    node = one.first
    name = node.path if node.is_input else _name_of_block(one)
    parts = [] if node.is_input else [_plain(node), *(_plain(other) for other in one.merged)]
    pieces = [piece for part in parts for piece in pieces_of(part)]
    in_template = any(place.template for place in one.places)
    number = name if name.isdigit() else ""
    name = "" if number else name
    place = number if name or number or in_template or node.position is None else str(node.position)
    entries = tuple(entry_of(graph, each) for each in one.nodes)
    return Box(node.block.family, name, place, pieces, _details(graph, one), path=node.path, entries=entries)


def _name_of_block(one: Shown) -> str:
    """A block's name, as far as the folder it is shown in does not say it."""
    node = one.first
    folder = f"{one.places[-1].path}." if one.places and not one.places[-1].template else ""
    if node.block.name and folder and node.path.startswith(folder):
        return node.path[len(folder) :]
    return node.block.name or ""


def _use_box(graph: Graph, one: Shown) -> Box:
    """The box of a template's use, or a folder, that is shown closed."""
    place = one.closed
    assert place is not None
    frame = _frame(place, one.places)
    name = _name_of_place(place)
    rows = [frame.details.partition("\n")[0], ", ".join(kinds_of_blocks(one)), *_facts(graph, one)]
    details = "\n".join([*rows, place_text(place.span)])
    pieces = [*filter(None, (frame.note, *kinds_of_blocks(one)))] or [FOLDER]
    return Box("template", name, "", pieces, details, path=place.path, entries=frame.entries)


def _plain(node: Node) -> str:
    """The block type in plain words, and its options; of an activation only the function."""
    label = node.drawn
    if node.type == "activation" and label:
        return label
    return f"{node.type.replace('_', ' ')} {label}".rstrip()


def pieces_of(text: str) -> list[str]:
    """What stands between commas; those in brackets belong to a formula."""
    pieces, depth = [""], 0
    for part in re.split(r"(, |[()\[\]])", text):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        if part == ", " and depth <= 0:
            pieces.append("")
        else:
            pieces[-1] += part
    return pieces


def _details(graph: Graph, one: Shown) -> str:
    """What a viewer shows when the pointer rests on a box."""
    node = one.first
    rows = [f"[{node.type}] {node.path}"]
    if len(one.nodes) > 1:
        rows.append(
            "with " + ", ".join(dict.fromkeys(f"[{other.type}] {other.path}" for other in one.nodes[1:9]))
        )
        if len(one.nodes) > 9:
            rows[-1] += f" and {len(one.nodes) - 9} more"
    return "\n".join([*rows, *_facts(graph, one), place_text(node.span)])


def _facts(graph: Graph, one: Shown) -> Iterator[str]:
    for port, signal in one.last.outputs.items():
        yield f"shape {port + ' ' if port else ''}{show(signal.shape)}"
    yield f"{sum(other.parameters for other in one.nodes):,} parameters"
    if _all_frozen(one):
        yield "frozen"
    name = _lender(graph, one)
    if name:
        yield f"shares the parameters of {name}"


def _frames(graph: Graph, shown: list[Shown], boxes: dict[int, Box], all_frozen: bool) -> Frame:
    """The boxes in their frames. A frame around one box alone becomes a line in that box."""
    start = _start_of_all(graph)
    notes = [f"{amount(graph.parameters)} parameters", f"from {_file(start)}" if start else ""]
    note = ", ".join(filter(None, [*notes, "frozen" if all_frozen else ""]))
    whole = Frame(graph.name, note, network_details(graph), entries=(entry_of_network(graph),))
    open_frames: list[tuple[Place, Frame]] = []
    for one in shown:
        depth = 0
        while depth < min(len(open_frames), len(one.places)) and open_frames[depth][0] == one.places[depth]:
            depth += 1
        del open_frames[depth:]
        for index, place in enumerate(one.places[depth:], depth):
            frame = _frame(place, one.places[:index])
            (open_frames[-1][1] if open_frames else whole).parts.append(frame)
            open_frames.append((place, frame))
        (open_frames[-1][1] if open_frames else whole).parts.append(boxes[id(one)])
    whole.parts = [_without_needless(part) for part in whole.parts]
    return whole


def _frame(place: Place, around: Sequence[Place]) -> Frame:
    template = place.template.replace("_", " ")
    name = _name_of_place(place)
    title = f"[{place.template}] {place.path}" if template else f"{FOLDER} {place.path}"
    uses = (outer for outer in reversed(around) if outer.template)
    chain = (Note(outer.span, f"in the expansion of `{outer.template}`") for outer in uses)
    entry = Entry(title, place.span, None, tuple(chain))
    details = f"{title}\n{place_text(place.span)}"
    return Frame(name, template, details, place.count, [], place.path, (entry,), place.turn)


def _name_of_place(place: Place) -> str:
    """What it is called; a number says nothing of a use, which has its template, but is all that a folder has."""
    return plain_name(place.title) if place.template else place.title


def network_details(graph: Graph) -> str:
    """What a viewer shows when the pointer rests on a network."""
    counts = f"{graph.parameters:,} parameters, {graph.trainable:,} trainable"
    return f"{graph.name}\n{counts}\n{place_text(graph.span)}"


def entry_of_network(graph: Graph) -> Entry:
    """A network's signals and sums."""
    facts = {
        "inputs": {name: to_json(signal.shape) for name, signal in graph.inputs.items()},
        "outputs": {name or graph.name: to_json(signal.shape) for name, signal in graph.outputs.items()},
        "parameters": graph.parameters,
        "trainable": graph.trainable,
        "macs": graph.macs,
    }
    return Entry(graph.name, graph.span, graph.options, (), facts)


def _without_needless(part: Part) -> Part:
    """A frame that holds one box alone becomes that box, with the frame's name and number of turns."""
    if isinstance(part, Box):
        return part
    part.parts = [_without_needless(inner) for inner in part.parts]
    only = part.parts[0]
    if len(part.parts) > 1 or isinstance(only, Frame):
        return part
    only.count *= part.count
    if part.turn is not None:
        only.turn = replace(part.turn, name=part.turn.name or only.name)
    only.name = part.name or only.name
    only.place = "" if only.name else only.place
    if not only.pieces[0].startswith(part.note):  # the repeat of a plain block is called like the block
        only.template = part.note
    return only


def _mark_frames(frame: Frame) -> None:
    """Mark the frames in which everything is new, and those in which everything is gone."""
    for part in frame.parts:
        if isinstance(part, Frame):
            _mark_frames(part)
            marks = {inner.mark for inner in part.parts}
            if len(marks) == 1:
                part.mark = mark if (mark := marks.pop()) in ("added", "removed") else ""


def mark_text(mark: Mark, message: str) -> str:
    """A mark in words, and in one line what it is for."""
    return ": ".join(filter(None, (mark, "; ".join(message.splitlines()))))


def _say_marks(frame: Frame) -> None:
    """Say each part's mark where its details are, so that it is found, and heard, without its colour."""
    for part in frame.parts:
        if part.mark:
            message = part.message if isinstance(part, Box) else ""
            part.details += f"\n{mark_text(part.mark, message)}"
        if isinstance(part, Frame):
            _say_marks(part)


# --- wires --------------------------------------------------------------------------------------------------


class _Wires:
    """Makes the wires of one network, from the box of each node and the names of closed boxes' ports."""

    def __init__(
        self,
        graph: Graph,
        box_by: list[Box],
        ports: list[dict[tuple[int, str], str]],
        shapes: bool,
        marks: Marks,
    ) -> None:
        self.graph = graph
        self.box_by = box_by
        self.ports = ports
        self.shapes = shapes
        self.marks = marks

    def between_boxes(self) -> Iterator[Wire]:
        """The signals between boxes, each once; none within a box, none from one turn of a repeat to the next."""
        seen: set[tuple[int, str, int]] = set()
        order = {id(box): index for index, box in enumerate(dict.fromkeys(self.box_by))}
        for index, node in enumerate(self.graph.nodes):
            for signal in node.inputs:
                mark = self.marks.signals.get((signal.producer, signal.port, index), "")
                wire = self.wire(signal, self.box_by[index], mark)
                key = (id(wire.source), wire.port, id(wire.target))
                if order[id(wire.source)] < order[id(wire.target)] and key not in seen:
                    seen.add(key)
                    yield wire

    def to_outputs(self, frame: Frame) -> Iterator[Wire]:
        """A pill for each output of the network, and the wire into it."""
        for name, signal in self.graph.outputs.items():
            label = name or self.graph.name
            details = f"output {label}\nshape {show(signal.shape)}"
            pill = Box("output", label, "", [], details, path=f"output:{label}", shapes={"": signal.shape})
            pill.mark, pill.message, pill.drawn = self.marks.outputs.get(name, UNMARKED)
            frame.parts.append(pill)
            yield self.wire(signal, pill, pill.mark if pill.mark in ("added", "removed") else "")

    def wire(self, signal: Signal, target: Box, mark: Mark) -> Wire:
        port = self.ports[signal.producer].get((signal.producer, signal.port), signal.port)
        label = f"{port} {show(signal.shape) if self.shapes else ''}".strip()
        return Wire(self.box_by[signal.producer], target, port, label, mark=mark)


def _ports(graph: Graph, one: Shown, shown_by: list[Shown]) -> dict[tuple[int, str], str]:
    """What the signals of a closed box are called: nothing where there is one alone, else as inside."""
    given = list(dict.fromkeys(signals_given(graph, one, shown_by)))
    if len(given) < 2:
        return dict.fromkeys(given, "")
    assert one.closed is not None
    inside = len(one.closed.path) + 1
    names = (graph.reference(graph.nodes[index].outputs[port])[inside:] for index, port in given)
    return dict(zip(given, names, strict=True))


__all__ = ["Box", "Diagram", "Frame", "Mark", "Part", "Turn", "Wire", "amount", "diagram"]
