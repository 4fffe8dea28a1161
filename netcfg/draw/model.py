"""What a diagram shows of a graph: boxes, frames around them, and wires, before anything has a size.

Three things keep a diagram short. An activation, a dropout or a batch normalisation that alone follows a
block is written into that block's box. A repeat is shown once, marked ×N. A run of equal, unnamed boxes
becomes one, marked ×N. `expand=True` undoes the last two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from netcfg.draw.entry import Entry, entry_of, place_text
from netcfg.shapes import show, to_json
from netcfg.source import Note

if TYPE_CHECKING:
    from netcfg.graph import Graph, Node, Scope, Signal
    from netcfg.source import Span

MERGED_TYPES = frozenset({"activation", "prelu", "dropout", "batch_norm", "instance_norm"})
"""Blocks that are written into the box of the block they follow."""

Mark = Literal["", "added", "removed", "changed", "error"]
"""What is special about a box or wire: how it differs from another program's, or that it is wrong."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of several equal parts in a row this is: number `index`, from 0, of `count`.

    `of` is the same for all of them, and `name` what they are called together.
    """

    of: str
    name: str
    index: int
    count: int


@dataclass(slots=True, eq=False)
class Box:
    """One box: `pieces` are its type and options, `place` an unnamed block's position, `count` its ×N.

    `template` is what it is a use of, where nothing else is in that template. `path` is what others call it in
    its network, and `entries` the sections it stands for. `turn` is set where each turn is shown by itself.
    `colour` is that of its edge, if not its family's. `message` says what its `mark` is for; its lines stand below
    the others.
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


@dataclass(slots=True, eq=False)
class Frame:
    """A titled frame around boxes: a template's use, or the whole network. `parts` are in file order.

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


@dataclass(frozen=True, slots=True)
class _Place:
    """A scope as shown: the same one for all turns of a collapsed repeat."""

    path: str
    title: str
    template: str
    count: int
    span: Span
    turn: Turn | None = None


@dataclass(slots=True, eq=False)
class _Shown:
    """A box in the making: the nodes it stands for (`last` makes its signals) and the places it stands in."""

    nodes: list[Node]
    places: tuple[_Place, ...]
    last: Node
    count: int = 1
    merged: list[Node] = field(default_factory=list)
    turn: Turn | None = None

    @property
    def first(self) -> Node:
        return self.nodes[0]


def diagram(graph: Graph, expand: bool = False) -> Diagram:
    """The boxes, frames and wires of one network."""
    shown, shown_by = _boxes_of_nodes(graph, expand)
    runs = _runs(graph, shown)
    if expand:
        _number_runs(runs)
    else:
        shown = _runs_as_one(runs, shown_by)
    all_frozen = graph.parameters > 0 and graph.trainable == 0
    boxes = {id(one): _box(graph, one, all_frozen) for one in shown}
    frame = _frames(graph, shown, boxes, all_frozen)
    box_by = [boxes[id(one)] for one in shown_by]
    wires = [*_wires(graph, box_by), *_output_wires(graph, frame, box_by)]
    return Diagram(frame, wires, None if expand else partial(diagram, graph, True))


# --- which nodes share a box --------------------------------------------------------------------------------


def _boxes_of_nodes(graph: Graph, expand: bool) -> tuple[list[_Shown], list[_Shown]]:
    """The boxes in file order, and for each node the box that stands for it."""
    shown: list[_Shown] = []
    shown_by: list[_Shown] = []
    first_turns: dict[tuple[object, ...], _Shown] = {}
    for index, node in enumerate(graph.nodes):
        one = None if expand else first_turns.get(_turn_key(node))
        if one is not None:
            _add_turn(one, node)
        else:
            one = _producer_to_join(graph, index, shown_by)
            if one is not None:
                one.nodes.append(node)
                one.merged.append(node)
                one.last = node
            else:
                one = _Shown([node], tuple(_place(scope, expand) for scope in node.scopes), node)
                shown.append(one)
            if any(scope.count for scope in node.scopes):
                first_turns[_turn_key(node)] = one
        shown_by.append(one)
    return shown, shown_by


def _turn_key(node: Node) -> tuple[object, ...]:
    """Equal for nodes that do the same in each turn of a repeat: their place without the turns' numbers."""
    steps, outer = [], ""
    for scope in node.scopes:
        steps.append((_without_turn(scope)[len(outer) :], scope.template))
        outer = scope.path
    return (tuple(steps), node.path[len(outer) :], node.type)


