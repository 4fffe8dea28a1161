"""A program as one Python file of plain PyTorch: its networks as classes, its templates as classes used several times.

Levels are written from the inside out. Uses of one template whose text is the same but for numbers share a class, and
the numbers that differ are what it is made with.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from netcfg.blocks.made import Made
from netcfg.builder.exports.copied import Copied, Refused
from netcfg.builder.exports.grouping import Body, ClassText, Line, class_texts
from netcfg.builder.exports.levels import Edges, Level, levels_of, made_signal
from netcfg.builder.exports.plain import Plain, plain
from netcfg.builder.exports.preparing import Preparation
from netcfg.builder.exports.refusing import refused
from netcfg.builder.network import Network
from netcfg.folding import Over, View, moves
from netcfg.graph import Graph, Node
from netcfg.passes.lifetimes import Key, Lifetimes
from netcfg.program import Program
from netcfg.shapes import Shape, Size, show

RESERVED = frozenset({"torch", "nn", "F", "Tensor", "self", "load", "OrderedDict", "Path", "Any"})
MODULES = {
    "F.relu({x})": "nn.ReLU()",
    "F.relu_({x})": "nn.ReLU(inplace=True)",
    "F.relu6({x})": "nn.ReLU6()",
    "F.relu6({x}, inplace=True)": "nn.ReLU6(inplace=True)",
    "F.gelu({x})": "nn.GELU()",
    "F.silu({x})": "nn.SiLU()",
    "F.hardswish({x})": "nn.Hardswish()",
    "F.hardsigmoid({x})": "nn.Hardsigmoid()",
    "torch.tanh({x})": "nn.Tanh()",
    "torch.tanh_({x})": "nn.Tanh()",
    "torch.sigmoid({x})": "nn.Sigmoid()",
    "torch.sigmoid_({x})": "nn.Sigmoid()",
    "torch.flatten({x}, 1)": "nn.Flatten()",
}
"""Calls that PyTorch also has as modules, which may stand in an `nn.Sequential`."""


@dataclass
class Op:
    """A statement: what it reads and makes, and its expression for the names of what it reads."""

    reads: list[Key]
    makes: list[Key]
    expression: Callable[[dict[Key, str]], str]
    shapes: list[Shape]
    joins: bool = False
    ports: bool = False
    """Whether it gives a dictionary by port instead of a tuple."""


@dataclass
class Child:
    """What a level holds at a path: how it is made, and whether it has anything in the state."""

    path: str
    layer: str
    shape: Shape | None = None
    is_tensor: bool = False


def python_of(
    program: Program,
    networks: nn.ModuleDict,
    names: Sequence[str],
    weights: str,
    before: Mapping[str, Preparation | None] | None = None,
) -> str:
    """The file of some of a program's networks; `weights` is the name of their file, which lies beside it.

    `before` says by network what is done to pictures first.

    Raises `ProgramError` (NC808) where a block has no form in plain PyTorch.
    """
    copied = Copied()
    writers = [
        _Network(program.networks[name], networks[name], copied, (before or {}).get(name))  # type: ignore[arg-type]
        for name in names
    ]
    classes = _classes(writers)
    return _file(program, writers, classes, copied, weights)


def _classes(writers: Sequence[_Network]) -> list[ClassText]:
    """The classes of all networks, inner ones first."""
    used = set(RESERVED)
    made: list[ClassText] = []
    levels = [(writer, level) for writer in writers for level in (*writer.root.levels(), writer.root)]
    for height in range(max((level.height for _, level in levels), default=0) + 1):
        here = [(writer, level) for writer, level in levels if level.height == height and level.path]
        found = class_texts(
            [writer.body(level) for writer, level in here], used, made, writers[0].copied.signatures
        )
        for (writer, level), (_, call) in zip(here, found, strict=True):
            writer.calls[level.path] = call
        made += [one for one in dict.fromkeys(text for text, _ in found)]
    for writer in writers:
        body = writer.body(writer.root)
        ((text, _),) = class_texts([body], used, made, writer.copied.signatures)
        writer.class_name = text.name
        made.append(text)
    return made


class _Network:
    """Writes the bodies of one network's levels."""

    def __init__(
        self, graph: Graph, network: Network, copied: Copied, preparation: Preparation | None = None
    ) -> None:
        self.graph, self.network, self.copied = graph, network, copied
        self.preparation = preparation
        self.lifetimes = Lifetimes(graph)
        self.root = levels_of(graph)
        self.edges = {
            level.path: Edges(graph, self.lifetimes, level) for level in (*self.root.levels(), self.root)
        }
        self.calls: dict[str, str] = {}
        """How each level is made, by its path, as soon as its class is known."""
        self.class_name = ""

    def body(self, level: Level) -> Body:
        """What stands in a level's class."""
        return _LevelWriter(self, level).body()

    def plain_of(self, node: Node) -> Plain | None:
        """A node's module in plain PyTorch; None where a line computes it."""
        if node.block.owns_tensor() or node.block.inline(*("x" for _ in node.inputs)) is not None:
            return None
        module = self.network
        for level in node.holder.split("."):
            module = module[level]  # type: ignore[index,assignment]
        lowered = node.block.lower(*node.given)
        try:
            return plain(module, lowered if isinstance(lowered, Made) else None, self.copied)
        except Refused as why:
            raise refused(node, "Python", str(why)) from None


