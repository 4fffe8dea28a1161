"""The graph a network is: nodes, the signals between them, and the scopes they were written in.

Everything here is frozen and knows its place in the file. Passes take a graph and give a new one; the
builder, the summary and the diagrams read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import NamedTuple

from netcfg.axes import AXES, Kind
from netcfg.blocks.base import Block
from netcfg.blocks.network.net import Net
from netcfg.folding import Over, View, inside, moves, over_in_words, resized, whole
from netcfg.shapes import Shape, Size
from netcfg.source import Note, Span


@dataclass(frozen=True, slots=True)
class Scope:
    """One level of expansion around a node: the use of a template, or one turn of a repeat.

    `path` is the parameter path of this level (`features`, `layer1.0`), `template` the block type that was
    expanded (`vgg16_features`), or for a repeated plain block its own type. `index`/`count` number the turns
    of a repeat (`index` 0..count-1); both are None where the use has no `repeat`. `given` are the parameters that the
    use of a template states. Pictures have scopes without a template, too: folders of names.
    """

    path: str
    template: str
    span: Span
    index: int | None = None
    count: int | None = None
    given: tuple[tuple[str, str], ...] = field(default=(), compare=False)


class Signal(NamedTuple):
    """What flows out of a node's port. `producer` is the index of the node in `Graph.nodes`.

    `shape` has no batch axis; a size is an int or a symbolic expression (see `netcfg.shapes`). `axes` says what its
    sizes count, a letter each (see `netcfg.axes`); "" where nobody said, and for one number. `shared`: it is the
    same for all samples, and computed once, with a batch axis of 1. `inner` is what was made inside a use with
    `over`, where some axes are places of the batch; `shape` and `axes` say them all the same.
    """

    producer: int
    port: str
    shape: Shape
    axes: str = ""
    kind: Kind = "number"
    shared: bool = False
    inner: View | None = None
    """Where axes are folded: what it is without them, and which they are."""

    @property
    def folded(self) -> tuple[Over, ...]:
        """The axes that are places of its batch."""
        return self.inner.folded if self.inner else ()

    @property
    def kept(self) -> View:
        """As its tensor is."""
        return self.inner or View(self.shape, self.axes)

    def seen(self, over: tuple[Over, ...]) -> View:
        """As a block below `over` reads it."""
        return moves(self.kept, over)[0] if over or self.folded else View(self.shape, self.axes)

    @property
    def axis_names(self) -> list[str] | None:
        """What its sizes count, in order; None where nobody said."""
        return [AXES[letter] for letter in self.axes] if self.axes or not self.shape else None

    @property
    def has_places(self) -> bool:
        """Whether it has pixels, of a picture or of each frame; of three sizes or more of which nobody said what they
        count, it is taken for granted.
        """
        return {"H", "W"} <= set(self.axes) or (not self.axes and len(self.shape) >= 3)

    @property
    def is_image(self) -> bool:
        """Whether it has pixels: C×H×W, or three sizes of which nobody said what they count."""
        shape, axes, _ = self.kept
        return axes == "CHW" or (not axes and len(shape) == 3)


class Again(NamedTuple):
    """A use that is computed again in the backward pass: the number of its first node, and where it says so."""

    number: int
    span: Span


class Node(NamedTuple):
    """A block in its place.

    `path` is unique in the network and is the prefix of the parameters' names (`features.0`, `stem`).
    `inputs` are the signals it reads, in order; `outputs` the ones it makes, by port (one, named "", for most
    blocks). `position` is what a reader counts: the place of the written block after `[net]` (None for an `[input]`).
    `parameters`, `trainable` (those not frozen) and `macs` are per node; `macs` for one sample, None where a
    size is unknown. `freeze`: all of its parameters stay as they start. `shared` is the path of the block whose
    parameters it uses instead of its own. `source_path` is what files of weights call it, where `weights_from` is
    written. `over` are the axes for whose places it computes, one by one. `again` is the
    use around it that the backward pass computes again (`checkpoint = True`). `once`, in `{Model}`: made once in a
    batch.
    """

    path: str
    block: Block
    inputs: tuple[Signal, ...]
    outputs: dict[str, Signal]
    span: Span
    position: int | None
    scopes: tuple[Scope, ...] = ()
    parameters: int = 0
    trainable: int = 0
    macs: int | None = 0
    freeze: bool = False
    shared: str | None = None
    source_path: str | None = None
    over: tuple[Over, ...] = ()
    again: Again | None = None
    once: bool = False

    @property
    def given(self) -> tuple[Shape, ...]:
        """The shapes that it reads, as its block sees them."""
        if not self.over:
            return tuple([signal.shape for signal in self.inputs])
        return tuple([signal.seen(self.over).shape for signal in self.inputs])

    @property
    def times(self) -> Size:
        """How often its block computes for one sample: once, or once for each place that it is `over`."""
        return prod(one.size for one in self.over)

    @property
    def holder(self) -> str:
        """The path of its parameters: its own, or that of the block it shares them with."""
        return self.shared or self.path

    @property
    def label(self) -> str:
        """The options that matter, in a few characters."""
        return ", ".join(filter(None, (self.block.label(), over_in_words(self.over))))

    @property
    def drawn(self) -> str:
        """The same, as a picture's box has room for it."""
        return ", ".join(filter(None, (self.block.drawn(), over_in_words(self.over))))

    @property
    def type(self) -> str:
        """The block type as written in brackets."""
        return self.block.type_name

    @property
    def name(self) -> str:
        """The last part of the path: the block's name, or its position."""
        return self.path.rpartition(".")[2]

    @property
    def output(self) -> Signal:
        """The node's first (for most blocks: only) signal."""
        return next(iter(self.outputs.values()))

    @property
    def is_input(self) -> bool:
        """Whether this is a network input rather than a computation."""
        return self.block.type_name == "input"

    def chain(self) -> tuple[Note, ...]:
        """Notes that lead from a node inside templates to the use a reader wrote."""
        return tuple(
            Note(scope.span, f"in the expansion of `{scope.template}`")
            for scope in reversed(self.scopes)
            if scope.template
        )