def _without_turn(scope: Scope) -> str:
    return scope.path if scope.count is None else scope.path.rpartition(".")[0]


def _add_turn(one: _Shown, node: Node) -> None:
    one.nodes.append(node)
    if node.type == one.last.type:
        one.last = node


def _place(scope: Scope, expand: bool) -> _Place:
    if scope.count is None:
        return _Place(scope.path, _last(scope.path), scope.template, 1, scope.span)
    path = _without_turn(scope)
    if expand:
        turn = Turn(path, _plain_name(path), scope.index or 0, scope.count)
        title = f"{_last(path)} · {turn.index + 1} of {turn.count}"
        return _Place(scope.path, title, scope.template, 1, scope.span, turn)
    return _Place(path, _last(path), scope.template, scope.count, scope.span)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _plain_name(path: str) -> str:
    """The name at the end of a path, nothing where it is only a position."""
    name = _last(path)
    return "" if name.isdigit() else name


def _producer_to_join(graph: Graph, index: int, shown_by: list[_Shown]) -> _Shown | None:
    """The box of the block this node follows, where it is to be written into that box."""
    node = graph.nodes[index]
    if node.type not in MERGED_TYPES or len(node.inputs) != 1:
        return None
    signal = node.inputs[0]
    producer = graph.nodes[signal.producer]
    alone = graph.consumers[signal.producer, signal.port] == (index,) and len(producer.outputs) == 1
    is_output = any(output.producer == signal.producer for output in graph.outputs.values())
    if not alone or is_output or producer.is_input or producer.scopes != node.scopes:
        return None
    return shown_by[signal.producer]