class _LevelWriter:
    def __init__(self, writer: _Network, level: Level) -> None:
        self.writer, self.level = writer, level
        self.graph, self.lifetimes = writer.graph, writer.lifetimes
        self.edges = writer.edges[level.path]
        self.children: dict[str, Child] = {}
        self.plains: dict[int, Plain | None] = {}
        self.aliases: dict[str, str] = {}
        """Names of stateless modules whose block has a number for a name."""
        self.sequences: dict[str, list[tuple[str, str, Shape | None]]] = {}
        self.held: dict[Key, View] = {}
        self.frames: dict[Size, str] = {}
        self.before: list[Line] = []
        self.members = set(level.nodes())
        self.read: dict[Key, int] = {}
        self.results: list[str] = []

    # --- what it holds

    def body(self) -> Body:
        """Its lines, those of `__init__` and those of `forward`."""
        for item in self.level.items:
            if isinstance(item, int):
                self._hold(item)
            else:
                path = self.level.relative(item.path)
                self.children[path] = Child(path, self.writer.calls[item.path])
        for key in self.edges.inputs:
            signal = made_signal(self.graph, key)
            self.held[key] = signal.kept if signal.shared else signal.seen(self.edges.over)
        ops = [op for item in self.level.items if (op := self._op(item)) is not None]
        self._count(ops)
        whole = self._whole_sequence()
        if whole is not None and (self.level.path or self.writer.preparation is None):
            return self._sequence_body(whole)
        ops = self._with_sequences(ops)
        self._name_stateless()
        names = self._input_names()
        forward = [*self._prepared(names), *self._forward(_joined(ops, self._uses), dict(names))]
        several = not self.level.path and len(self.graph.outputs) > 1
        return Body(
            self.level.template or self.graph.name,
            not self.level.path,
            self._base(),
            self._init(),
            list(names.values()),
            forward,
            self._returns(),
            "dict" if several else "Tensor",
            self._doc(),
        )

    def _prepared(self, names: dict[Key, str]) -> list[Line]:
        """What is done to pictures before all else."""
        preparation = self.writer.preparation
        if self.level.path or preparation is None:
            return []
        called = {name: names[self.lifetimes.root(signal)] for name, signal in self.graph.inputs.items()}
        return [
            Line(line.replace(name, called[name]))
            for name in preparation.pictures
            for line in preparation.lines(name)
        ]

    def _doc(self) -> str:
        if self.level.path:
            return ""
        given = ", ".join(f"{name} N×{show(one.shape)}" for name, one in self.graph.inputs.items())
        made = ", ".join(f"{name} N×{show(one.shape)}".strip() for name, one in self.graph.outputs.items())
        preparation = self.writer.preparation
        bytes_of = f" {' and '.join(preparation.pictures)}: from 0 to 255." if preparation else ""
        return f"{given} -> {made}.{bytes_of}"

    def _hold(self, index: int) -> None:
        node = self.graph.nodes[index]
        self.plains[index] = self.writer.plain_of(node)
        if node.shared is not None:
            return
        path = self.level.relative(node.path)
        found = self.plains[index]
        if node.block.owns_tensor():
            self.children[path] = self._tensor_child(node, path)
        elif found is not None and found.layer is not None:
            self.children[path] = Child(path, found.layer, node.output.kept.shape)

    def _tensor_child(self, node: Node, path: str) -> Child:
        holder: Any = self.writer.network
        *levels, name = node.holder.split(".")
        for level in levels:
            holder = holder[level]
        value = holder.get_parameter(name) if name in holder._parameters else holder.get_buffer(name)
        sizes = ", ".join(map(str, value.shape))
        empty = f"torch.empty({sizes})" if sizes else "torch.tensor(0.0)"
        layer = f"nn.Parameter({empty})" if isinstance(value, nn.Parameter) else empty
        return Child(path, layer, node.output.shape, True)

    def _is_stateless(self, path: str) -> bool:
        return not any(True for _ in self._module_at(path).state_dict())

    def _name_stateless(self) -> None:
        """Give modules without a state a name where their block has a number: no file of weights knows it."""
        taken = {path.partition(".")[0] for path in self.children} | {"forward"}
        for index, found in self.plains.items():
            node = self.graph.nodes[index]
            path = self.level.relative(node.path)
            folder = path.rpartition(".")[0]
            is_free = found is not None and path in self.children and self._is_stateless(path)
            if not is_free or _is_attribute(path) or folder in self.sequences:
                continue
            stem = path.rpartition(".")[2]
            stem = stem if _is_attribute(stem) else node.type
            name, number = stem, 2
            while name in taken:
                name, number = f"{stem}{number}", number + 1
            taken.add(name)
            self.aliases[path] = name

    def _module_at(self, path: str) -> Any:
        module: Any = self.writer.network
        for level in filter(None, f"{self.level.path}.{path}".split(".")):
            module = module[level]
        return module

    def _base(self) -> str:
        tops = {path.partition(".")[0] for path in self.children if path not in self.aliases}
        return "nn.Module" if all(map(_is_attribute, tops)) else "nn.ModuleDict"

    def access(self, path: str) -> str:
        """What leads to a child, in Python."""
        if path in self.aliases:
            return f"self.{self.aliases[path]}"
        first, *rest = path.split(".")
        text = f"self.{first}" if _is_attribute(first) else f'self["{first}"]'
        done = first
        for name in rest:
            is_inside = any(done == child or done.startswith(f"{child}.") for child in self.children)
            is_tensor = f"{done}.{name}" in self.children and self.children[f"{done}.{name}"].is_tensor
            sequence = self.sequences.get(done)
            done = f"{done}.{name}"
            if sequence is not None and [key for key, _, _ in sequence] == list(
                map(str, range(len(sequence)))
            ):
                text = f"{text}[{name}]"
            elif (is_inside or is_tensor or sequence is not None) and _is_attribute(name):
                text = f"{text}.{name}"
            else:
                text = f'{text}["{name}"]'
        return text

    def _init(self) -> list[Line]:
        lines: list[Line] = []
        written: set[str] = set()
        for path, child in self.children.items():
            if path in self.aliases:
                lines.append(Line(f"self.{self.aliases[path]} = {child.layer}", child.shape))
                continue
            top = path.partition(".")[0]
            if top in written:
                continue
            written.add(top)
            lines += self._made(top)
            if top in self.children:
                lines += self._added(top)
        return lines

    def _added(self, top: str) -> list[Line]:
        """What this level puts below a path that is another level's."""
        lines = []
        for path, child in self.children.items():
            if path.startswith(f"{top}.") and path not in self.aliases:
                home, _, name = path.rpartition(".")
                lines.append(Line(f'{self.access(home)}.add_module("{name}", {child.layer})', child.shape))
        return lines

    def _made(self, top: str) -> list[Line]:
        """The lines that make what lies at or below the first part of a path."""
        target = self.access(top)
        if top in self.children:
            child = self.children[top]
            if child.is_tensor and not child.layer.startswith("nn.Parameter"):
                return [Line(f'self.register_buffer("{top}", {child.layer})', child.shape)]
            if child.is_tensor and not _is_attribute(top):
                return [Line(f'self.register_parameter("{top}", {child.layer})', child.shape)]
            return [Line(f"{target} = {child.layer}", child.shape)]
        return [*self._folder(top, f"{target} = ", ""), *self._tensors_below(top)]

    def _tensors_below(self, folder: str) -> list[Line]:
        lines = []
        for path, child in self.children.items():
            if child.is_tensor and path.startswith(f"{folder}."):
                home, _, name = path.rpartition(".")
                kind = "parameter" if child.layer.startswith("nn.Parameter") else "buffer"
                lines.append(
                    Line(f'{self.access(home)}.register_{kind}("{name}", {child.layer})', child.shape)
                )
        return lines

    def _folder(self, folder: str, before: str, after: str) -> list[Line]:
        """A folder of layers: a sequence where that is all it is, else a dictionary."""
        if folder in self.sequences:
            return _sequence_lines(self.sequences[folder], before, after)
        names = dict.fromkeys(
            path[len(folder) + 1 :].partition(".")[0]
            for path, child in self.children.items()
            if path.startswith(f"{folder}.")
            and not (child.is_tensor and path.rpartition(".")[0] == folder)
            and path not in self.aliases
        )
        if not names:
            return [Line(f"{before}nn.ModuleDict(){after}")]
        lines = [Line(f"{before}nn.ModuleDict({{")]
        for name in names:
            path = f"{folder}.{name}"
            if path in self.children:
                child = self.children[path]
                lines.append(Line(f'    "{name}": {child.layer},', child.shape))
            else:
                inner = self._folder(path, f'"{name}": ', ",")
                lines += [Line(f"    {line.text}", line.shape) for line in inner]
        return [*lines, Line(f"}}){after}")]

    # --- sequences

    def _links(self) -> list[tuple[str, Key | None, Key | None, str | None, Shape | None]]:
        """Each item as a link of a chain: path, what it reads, what it makes, how it is made as a module."""
        links = []
        for item in self.level.items:
            if isinstance(item, Level):
                edges = self.writer.edges[item.path]
                plain_use = len(edges.inputs) == len(edges.outputs) == 1 and edges.over == self.edges.over
                read, makes = (edges.inputs[0], edges.outputs[0]) if plain_use else (None, None)
                layer: str | None = self.writer.calls[item.path]
                shape = None if makes is None else made_signal(self.graph, makes).kept.shape
            else:
                node = self.graph.nodes[item]
                alone = len(node.outputs) == 1 and node.over == self.edges.over and node.shared is None
                roots = self.lifetimes.roots(item)
                alone = alone and len(roots) == 1 and len(node.inputs) == 1 and not node.block.needs_batch()
                alone = alone and not node.inputs[0].shared and self.lifetimes.is_statement(item)
                read = roots[0] if alone else None
                makes = (item, next(iter(node.outputs))) if alone else None
                layer, shape = self._as_module(item), node.output.kept.shape
            path = self.level.relative(item.path if isinstance(item, Level) else self.graph.nodes[item].path)
            links.append((path, read, makes, layer, shape))
        return links

    def _as_module(self, index: int) -> str | None:
        node, found = self.graph.nodes[index], self.plains[index]
        if found is not None:
            return found.layer if found.is_whole else None
        if node.block.owns_tensor() or len(node.inputs) != 1:
            return None
        text = self._inline(index, ["{x}"])
        return MODULES.get(text)

    def _whole_sequence(self) -> list[tuple[str, str, Shape | None]] | None:
        """A level that is nothing but a chain of modules numbered from 0."""
        if not self.level.path or self.level.is_extended:
            return None
        links = self._links()
        fits = [path for path, *_ in links] == list(map(str, range(len(links)))) and len(links) > 1
        if not fits or not _chained(links) or self.edges.outputs != [links[-1][2]]:
            return None
        if any(self._uses(key) != 1 for _, _, key, _, _ in links[:-1] if key is not None):
            return None
        return [(path, layer or "", shape) for path, _, _, layer, shape in links]

    def _count(self, ops: Sequence[Op]) -> None:
        """How many statements of this level read each signal; what leaves it is read once more."""
        for key in (key for op in ops for key in dict.fromkeys(op.reads)):
            self.read[key] = self.read.get(key, 0) + 1
        for key in self._result_keys():
            self.read[key] = self.read.get(key, 0) + 1

    def _uses(self, key: Key) -> int:
        return self.read.get(key, 0)

    def _sequence_body(self, parts: list[tuple[str, str, Shape | None]]) -> Body:
        lines = _sequence_lines(parts, "", "")
        lines[0] = Line("super().__init__(")
        return Body(self.level.template, False, "nn.Sequential", lines, ["x"], [], [])

    def _with_sequences(self, ops: list[Op]) -> list[Op]:
        """Statements, those that go through a folder of modules in a row made one."""
        links = self._links()
        by_key = {op.makes[0]: op for op in ops if len(op.makes) == 1}
        number = 0
        while number < len(links):
            folder = links[number][0].rpartition(".")[0]
            end = number
            while end < len(links) and folder and links[end][0].rpartition(".")[0] == folder:
                end += 1
            run = links[number:end]
            if len(run) > 1 and self._is_sequence(folder, run):
                self.sequences[folder] = [
                    (path.rpartition(".")[2], layer or "", shape) for path, _, _, layer, shape in run
                ]
                first, last = by_key[run[0][2]], by_key[run[-1][2]]  # type: ignore[index]
                gone = [by_key[link[2]] for link in run]  # type: ignore[index]
                whole = Op(first.reads, last.makes, self._through(folder, first.reads[0]), last.shapes)
                place = ops.index(gone[0])
                ops = [op for op in ops if not any(op is one for one in gone)]
                ops.insert(place, whole)
            number = max(end, number + 1)
        return ops

    def _through(self, folder: str, key: Key) -> Callable[[dict[Key, str]], str]:
        return lambda names: f"{self.access(folder)}({names[key]})"

    def _is_sequence(self, folder: str, run: list[Any]) -> bool:
        below = [path for path in self.children if path.startswith(f"{folder}.")]
        inside = {path for path, *_ in run}
        if not _chained(run) or not set(below) <= inside:
            return False
        return all(self._uses(key) == 1 for _, _, key, _, _ in run[:-1]) and not any(
            node.shared is not None and node.shared.startswith(f"{self.level.path}.{folder}.".lstrip("."))
            for node in self.graph.nodes
        )

    # --- statements

    def _op(self, item: int | Level) -> Op | None:
        if isinstance(item, Level):
            return self._level_op(item)
        if not self.lifetimes.is_statement(item):
            return None
        node = self.graph.nodes[item]
        keys = [(item, port) for port in node.outputs]
        for key in keys:
            self.held[key] = node.outputs[key[1]].kept
        used = [key for key in keys if self.lifetimes.uses.get(key, 0)]
        several = len(keys) > 1
        reads = [self.lifetimes.root(signal) for signal in node.inputs]
        if node.block.needs_batch():
            reads.append(self._batch_key(node))

        def expression(names: dict[Key, str]) -> str:
            text = self._expression(item, node, names)
            return f'{text}["{used[0][1]}"]' if several and len(used) == 1 else text

        return Op(
            reads,
            used if several else keys,
            expression,
            [node.outputs[port].kept.shape for _, port in (used if several else keys)],
            node.block.joins_box and not node.over[len(self.edges.over) :],
            several and len(used) > 1,
        )

    def _batch_key(self, node: Node) -> Key:
        if node.over:
            last = node.over[-1]
            return self.lifetimes.root(self.graph.nodes[last.producer].outputs[last.port])
        return self.lifetimes.root(next(iter(self.graph.inputs.values())))

    def _expression(self, index: int, node: Node, names: dict[Key, str]) -> str:
        arguments = self._arguments(node, names)
        found = self.plains[index]
        if found is None:
            return self._inline(index, arguments)
        call = node.block.call(*arguments)
        if len(arguments) == 1 and found.call.count("{x}") > 1:
            raise refused(node, "Python", "reads its signal twice in one line")
        return found.call.replace("{x}", call).replace("{self}", self._holder(node))

    def _holder(self, node: Node) -> str:
        return self.access(self.level.relative(node.holder))

    def _inline(self, index: int, arguments: list[str]) -> str:
        node = self.graph.nodes[index]
        if node.block.owns_tensor():
            return str(node.block.inline(*arguments, self._holder(node)))
        # Only what was made here may be overwritten: who gave an input may still need it.
        mine = {root[0] for root in self.lifetimes.roots(index)} <= self.members
        if mine and self.lifetimes.may_overwrite(index):
            text = node.block.overwriting(arguments[0])
            if text is not None:
                return text
        # Blocks write a comma for the case of one signal.
        return re.sub(r"\(([^()]*,[^()]*),\)", r"(\1)", str(node.block.inline(*arguments)))

    def _arguments(self, node: Node, names: dict[Key, str]) -> list[str]:
        seen = [self._seen(self.lifetimes.root(signal), node.over, names) for signal in node.inputs]
        batch = next(
            (name for name, signal in zip(seen, node.inputs, strict=True) if not signal.shared), None
        )
        return [
            _repeated(name, len(signal.shape), batch) if signal.shared and batch is not None else name
            for name, signal in zip(seen, node.inputs, strict=True)
        ]

    def _seen(self, key: Key, over: tuple[Over, ...], names: dict[Key, str]) -> str:
        name, signal = names[key], made_signal(self.graph, key)
        if signal.shared:
            return name
        for one, folds, at in moves(self.held[key], over)[1]:
            if folds and at is None:
                name = f"{name}.repeat_interleave({self._places(one, names)}, 0)"
            elif folds:
                self._places(one, names)
                name = f"{name}.movedim({at + 1}, 1)" if at else name
                name = f"{name}.flatten(0, 1)"
            else:
                name = f"{name}.unflatten(0, (-1, {self._places(one, names)}))"
                name = f"{name}.movedim(1, {at + 1})" if at else name  # type: ignore[operator]
        return name

    def _places(self, over: Over, names: dict[Key, str]) -> str:
        """How many places an axis has: a number, or a name that was given it when the axis was folded."""
        if isinstance(over.size, int):
            return str(over.size)
        if over.size not in self.frames:
            key = self.lifetimes.root(self.graph.nodes[over.producer].outputs[over.port])
            if key not in names:
                why = "counts places of a signal that its template is not given"
                raise refused(self.graph.nodes[over.producer], "Python", why)
            name = f"places{len(self.frames) + 1}" if self.frames else "places"
            whole = self._seen(key, (), names)
            self.frames[over.size] = name
            self.before.append(Line(f"{name} = {whole}.shape[{over.at + 1}]"))
        return self.frames[over.size]

    def _level_op(self, level: Level) -> Op | None:
        edges = self.writer.edges[level.path]
        if not edges.outputs:
            return None
        for key in edges.outputs:
            self.held[key] = made_signal(self.graph, key).kept
        path = self.level.relative(level.path)

        def expression(names: dict[Key, str]) -> str:
            arguments = [self._seen(key, edges.over, names) for key in edges.inputs]
            return f"{self.access(path)}({', '.join(arguments)})"

        shapes = [made_signal(self.graph, key).kept.shape for key in edges.outputs]
        return Op(list(edges.inputs), list(edges.outputs), expression, shapes)

    # --- forward

    def _input_names(self) -> dict[Key, str]:
        if not self.level.path:
            return {
                self.lifetimes.root(signal): name if _is_attribute(name) else f"x{number}"
                for number, (name, signal) in enumerate(self.graph.inputs.items())
            }
        keys = self.edges.inputs
        return {key: ("x", "y", "z")[place] if place < 3 else f"x{place}" for place, key in enumerate(keys)}

    def _result_keys(self) -> list[Key]:
        if self.level.path:
            return self.edges.outputs
        return [self.lifetimes.root(signal) for signal in self.graph.outputs.values()]

    def _forward(self, ops: list[Op], names: dict[Key, str]) -> list[Line]:
        """The statements. A name is given again as soon as nobody needs what it stood for."""
        inputs = set(names.values())
        left: dict[Key, int] = {}
        for op in ops:
            for key in set(op.reads):
                left[key] = left.get(key, 0) + 1
        for key in self._result_keys():
            left[key] = left.get(key, 0) + 1
        keeps = inputs if not self.level.path else set()
        lines: list[Line] = []
        for op in ops:
            text = op.expression(names)
            lines += self.before
            self.before = []
            for key in set(op.reads):
                left[key] -= 1
            taken = keeps | {names[key] for key, count in left.items() if count > 0 and key in names}
            targets = []
            for key in op.makes:
                name = next(one for one in _fresh() if one not in taken)
                taken.add(name)
                targets.append(name)
                names[key] = name
            if op.ports:
                lines.append(Line(f"ports = {text}", op.shapes[0]))
                lines += [
                    Line(f'{name} = ports["{key[1]}"]') for name, key in zip(targets, op.makes, strict=True)
                ]
            else:
                lines.append(Line(f"{', '.join(targets)} = {text}", op.shapes[0]))
        self.results = self._written_results(names)
        if len(self.results) == 1:
            last = lines[-1] if lines else None
            if last is not None and last.text.startswith(f"{self.results[0]} = "):
                lines[-1] = Line(f"return {last.text[len(self.results[0]) + 3 :]}", last.shape)
            else:
                lines.append(Line(f"return {self.results[0]}"))
        elif self.level.path and self.results:
            lines.append(Line(f"return {', '.join(self.results)}"))
        return lines

    def _written_results(self, names: dict[Key, str]) -> list[str]:
        if self.level.path:
            return [names[key] for key in self.edges.outputs]
        texts = []
        batch = next(iter(self._input_names().values()), None)
        for signal in self.graph.outputs.values():
            text = self._seen(self.lifetimes.root(signal), (), names)
            texts.append(_repeated(text, len(signal.shape), batch) if signal.shared and batch else text)
        return texts

    def _returns(self) -> list[str]:
        if not self.level.path and len(self.graph.outputs) > 1:
            return [f'"{name}": {text}' for name, text in zip(self.graph.outputs, self.results, strict=True)]
        return self.results


