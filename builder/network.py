"""A graph becomes one PyTorch module whose `forward` is straight-line Python, written for that graph.

Why generated source rather than torch.fx: there is nothing to trace, since the graph is the program already; the
source is what a person would write by hand, can be read (`print(network.source_code)`), steps in a debugger, and costs
nothing per layer. Each line names the place in the `.cfg` file it comes from, so that a traceback leads there.
Every intermediate's variable is reused or deleted after its last use.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Sequence
from functools import cache
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.made import Made
from netcfg.builder.again import again
from netcfg.builder.given import Given
from netcfg.builder.modules.apart import each_place, tell_apart
from netcfg.builder.parts import Line, with_stretches
from netcfg.builder.rows import Rows, by_length, over_places, trimmed
from netcfg.faults import NODES, failing_node, untrue
from netcfg.folding import Move, Over, moves
from netcfg.graph import Graph, Node, Signal
from netcfg.passes.held import stretches_of
from netcfg.passes.lifetimes import Key, Lifetimes
from netcfg.passes.ragged import length_in_python, name_of, names_of, ragged_places
from netcfg.program import Program
from netcfg.shapes import Size, show
from netcfg.source import NetcfgError, ProgramError

BATCH = "__batch__"
"""What a `forward` calls a signal that says how many samples there are."""
LENGTHS = "lengths"
"""What a `forward` calls how long clips and rows are, where they differ from sample to sample."""
_HELPERS = {
    "Rows": Rows,
    "again": again,
    "by_length": by_length,
    "over_places": over_places,
    "trimmed": trimmed,
}
GIVEN = "__netcfg_given__"
"""What compares in a checked `forward`, among its globals."""


class Network(nn.ModuleDict):
    """A built network: its blocks by name, and a `forward` made for it.

    Called with its inputs in file order or by name; gives a tensor, or a dict of tensors by output name.
    """

    source_code: str = ""
    """The text of its `forward`."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Its class is made at run time and stands in no module: whoever unpickles it makes it from the source
        # again.
        return _restored, (type(self).__name__, self.source_code), self.__dict__


def build(program: Program) -> nn.ModuleDict:
    """Every network of a program by name, with fresh weights."""
    return nn.ModuleDict({name: build_network(graph) for name, graph in program.networks.items()})


def build_network(graph: Graph) -> Network:
    """One network, with fresh weights; frozen blocks do not ask for gradients."""
    writer = _Writer(graph)
    kind = _network_class(re.sub(r"\W", "_", graph.name), writer.source())
    kind.forward.__globals__[NODES] = writer.nodes  # whom an error in it is blamed on
    network = kind()
    for node in graph.blocks:
        # In file order: it decides which random numbers each block starts from, and so what a seed means.
        if node.shared is None and (node.block.owns_tensor() or not _is_inline(node)):
            module = module_of(node)
            if node.freeze:
                module.requires_grad_(False)
            if any(one.apart for one in node.over):
                tell_apart(module)
            _place(network, node, module)
    return network


def module_of(node: Node) -> nn.Module:
    """The module that computes a node, with fresh parameters."""
    try:
        lowered = node.block.lower(*node.given)
        module = lowered.build() if isinstance(lowered, Made) else lowered
    except NetcfgError:
        raise
    except Exception as error:
        raise ProgramError([failing_node(node, error, "lower")]) from error
    if not isinstance(module, nn.Module):
        message = f"gives {type(module).__name__} from `lower`, which is no module"
        help = "give an `nn.Module`, or `made(Class, …)`"
        raise ProgramError([untrue(type(node.block), message, node.span, help)])
    return module


def with_roles(node: Node, module: nn.Module) -> Callable[..., Any]:
    """A node's module as a function of the node's inputs in order, of which it takes roles by name."""
    roles = node.block.written_roles()
    if not roles:
        return module

    def call(*inputs: Tensor) -> Any:
        named = {role: node.block.of_role(role, inputs) for role in roles}
        return module(*node.block.main(inputs), **named)

    return call