class WeightRequest(NamedTuple):
    """Where the parameters below `path` ("" for a whole network) start from, as the file asks.

    `source` is a file or `imagenet`; `layout`, `adapt` and `output_row` are the options of the same names.
    `source_path` is the asking block's (see `Node`), `part` the part of the file that it asks for: "" for all.
    """

    path: str
    source: str
    layout: str | None
    adapt: str
    output_row: int | str | None
    span: Span
    source_path: str = ""
    part: str = ""


@dataclass(frozen=True)
class Graph:
    """One network: nodes in file order (each reads only earlier ones), its inputs and its outputs.

    `outputs` maps output names to signals; a network that names none has one output called "". `named` are, in
    `{Model}`, signals by what its blocks are called, where that is not the path of one.
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: dict[str, Signal]
    span: Span
    options: Net = field(repr=False)
    weights: tuple[WeightRequest, ...] = ()
    named: Mapping[str, Signal] = field(default_factory=dict, repr=False)
    is_block: bool = False
    """Whether it is a block of `{Model}` that learns, and no network that was declared."""

    @cached_property
    def inputs(self) -> dict[str, Signal]:
        """The network's inputs by name, in file order."""
        return {node.path: node.output for node in self.nodes if node.is_input}

    def output_shapes(self, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
        """The shapes of its outputs for other shapes of its inputs. Raises `ShapeError` where one cannot be."""
        if all(shape == self.inputs[name].shape for name, shape in inputs.items()):
            return {name: signal.shape for name, signal in self.outputs.items()}
        shapes: dict[tuple[int, str], Shape] = {}
        for index, node in enumerate(self.nodes):
            if node.is_input:
                shapes[(index, "")] = inputs[node.path]
                continue
            over = resized(node.over, shapes)
            read = (_seen(signal, shapes, over) for signal in node.inputs)
            given = node.block.shape(*read)
            made = {"": given} if isinstance(given, tuple) else given
            made = {port: _whole(node.outputs[port], shape, over) for port, shape in made.items()}
            shapes |= {(index, port): shape for port, shape in made.items()}
        return {name: shapes[(signal.producer, signal.port)] for name, signal in self.outputs.items()}

    @property
    def blocks(self) -> Iterator[Node]:
        """The computing nodes: all but the inputs."""
        return (node for node in self.nodes if not node.is_input)

    @cached_property
    def consumers(self) -> dict[tuple[int, str], tuple[int, ...]]:
        """For each (producer, port) the indices of the nodes that read it."""
        readers: dict[tuple[int, str], list[int]] = {}
        for index, node in enumerate(self.nodes):
            for signal in node.inputs:
                readers.setdefault((signal.producer, signal.port), []).append(index)
        return {key: tuple(indices) for key, indices in readers.items()}

    @cached_property
    def _by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.blocks}

    def owner(self, name: str) -> Node | None:
        """The block that has a parameter or a buffer of this name: the innermost one that stands at a part of its path,
        or at all of it, where a block is one tensor (`owns_tensor`). None where there is no such block.
        """
        node = self._by_path.get(name)
        if node is not None and node.block.owns_tensor():
            return node
        while name:
            name = name.rpartition(".")[0]
            if name in self._by_path:
                return self._by_path[name]
        return None

    def reference(self, signal: Signal) -> str:
        """A signal as a reader would write it: `name`, or `name.port`."""
        path = self.nodes[signal.producer].path
        return f"{path}.{signal.port}" if signal.port else path

    @cached_property
    def parameters(self) -> int:
        """How many numbers are learned or loaded."""
        return sum(node.parameters for node in self.nodes)

    @cached_property
    def trainable(self) -> int:
        """The parameters that are not frozen."""
        return sum(node.trainable for node in self.nodes)

    @cached_property
    def macs(self) -> int | None:
        """Multiply-accumulates for one sample; None where a size is unknown."""
        total = 0
        for node in self.nodes:
            if node.macs is None:
                return None
            total += node.macs
        return total

    def _repr_svg_(self) -> str:
        """The diagram of it, which notebooks show."""
        from netcfg.draw import picture

        return picture([self])._repr_svg_()


def _seen(signal: Signal, shapes: Mapping[tuple[int, str], Shape], over: tuple[Over, ...]) -> Shape:
    """What a block below `over` sees of a signal that has another shape now."""
    shape = shapes[signal.producer, signal.port]
    if not over and not signal.folded:
        return shape
    folded = resized(signal.folded, shapes)
    inner = View(shape, signal.axes)
    for one in folded:
        inner, at = inside(inner, one)
        if at is None:  # nobody said what its axes are: those folded stand in front
            inner = View(inner.shape[1:], "", inner.folded)
    if signal.inner:
        inner = View(inner.shape, signal.inner.axes, folded)
    return moves(inner, over)[0].shape


def _whole(signal: Signal, shape: Shape, over: tuple[Over, ...]) -> Shape:
    """A shape with the axes of `over`."""
    return whole(View(shape, signal.inner.axes, over)).shape if signal.inner else shape
