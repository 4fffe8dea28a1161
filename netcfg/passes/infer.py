"""Shapes, parameters and costs, from the inputs down, block by block as elaboration places them.

Requires: blocks wired to earlier ones. Ensures: every signal of the graph has a shape; sizes stay below the
stated limits. A block after a failed one is left out silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netcfg.axes import AXES
from netcfg.blocks.base import AxesError, Block, ShapeError
from netcfg.blocks.network.model import DataField
from netcfg.blocks.network.net import Input, Net
from netcfg.folding import Over, View, whole
from netcfg.graph import Graph, Node, Signal, WeightRequest
from netcfg.passes.drafts import Draft, Wire
from netcfg.shapes import UNKNOWN, Shape, Size, differ, is_beyond, known, show, volume
from netcfg.source import Finding, Note, Span, did_you_mean

MAX_PARAMETERS = 10**11
MAX_VOLUME = 2**34


Edge = tuple[int, str, int]
"""Producer, port and reader of a signal."""

Conflict = tuple[Finding, Edge | None]
"""A shape that cannot be, and the signal that has it."""


class _Figures(NamedTuple):
    """What a block gives, by port, and costs."""

    shapes: dict[str, Shape]
    parameters: int
    frozen: int
    macs: Size


class _Known(NamedTuple):
    """What a block is where it reads some signals, and what signals it gives there; `is_itself`: it is none other."""

    block: Block
    is_itself: bool
    figures: _Figures
    signals: dict[str, Signal]


class Inference:
    """Knows what every block of a network gives, as soon as that block is placed.

    `nodes` are those placed so far: None for one that failed, or reads one that did. With `is_tolerant`, for pictures
    of broken programs, such a block gives a signal of unknown shape and inputs that are not there are left out;
    `conflicts` then are by block what is wrong with shapes, and `edges` those to blame, of which one may come from a
    port that its producer does not have. `has_single_input`: unknown sizes need no input's name.
    """

    def __init__(
        self, findings: list[Finding], has_single_input: bool = False, is_tolerant: bool = False
    ) -> None:
        self.nodes: list[Node | None] = []
        self.findings = findings
        self.has_single_input = has_single_input
        self.parameters: dict[str, int] = {}
        self.tolerant = is_tolerant
        self.ports: set[int] = set()
        """The blocks that make named outputs of templates."""
        self.conflicts: dict[int, Conflict] = {}
        self.edges: set[Edge] = set()
        self._known: dict[tuple[object, ...], _Known] = {}

    def place(self, draft: Draft) -> Wire:
        """The next block, with all that is known of it; the wire is what it gives."""
        self.nodes.append(self._node(draft))
        return Wire(len(self.nodes) - 1)

    def graph(
        self, name: str, net: Net, span: Span, outputs: Mapping[str, Wire], weights: Sequence[WeightRequest]
    ) -> Graph | None:
        """The network whose blocks were placed; None where anything in it failed. {Model} has no outputs."""
        signals = {port: self.signal(wire, None) for port, wire in outputs.items()}
        kept = {port: signal for port, signal in signals.items() if signal is not None}
        complete = [node for node in self.nodes if node is not None]
        if self.tolerant:
            return Graph(name, tuple(complete), kept, span, net)
        if len(complete) < len(self.nodes) or len(kept) < len(signals):
            return None
        if outputs:  # what {Model} computes is read by losses and metrics
            _warn_unused(name, complete, kept, self.ports, self.findings)
        graph = Graph(name, tuple(complete), kept, span, net, tuple(weights))
        if graph.parameters > MAX_PARAMETERS:
            message = f"`{graph.name}` has {graph.parameters} parameters; the limit is {MAX_PARAMETERS}"
            self.findings.append(Finding("NC304", message, span, help="fewer filters or features"))
        return graph

    def _node(self, draft: Draft) -> Node | None:
        """The draft with its signals, or None where it (or what it reads) failed."""
        inputs = []
        for wire in draft.wires:
            signal = self.signal(wire, draft)
            if signal is not None:
                inputs.append(signal)
            elif not self.tolerant:
                return None
        if self.tolerant:
            lacks = len(inputs) < max(len(draft.wires), draft.block.input_count or 0)
            if lacks or any(signal.seen(draft.over).shape == UNKNOWN for signal in inputs):
                return self._unknown(draft, inputs)
        index = len(self.nodes)
        try:
            block, figures, outputs = self._at(index, draft, inputs)
            parameters = self._own_parameters(draft, figures.parameters)
            frozen = parameters if draft.freeze else figures.frozen
        except ShapeError as error:
            self._report(error, draft, inputs)
            return self._conflict(error, draft, inputs) if self.tolerant else None
        # Parameters are the same for each place, products are not.
        macs = figures.macs
        for one in draft.over:
            macs = macs * one.size
        return Node(
            draft.path,
            block,
            tuple(inputs),
            outputs,
            draft.section.span,
            draft.position,
            draft.scopes,
            parameters,
            parameters - frozen,
            macs if isinstance(macs, int) else None,
            draft.freeze,
            draft.holder if draft.holder != draft.path else None,
            draft.source if draft.source != draft.path else None,
            draft.over,
            draft.again,
            draft.once,
        )

    def _check_over(self, draft: Draft, inputs: Sequence[Signal]) -> None:
        """Refuse signals with another number of places than those that the use is `over`, or none of their own."""
        for argument, signal in enumerate(inputs):
            for one in draft.over[len(signal.folded) if signal.folded == draft.over else 0 :]:
                at = signal.axes.find(one.letter)
                if signal.shared and at >= 0:
                    raise ShapeError(
                        f"reads {AXES[one.letter]} that are the same for all samples, inside a use that is over "
                        f"{AXES[one.letter]}",
                        argument=argument,
                        help="let it read them outside",
                    )
                if at >= 0 and differ(signal.shape[at], one.size):
                    raise ShapeError(
                        f"is computed for each of {one.size} {AXES[one.letter]}, and is given "
                        f"{show(signal.shape)}: {signal.shape[at]} of them",
                        argument=argument,
                    )

    def _at(
        self, index: int, draft: Draft, inputs: Sequence[Signal]
    ) -> tuple[Block, _Figures, dict[str, Signal]]:
        """A block where it stands, what it costs and gives. Raises `ShapeError`.

        Large networks are made of few kinds of blocks: one with the same options on the same signals as an earlier one
        is not asked again.
        """
        # Of a signal all counts but where it comes from.
        key = None if draft.kin is None else (draft.kin, draft.over, *[signal[2:] for signal in inputs])
        known = None if key is None else self._known.get(key)
        if known is not None:
            signals = {port: Signal(index, *signal[1:]) for port, signal in known.signals.items()}
            return self._alike(draft.block, known), known.figures, signals
        if draft.over:
            self._check_over(draft, inputs)
        views = [signal.seen(draft.over) for signal in inputs]
        block = _placed(draft.block, inputs, views)
        figures = self._figures(block, tuple([view.shape for view in views]))
        signals = _signals(index, block, inputs, views, figures.shapes, draft.over)
        if key is not None:
            self._known[key] = _Known(block, block is draft.block, figures, signals)
        return block, figures, signals

    @staticmethod
    def _alike(block: Block, known: _Known) -> Block:
        """A block as one of its kin is where that reads the same."""
        if known.is_itself:
            return block
        # The known one has the axes and kinds that `placed` gave it; name and place in the file are its own.
        copy = known.block.model_copy(update=None if block.name == known.block.name else {"name": block.name})
        if block.written_at is not None:
            copy.place(block.written_at)
        return copy

    def _figures(self, block: Block, shapes: tuple[Shape, ...]) -> _Figures:
        """What a block gives and costs. Raises `ShapeError`."""
        if isinstance(block, Input):
            return self._asked(block, {"": block.shape_in(self.has_single_input)}, shapes)
        return self._asked(block, block.shape(*shapes), shapes)

    def _asked(self, block: Block, result: Shape | dict[str, Shape], shapes: tuple[Shape, ...]) -> _Figures:
        made = {"": result} if isinstance(result, tuple) else result
        self._check_volume(made)
        return _Figures(
            made, block.parameters(*shapes), block.frozen_parameters(*shapes), block.macs(*shapes)
        )

    def _conflict(self, error: ShapeError, draft: Draft, inputs: list[Signal]) -> Node:
        """Take note of what is wrong with a block, and which of its inputs is to blame."""
        signal = inputs[error.argument] if error.argument is not None and inputs else None
        edge = (signal.producer, signal.port, len(self.nodes)) if signal else None
        self.conflicts[len(self.nodes)] = self.findings[-1], edge
        return self._unknown(draft, inputs)

    def _unknown(self, draft: Draft, inputs: list[Signal]) -> Node:
        """A block that gives nobody knows what."""
        outputs = {"": Signal(len(self.nodes), "", UNKNOWN)}
        return Node(
            draft.path,
            draft.block,
            tuple(inputs),
            outputs,
            draft.section.span,
            draft.position,
            draft.scopes,
            macs=None,
            freeze=draft.freeze,
        )

    def signal(self, wire: Wire, reader: Draft | None) -> Signal | None:
        """What a wire carries; a port that its producer does not have is reported."""
        producer = self.nodes[wire.producer] if 0 <= wire.producer < len(self.nodes) else None
        if producer is None:
            return None
        if not wire.port:
            return producer.output
        # What is broken may have any port: its own mistake has been told.
        if wire.port not in producer.outputs and producer.output.shape == UNKNOWN:
            return Signal(wire.producer, wire.port, UNKNOWN)
        if wire.port not in producer.outputs:
            ports = [port for port in producer.outputs if port]
            message = f"`{producer.path}` ({producer.type}) has no port `{wire.port}`"
            span = reader.section.span if reader else producer.span
            help = (
                did_you_mean(wire.port, ports) if ports else f"write `{producer.name}`: it gives one signal"
            )
            self.findings.append(Finding("NC204", message, span, help=help))
            self.edges.add((wire.producer, wire.port, len(self.nodes)))
            return Signal(wire.producer, wire.port, UNKNOWN) if self.tolerant and reader else None
        return producer.outputs[wire.port]

    def _own_parameters(self, draft: Draft, needed: int) -> int:
        """How many parameters of its own a block has: none where it uses another's, which must be as many."""
        if draft.holder == draft.path:
            self.parameters[draft.path] = needed
            return needed
        # A holder that failed is not there, and was reported.
        held = self.parameters.get(draft.holder, needed)
        if held != needed:
            message = f"needs {needed} parameters for what it is fed, and `{draft.holder}`, whose it uses, has {held}"
            raise ShapeError(message, code="NC213", help="feed both the same number of channels or features")
        return 0

    @staticmethod
    def _check_volume(shapes: dict[str, Shape]) -> None:
        for shape in shapes.values():
            if is_beyond(shape, MAX_VOLUME):
                total = volume(shape) if known(shape) else "too many"
                message = f"gives {show(shape)}, {total} numbers per sample; the limit is {MAX_VOLUME}"
                raise ShapeError(message, code="NC304", help="smaller sizes")

    def _report(self, error: ShapeError, draft: Draft, inputs: list[Signal]) -> None:
        """The consumer underlined, a note at the producer of the shape it cannot take."""
        notes = []
        if error.argument is not None and inputs:
            signal = inputs[error.argument]
            producer = self.nodes[signal.producer]
            assert producer is not None
            notes.append(self._gives(producer, signal))
            if error.other is not None and error.other != error.argument:
                other = inputs[error.other]
                first = self.nodes[other.producer]
                assert first is not None
                notes.append(self._gives(first, other))
        notes += [Note(scope.span, f"in this use of `{scope.template}`") for scope in reversed(draft.scopes)]
        message = f"{_subject(draft.block)} {error}"
        if isinstance(error, AxesError):
            message += f" from {self._whence(inputs[error.argument or 0], draft)}"
        self.findings.append(Finding(error.code, message, _place(error, draft), tuple(notes), error.help))

    def _whence(self, signal: Signal, reader: Draft) -> str:
        """A signal's producer and where that stands."""
        producer = self.nodes[signal.producer]
        assert producer is not None
        span = producer.span
        file = "" if span.file is reader.section.file else f"{span.file.name} "
        return f"{_called(producer)}, {file}line {span.line}"

    @staticmethod
    def _gives(producer: Node, signal: Signal) -> Note:
        arithmetic = producer.block.arithmetic(*producer.given)
        how = f": {arithmetic}" if arithmetic else ""
        return Note(
            producer.span, f"{_called(producer)} gives {show(signal.shape) or 'one number'} here{how}"
        )