def _joined(ops: list[Op], uses: Callable[[Key], int]) -> list[Op]:
    """Statements, norms and activations written into the line of what they follow."""
    made: list[Op] = []
    for op in ops:
        before = made[-1] if made else None
        if before is not None and op.joins and op.reads == before.makes and not before.ports:
            key = before.makes[0]
            text = op.expression({key: "@"})
            if uses(key) == 1 and text.count("@") == 1:
                made[-1] = Op(before.reads, op.makes, _nested(before, op, key), op.shapes)
                continue
        made.append(op)
    return made


def _nested(inner: Op, outer: Op, key: Key) -> Callable[[dict[Key, str]], str]:
    return lambda names: outer.expression({**names, key: inner.expression(names)})


def _sequence_lines(parts: Sequence[tuple[str, str, Shape | None]], before: str, after: str) -> list[Line]:
    """Modules in a row: equal ones as a loop, by number or by name."""
    numbered = [name for name, _, _ in parts] == list(map(str, range(len(parts))))
    words = all(_is_attribute(name) for name, _, _ in parts)
    opened, closed = ("", "") if numbered else ("OrderedDict(", ")") if words else ("OrderedDict([", "])")
    lines = [Line(f"{before}nn.Sequential({opened}")]
    place = 0
    while place < len(parts):
        name, layer, shape = parts[place]
        end = place
        while end < len(parts) and parts[end][1:] == (layer, shape):
            end += 1
        stem, turns = name.rstrip("0123456789"), end - place
        counted = [one for one, _, _ in parts[place:end]] == [f"{stem}{n}" for n in _from(name, stem, turns)]
        if turns > 2 and numbered:
            lines.append(Line(f"    *({layer} for _ in range({turns})),", shape))
        elif turns > 2 and counted and turns == len(parts) and name[len(stem) :] == "0":
            opened, closed = "OrderedDict(", ")"
            turn = Line(f'    (f"{stem}{{i}}", {layer}) for i in range({turns})', shape)
            lines = [Line(f"{before}nn.Sequential({opened}"), turn]
        else:
            for key, text, size in parts[place:end]:
                keyed = text if numbered else f"{key}={text}" if words else f'("{key}", {text})'
                lines.append(Line(f"    {keyed},", size))
        place = end
    return [*lines, Line(f"{closed}){after}")]