def _runs(graph: Graph, shown: list[_Shown]) -> list[list[_Shown]]:
    """The boxes by runs of equal, unnamed ones, in which each is read by the next one alone."""
    runs: list[list[_Shown]] = []
    for one in shown:
        if runs and _continues(graph, runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _number_runs(runs: list[list[_Shown]]) -> None:
    for run in runs:
        for index, one in enumerate(run if len(run) > 1 else ()):
            one.turn = Turn(run[0].first.path, "", index, len(run))


def _runs_as_one(runs: list[list[_Shown]], shown_by: list[_Shown]) -> list[_Shown]:
    """Make one box of each run."""
    replaced: dict[int, _Shown] = {}
    for kept, *others in runs:
        for one in others:
            kept.nodes += one.nodes
            kept.last = one.last
            kept.count += 1
            replaced[id(one)] = kept
    shown_by[:] = [replaced.get(id(one), one) for one in shown_by]
    return [run[0] for run in runs]


def _continues(graph: Graph, previous: _Shown, one: _Shown) -> bool:
    # The signal of what is before must go into this box and nowhere else.
    source, node = previous.last, one.first
    if len(node.inputs) != 1 or node.is_input or len(source.outputs) != 1:
        return False
    signal = node.inputs[0]
    if graph.nodes[signal.producer] is not source or len(graph.consumers[signal.producer, signal.port]) != 1:
        return False
    if any(output.producer == signal.producer for output in graph.outputs.values()):
        return False
    return _looks(previous) == _looks(one) and not _named(previous.first) and not _named(node)


def _looks(one: _Shown) -> tuple[object, ...]:
    first = one.first
    merged = [(node.type, node.block.label()) for node in one.merged]
    return (first.type, first.block.label(), merged, one.places, one.last.output.shape, _frozen(first))


def _named(node: Node) -> bool:
    return node.block.name is not None


def _frozen(node: Node) -> bool:
    return node.parameters > 0 and node.trainable == 0


# --- boxes and frames ---------------------------------------------------------------------------------------


def _box(graph: Graph, one: _Shown, all_frozen: bool) -> Box:
    node = one.first
    name = node.path if node.is_input else (node.block.name or "")
    parts = [] if node.is_input else [_plain(node), *(_plain(other) for other in one.merged)]
    parts = [piece for part in parts for piece in part.split(", ")]
    frozen = _frozen(node) and not all_frozen
    place = "" if name or one.places or node.position is None else str(node.position)
    entries = tuple(entry_of(graph, each) for each in one.nodes)
    return Box(
        node.block.family,
        name,
        place,
        parts,
        _details(one),
        one.count,
        frozen,
        path=node.path,
        entries=entries,
        turn=one.turn,
    )


def _plain(node: Node) -> str:
    """The block type in plain words, and its options; of an activation only the function."""
    label = node.block.label()
    if node.type == "activation" and label:
        return label
    return f"{node.type.replace('_', ' ')} {label}".rstrip()


def _details(one: _Shown) -> str:
    """What a viewer shows when the pointer rests on a box."""
    node = one.first
    rows = [f"[{node.type}] {node.path}"]
    if len(one.nodes) > 1:
        rows.append(
            "with " + ", ".join(dict.fromkeys(f"[{other.type}] {other.path}" for other in one.nodes[1:9]))
        )
        if len(one.nodes) > 9:
            rows[-1] += f" and {len(one.nodes) - 9} more"
    for port, signal in one.last.outputs.items():
        rows.append(f"shape {port + ' ' if port else ''}{show(signal.shape)}")
    rows.append(f"{sum(other.parameters for other in one.nodes):,} parameters")
    if _frozen(node):
        rows.append("frozen")
    rows.append(place_text(node.span))
    return "\n".join(rows)


def _frames(graph: Graph, shown: list[_Shown], boxes: dict[int, Box], all_frozen: bool) -> Frame:
    """The boxes in their frames. A frame around one box alone becomes a line in that box."""
    note = f"{amount(graph.parameters)} parameters" + (", frozen" if all_frozen else "")
    counts = f"{graph.parameters:,} parameters, {graph.trainable:,} trainable"
    details = f"{graph.name}\n{counts}\n{place_text(graph.span)}"
    whole = Frame(graph.name, note, details, entries=(_entry_of_network(graph),))
    open_frames: list[tuple[_Place, Frame]] = []
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


def _frame(place: _Place, around: Sequence[_Place]) -> Frame:
    template = place.template.replace("_", " ")
    name = _plain_name(place.title)
    title = f"[{place.template}] {place.path}"
    chain = (Note(outer.span, f"in the expansion of `{outer.template}`") for outer in reversed(around))
    entry = Entry(title, place.span, None, tuple(chain))
    details = f"{title}\n{place_text(place.span)}"
    return Frame(name, template, details, place.count, [], place.path, (entry,), place.turn)


def _entry_of_network(graph: Graph) -> Entry:
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
    if not only.pieces[0].startswith(part.note):  # the repeat of a plain block is called like the block
        only.template = part.note
    return only


def amount(number: int) -> str:
    """A number as a reader takes it in: `134.3 M`, `12.4 k`, `532`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.99995 * size:  # 999,960 is 1.0 M, not 1000.0 k
            return f"{number / size:.1f} {unit}"
    return str(number)


# --- wires --------------------------------------------------------------------------------------------------


def _wires(graph: Graph, box_by: list[Box]) -> Iterator[Wire]:
    """The signals between boxes, each once; none within a box, none from one turn of a repeat to the next."""
    seen: set[tuple[int, str, int]] = set()
    order = {id(box): index for index, box in enumerate(dict.fromkeys(box_by))}
    for index, node in enumerate(graph.nodes):
        for signal in node.inputs:
            source, target = box_by[signal.producer], box_by[index]
            key = (id(source), signal.port, id(target))
            if order[id(source)] >= order[id(target)] or key in seen:
                continue
            seen.add(key)
            yield Wire(source, target, signal.port, _label(signal))


def _label(signal: Signal) -> str:
    return f"{signal.port} {show(signal.shape)}" if signal.port else show(signal.shape)


def _output_wires(graph: Graph, frame: Frame, box_by: list[Box]) -> Iterator[Wire]:
    """A pill for each output of the network, and the wire into it."""
    for name, signal in graph.outputs.items():
        shape = show(signal.shape)
        label = name or graph.name
        path = f"output:{label}"
        pill = Box("output", label, "", [], f"output {label}\nshape {shape}", path=path)
        frame.parts.append(pill)
        yield Wire(box_by[signal.producer], pill, signal.port, _label(signal))