def _warn_unused(
    name: str, nodes: list[Node], outputs: dict[str, Signal], ports: set[int], findings: list[Finding]
) -> None:
    """Warn of blocks that nothing reads: they would be built, saved, and never computed.

    Not of what makes `ports` of templates: of these everyone reads those that he needs.
    """
    read = {signal.producer for node in nodes for signal in node.inputs}
    read |= {signal.producer for signal in outputs.values()}
    for index, node in enumerate(nodes):
        if index in read or index in ports:
            continue
        what = f"the input `{node.path}`" if node.is_input else f"`{node.path}` ({node.type})"
        message = f"nothing in `{name}` reads {what}"
        help = (
            "take it out, or name it in an [output]"
            if not node.is_input
            else "take it out, or read it with `from`"
        )
        findings.append(Finding("NC209", message, node.span, help=help, severity="warning"))


def _placed(block: Block, inputs: Sequence[Signal], views: Sequence[View]) -> Block:
    """The block as it is where it reads these. Raises `AxesError` where it does not take them."""
    block.expect([view.axes for view in views], [signal.kind for signal in inputs])
    placed = block.placed(*[view.axes or (None if view.shape else "") for view in views])
    held = placed.holding(*[signal.kind for signal in inputs])
    held.is_shared(*[signal.shared for signal in inputs])  # asked for what it refuses
    return held