def partial_forward(graph: Graph) -> Callable[..., Any]:
    """A `forward`, `(network, *inputs)`, of a network that gives some of its outputs: of `graph`, in a dict by name."""
    writer = _Writer(graph, is_part=True)
    scope = _executed(f"{graph.name}, in part", writer.source())
    scope[NODES] = writer.nodes
    forward: Callable[..., Any] = scope["forward"]
    return forward


def checked_forward(graph: Graph, watch: Any = None, is_part: bool = False) -> Callable[..., Any]:
    """The `forward` of a network, `(network, *inputs)`, that also compares what each block gives with what it declares.

    It computes the same numbers. Raises `ProgramError` (NC702) at the first block that gives something else. With a
    `watch`, `watch(number of the block, what it gives)` is called instead, and `watch.begin` with the first input.
    """
    writer = _Writer(graph, is_checked=True, is_part=is_part)
    scope = _executed(f"{graph.name}, checked", writer.source())
    scope |= {NODES: writer.nodes, GIVEN: watch or Given(graph)}
    forward: Callable[..., Any] = scope["forward"]
    return forward


def first_call(network: Network, graph: Graph, inputs: Sequence[Tensor]) -> Any:
    """What a network gives, every block compared with what it declares, where that can be.

    Compiled code is left as it is, and so are other sizes than the file's.
    """
    if not _can_be_checked(network, graph, inputs):
        return network(*inputs)
    return _called_by(checked_forward(graph), network, inputs)