def _from(name: str, stem: str, turns: int) -> range:
    digits = name[len(stem) :]
    return range(int(digits), int(digits) + turns) if digits else range(0)


def _fresh() -> Any:
    yield from ("x", "y", "z")
    number = 2
    while True:
        yield f"x{number}"
        number += 1


def _chained(links: Sequence[Any]) -> bool:
    """Whether each link reads just what the one before makes."""
    return all(
        read is not None and makes is not None and layer is not None for _, read, makes, layer, _ in links
    ) and all(later[1] == earlier[2] for earlier, later in zip(links, links[1:], strict=False))


def _repeated(name: str, axes: int, batch: str) -> str:
    sizes = ", ".join([f"{batch}.shape[0]", *("-1",) * axes])
    return f"{name}.expand({sizes})"


def _is_attribute(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _file(
    program: Program, writers: Sequence[_Network], classes: Sequence[ClassText], copied: Copied, weights: str
) -> str:
    """The whole text."""
    parts = [*copied.texts.values(), *(one.source for one in classes), _loader(writers, weights)]
    body = "\n\n".join(parts)
    imports = ["import torch"] if "torch." in body else []
    imports.append(f"from torch import {'Tensor, nn' if 'Tensor' in body else 'nn'}")
    if "F." in body:
        imports.append("from torch.nn import functional as F")
    standard = ["from pathlib import Path"]
    if "OrderedDict(" in body:
        standard.insert(0, "from collections import OrderedDict")
    for line in sorted(copied.imports):
        (standard if line.split()[1].partition(".")[0] in sys.stdlib_module_names else imports).append(line)
    names = writers[0].class_name if len(writers) == 1 else f"{len(writers)} networks"
    what = "the trained network; its" if len(writers) == 1 else "the trained networks by name; their"
    head = [
        f'"""{names} of {program.name.rpartition("/")[2]}, in plain PyTorch.',
        "",
        f"Written by netcfg {_version()}. `load()` gives {what} weights lie in {weights}.",
        "Shapes stand behind the lines, without the batch.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *sorted(set(standard)),
        "",
        *sorted(set(imports), key=lambda line: (line.startswith("from"), line)),
    ]
    return "\n".join(head) + "\n\n\n" + body


def _version() -> str:
    from netcfg import __version__

    return __version__


def _loader(writers: Sequence[_Network], weights: str) -> str:
    if len(writers) == 1:
        kind, what = writers[0].class_name, "The network with its weights, as it is evaluated."
        made = f"network = {kind}()"
    else:
        kind, what = "nn.ModuleDict", "The networks by name with their weights, as they are evaluated."
        inner = "".join(f'        "{one.graph.name}": {one.class_name}(),\n' for one in writers)
        made = f"network = nn.ModuleDict({{\n{inner}    }})"
    return f'''\
def load(weights: str | Path = Path(__file__).with_name("{weights}")) -> {kind}:
    """{what}"""
    from safetensors.torch import load_file

    {made}
    network.load_state_dict(load_file(weights))
    return network.eval()
'''