def _signals(
    index: int,
    block: Block,
    inputs: Sequence[Signal],
    views: Sequence[View],
    shapes: Mapping[str, Shape],
    over: tuple[Over, ...],
) -> dict[str, Signal]:
    """What a block gives, by port. Axes that do not fit a shape are not known."""
    axes = block.axes(*[view.axes for view in views])
    kind = block.kind(*[signal.kind for signal in inputs])
    shared = block.is_shared(*[signal.shared for signal in inputs])
    signals = {}
    for port, shape in shapes.items():
        letters = axes if isinstance(axes, str) else axes[port]
        letters = letters if len(letters) == len(shape) else ""
        held = kind if isinstance(kind, str) else kind[port]
        if over and not shared:
            inner = View(shape, letters, over)
            shape, letters, _ = whole(inner)
            signals[port] = Signal(index, port, shape, letters, held, shared, inner)
        else:
            signals[port] = Signal(index, port, shape, letters, held, shared)
    return signals


def _called(node: Node) -> str:
    if isinstance(node.block, DataField):
        return f"the data field `{node.path}`"
    if node.is_input:
        return f"the input `{node.path}`"
    return f"`{node.block.name}`" if node.block.name else f"[{node.type}]"


def _subject(block: Block) -> str:
    kind = block.label() if block.type_name == "network" else block.type_name
    return f"`{block.name}` ({kind})" if block.name else f"[{kind}]"


def _place(error: ShapeError, draft: Draft) -> Span:
    option = draft.section.option(error.option) if error.option else None
    if option is None:
        return draft.section.span
    return option.item_span(error.item) if error.item else option.value_span