class Part:
    """A network as a function that gives some of its outputs, those of `graph`, and computes nothing for the others."""

    def __init__(self, network: Network, graph: Graph) -> None:
        self.network = network
        self.graph = graph
        self.forward = partial_forward(graph)

    def __call__(self, *inputs: Tensor) -> dict[str, Tensor]:
        """The outputs by name."""
        made: dict[str, Tensor] = _called_by(self.forward, self.network, inputs)
        return made

    def first_call(self, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
        """The same, compared as by the function of this name."""
        if not _can_be_checked(self.network, self.graph, inputs):
            return self(*inputs)
        made: dict[str, Tensor] = _called_by(checked_forward(self.graph, is_part=True), self.network, inputs)
        return made


def _can_be_checked(network: Network, graph: Graph, inputs: Sequence[Tensor]) -> bool:
    declared = [signal.shape for signal in graph.inputs.values()]
    fits = all(tuple(x.shape[1:]) == shape for x, shape in zip(inputs, declared, strict=False))
    return bool(declared) and network._compiled_call_impl is None and fits


def _called_by(forward: Callable[..., Any], network: Network, inputs: Sequence[Tensor]) -> Any:
    """What a network gives by another `forward` than its own."""
    # On the object, so that the call and its hooks are the ordinary ones; gone again whatever happens.
    network.forward = MethodType(forward, network)  # type: ignore[method-assign]
    try:
        return network(*inputs)
    finally:
        del network.forward


def _place(network: Network, node: Node, module: nn.Module) -> None:
    """Put a module, or the tensor of one, at its path; the levels between are plain dictionaries."""
    *levels, name = node.path.split(".")
    here: nn.ModuleDict = network
    for level in levels:
        if level not in here:
            here[level] = nn.ModuleDict()
        here = here[level]  # type: ignore[assignment]
    if not node.block.owns_tensor():
        here[name] = module
    elif isinstance(module.value, nn.Parameter):
        here.register_parameter(name, module.value)
    else:
        assert isinstance(module.value, Tensor)
        here.register_buffer(name, module.value)


def _is_inline(node: Node) -> bool:
    return node.block.inline(*("x" for _ in node.inputs), *_tensor(node)) is not None


def _tensor(node: Node) -> list[str]:
    """The tensor that a block has under its own path, in Python; [] of other blocks."""
    if not node.block.owns_tensor():
        return []
    *levels, name = node.holder.split(".")
    holder = f"self{_indexed(levels)}"
    return [f"{holder}.{name}" if name.isidentifier() else f'getattr({holder}, "{name}")']


def _repeated(name: str, signal: Signal, batch: str) -> str:
    """A signal that is the same for all samples, which has a batch axis of 1, for each sample of another one."""
    sizes = ", ".join([f"{batch}.shape[0]", *("-1" for _ in signal.shape)])
    return f"{name}.expand({sizes})"


def _indexed(levels: list[str]) -> str:
    """What leads to a module through dictionaries of modules, in Python."""
    return "".join(f'["{level}"]' for level in levels)


@cache
def _network_class(name: str, source: str) -> type[Network]:
    """The class of a source. Cached, so that equal networks are of one class."""
    forward: Callable[..., Any] = _executed(name, source)["forward"]
    return type(name, (Network,), {"forward": forward, "source_code": source})


def _executed(name: str, source: str) -> dict[str, Any]:
    """The globals of a written text after it has run."""
    filename = f"<network {name} {abs(hash(source)):x}>"
    # Where tracebacks and debuggers look for lines.
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope: dict[str, Any] = {"torch": torch, "F": F, "Tensor": Tensor, "each_place": each_place, **_HELPERS}
    # Our own text: nothing of a user's file is in it but names that were checked to be words.
    exec(compile(source, filename, "exec"), scope)
    return scope


def _restored(name: str, source: str) -> Network:
    kind = _network_class(name, source)
    return kind.__new__(kind)


class _Writer:
    """Writes the `forward` of a graph. `nodes` are those that its lines compute, by the lines' numbers."""

    def __init__(self, graph: Graph, is_checked: bool = False, is_part: bool = False) -> None:
        self.graph = graph
        self.is_checked = is_checked
        self.is_part = is_part
        self.nodes: dict[int, Node] = {}
        self.stretches = stretches_of(graph)
        self.stretch: int | None = None
        """That of the statement which is being written."""
        self.lifetimes = Lifetimes(graph, self.stretches)
        self.uses = dict(self.lifetimes.uses)
        self.names: dict[Key, str] = {}
        self.free: list[str] = []
        self.made = 0
        self.lines: list[Line] = []
        self.rows: dict[int, str] = {}
        """What knows the places of a use that is `over` an axis, by the use's number."""
        self.ragged = names_of(graph)

    def source(self) -> str:
        """The function as text."""
        inputs = list(self.graph.inputs)
        for name in inputs:
            self.names[self.lifetimes.root(self.graph.inputs[name])] = name
        self._begin_ragged()
        if self.is_checked:
            self._line(f"    {GIVEN}.begin({inputs[0]})")
        shared = inputs and any(signal.shared for signal in self.graph.outputs.values())
        if shared or any(node.block.needs_batch() for node in self.graph.nodes):
            self._line(f"    {BATCH} = {inputs[0]}")  # a name of its own: the input's is let go of
        for index, node in enumerate(self.graph.nodes):
            if self.lifetimes.is_statement(index):
                self.stretch = self.stretches.get(index)
                self._statement(index, node)
        self.stretch = None
        result = "dict[str, Tensor]" if self._named_outputs() else "Tensor"
        lengths = [f"{LENGTHS}: dict[str, Tensor] | None = None"] if self.ragged else []
        parameters = ", ".join(["self", *(f"{name}: Tensor" for name in inputs), *lengths])
        self._line(f"    return {self._returned()}")
        lines = self.lines
        if self.stretches:
            lines = with_stretches(lines, inputs, self._modules())
        # Below the line of `def`, from 1.
        self.nodes |= {number: line.node for number, line in enumerate(lines, 2) if line.node is not None}
        return "\n".join([f"def forward({parameters}) -> {result}:", *(line.text for line in lines), ""])

    def _modules(self) -> dict[int, list[str]]:
        """The paths of the modules that each stretch calls."""
        paths: dict[int, dict[str, None]] = {}
        for index, stretch in self.stretches.items():
            node = self.graph.nodes[index]
            if not _is_inline(node):
                paths.setdefault(stretch, {})[node.holder] = None
        return {stretch: list(found) for stretch, found in paths.items()}

    def _line(self, text: str, node: Node | None = None) -> None:
        self.lines.append(Line(text, node, self.stretch))

    def _named_outputs(self) -> bool:
        return self.is_part or len(self.graph.outputs) > 1

    def _returned(self) -> str:
        values = {name: self._output(signal) for name, signal in self.graph.outputs.items()}
        if self._named_outputs():
            return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"
        return next(iter(values.values()))

    def _output(self, signal: Signal) -> str:
        name = self._seen(signal, ())
        return _repeated(name, signal, BATCH) if signal.shared and self.graph.inputs else name

    # --- statements

    def _statement(self, index: int, node: Node) -> None:
        roots = self.lifetimes.roots(index)
        for number, over in enumerate(node.over):
            self._measure(over, node.over[:number])
        arguments = self._arguments(node)
        expression = self._along_rows(node, arguments) or self._expression(index, node, arguments)
        # Before the target is named, so that a statement may put its result where its own input was: `x = relu(x)`
        # keeps one tensor alive, not two.
        released = self._release(roots)
        reusable = [name for name in released if name not in self.graph.inputs]
        single = len(node.outputs) == 1
        target = self._variable(reusable)
        self._write(f"{target} = {expression}", node)
        if self.is_checked:
            self._line(f"    {GIVEN}({index}, {target})")
        leftover = [name for name in released if name != target]
        if single:
            self.names[(index, next(iter(node.outputs)))] = target
        else:
            self._unpack(index, node, target)
            leftover.append(target)
        if leftover:
            # A name that is not written anew would hold its tensor until the function returns.
            self._line(f"    del {', '.join(leftover)}")
            self.free += [name for name in leftover if name not in self.graph.inputs]

    def _arguments(self, node: Node) -> list[str]:
        """The variables that a node reads; what is the same for all samples once for each, where others are not."""
        names = [self._seen(signal, node.over) for signal in node.inputs]
        batch = next(
            (name for name, signal in zip(names, node.inputs, strict=True) if not signal.shared), None
        )
        return [
            _repeated(name, signal, batch) if signal.shared and batch is not None else name
            for name, signal in zip(names, node.inputs, strict=True)
        ]

    def _expression(self, index: int, node: Node, arguments: list[str]) -> str:
        if self.lifetimes.may_overwrite(index):
            overwriting = node.block.overwriting(arguments[0])
            if overwriting is not None:
                return overwriting
        inline = node.block.inline(*arguments, *_tensor(node))
        if inline is not None:
            return inline
        batch = [self._batch(node)] if node.block.needs_batch() else []
        module, call = f"self{_indexed(node.holder.split('.'))}", node.block.call(*arguments, *batch)
        apart = next((over for over in node.over if over.apart), None)
        return (
            f"{module}({call})" if apart is None else f"each_place({module}, {self._places(apart)}, {call})"
        )

    # --- axes of another length in each sample

    def _begin_ragged(self) -> None:
        """The lengths by the names of sizes; inputs without what is padding in all samples."""
        for name in self.ragged:
            self._line(f"    {self._called(name)} = None if {LENGTHS} is None else {LENGTHS}.get({name!r})")
        for name, signal in self.graph.inputs.items():
            for axis, size in ragged_places(signal.shape, self.ragged):
                self._line(f"    {name} = trimmed({name}, {axis + 1}, {self._length(size)})")

    @staticmethod
    def _called(name: str) -> str:
        return f"n_{name}"

    def _length(self, size: Size) -> str:
        """How long an axis is in each sample, in Python."""
        if name := name_of(size):
            return self._called(name)
        named = [name for name in self.ragged if self._called(name) in length_in_python(size, self._called)]
        return f"None if {self._called(named[0])} is None else {length_in_python(size, self._called)}"

    def _along_rows(self, node: Node, arguments: list[str]) -> str | None:
        """A block that mixes along an axis of another length in each sample, each of them by its own."""
        places = [ragged_places(shape, self.ragged) for shape in node.given]
        if not any(places) or node.block.is_each_place() or node.over:
            return None
        # Names of its own, since it is called with other tensors for each length.
        names = [f"a{number}" for number in range(len(arguments))]
        inline = node.block.inline(*names, *_tensor(node))
        module = f"self{_indexed(node.holder.split('.'))}"
        call = f"lambda {', '.join(names)}: {inline or f'{module}({node.block.call(*names)})'}"
        if node.block.normalises_places():
            return f"over_places({module}, {arguments[0]}, {self._length(places[0][0][1])})"
        listed = (
            "(" + "".join(f"({axis + 1}, {self._length(size)}), " for axis, size in of) + ")" for of in places
        )
        counts = f", {node.type!r} if self.training else ''" if node.block.takes_batch_statistics() else ""
        return f"by_length({call}, ({', '.join(arguments)},), ({', '.join(listed)},){counts})"

    # --- axes that are places of the batch

    def _made(self, signal: Signal) -> Signal:
        """The signal whose tensor a variable holds, where this one is that one under a new name."""
        producer, port = self.lifetimes.root(signal)
        return self.graph.nodes[producer].outputs[port]

    def _seen(self, signal: Signal, over: tuple[Over, ...]) -> str:
        """A signal as a block below `over` reads it, in Python."""
        name, made = self.names[self.lifetimes.root(signal)], self._made(signal)
        # What is the same for all samples is the same for all places, and lies as it is.
        if made.shared or not (over or made.folded):
            return name
        for move in moves(made.kept, over)[1]:
            name = self._moved(name, move)
        return name

    def _moved(self, name: str, move: Move) -> str:
        over, folds, at = move
        rows = self.rows.get(over.number)
        if folds and at is None:
            # A sample's places lie together, as `flatten` puts them: so does what is repeated for each.
            return f"{rows}.repeat({name})" if rows else f"{name}.repeat_interleave({over.size}, 0)"
        if folds:
            name = f"{name}.movedim({at + 1}, 1)" if at else name
            return f"{rows}.fold({name})" if rows else f"{name}.flatten(0, 1)"
        name = f"{rows}.unfold({name})" if rows else f"{name}.unflatten(0, (-1, {over.size}))"
        return f"{name}.movedim(1, {at + 1})" if at else name

    def _measure(self, over: Over, around: tuple[Over, ...]) -> None:
        """Write down, once, how many places there are, where only a batch tells."""
        if isinstance(over.size, int) or over.number in self.rows:
            return
        self.rows[over.number] = name = f"rows{len(self.rows) + 1}"
        ragged = ragged_places((over.size,), self.ragged)
        # Lengths are known of samples; inside another `over` places stand for these.
        lengths = f", {self._length(over.size)}" if ragged and not around else ""
        self._line(f"    {name} = Rows({self._ruler(over, around)}{lengths})")

    def _ruler(self, over: Over, around: tuple[Over, ...]) -> str:
        """The signal whose axis it is, that axis behind the batch's."""
        signal = self.graph.nodes[over.producer].outputs[over.port]
        at = moves(self._made(signal).kept, (*around, over))[1][-1].at
        name = self._seen(signal, around)
        return f"{name}.movedim({at + 1}, 1)" if at else name

    def _places(self, over: Over) -> str:
        rows = self.rows.get(over.number)
        return f"{rows}.places" if rows else str(over.size)

    def _batch(self, node: Node) -> str:
        """A signal of which a node learns how many samples there are."""
        if not node.over:
            return BATCH
        last = node.over[-1]
        return self._seen(self.graph.nodes[last.producer].outputs[last.port], node.over)

    def _release(self, roots: list[Key]) -> list[str]:
        """Variables whose last reader is this statement."""
        released = []
        for key in roots:
            self.uses[key] -= 1
            if self.uses[key] == 0:
                released.append(self.names[key])
        return released

    def _variable(self, released: list[str]) -> str:
        """A name for a new value: one that has just become free, else a new one."""
        if released:
            return released[0]
        if self.free:
            return self.free.pop()
        self.made += 1
        name = "x" if self.made == 1 else f"x{self.made}"
        return name if name not in self.graph.inputs else self._variable(released)

    def _unpack(self, index: int, node: Node, target: str) -> None:
        for port in node.outputs:
            # What nobody reads gets no variable, and is let go of with the dict.
            if self.uses.get((index, port), 0):
                name = self._variable([])
                self.names[(index, port)] = name
                self._line(f'    {name} = {target}["{port}"]')

    def _write(self, statement: str, node: Node) -> None:
        shapes = ", ".join(show(signal.shape) for signal in node.outputs.values())
        # A line break in a file's name would end the comment, and its rest be code.
        place = f"{node.span.file.name.rpartition('/')[2]}:{node.span.line}".replace("\n", " ")
        self._line(f"    {statement}  # {node.type} at {place}: {shapes}", node)
