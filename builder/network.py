"""A graph becomes one PyTorch module whose `forward` is straight-line Python, written for that graph.

Why generated source rather than torch.fx: there is nothing to trace, since the graph is the program already; the
source is what a person would write by hand, can be read (`print(network.source_code)`), steps in a debugger, and costs
nothing per layer. Each line names the place in the `.cfg` file it comes from, so that a traceback leads there.
Every intermediate's variable is reused or deleted after its last use.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.made import Made
from netcfg.graph import Graph, Node
from netcfg.passes.lifetimes import Key, Lifetimes
from netcfg.program import Program
from netcfg.shapes import show


class Network(nn.ModuleDict):
    """A built network: its blocks by name, and a `forward` made for it.

    Called with its inputs in file order or by name; gives a tensor, or a dict of tensors by output name.
    """

    source_code: str = ""
    """The text of its `forward`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self).__name__, self.source_code), self.__dict__


def build(program: Program) -> nn.ModuleDict:
    """Every network of a program by name, with fresh weights."""
    return nn.ModuleDict({name: build_network(graph) for name, graph in program.networks.items()})


def build_network(graph: Graph) -> Network:
    """One network, with fresh weights; frozen blocks do not ask for gradients."""
    network = _network_class(re.sub(r"\W", "_", graph.name), _Writer(graph).source())()
    for node in graph.blocks:
        # In file order: it decides which random numbers each block starts from, and so what a seed means.
        if not _is_inline(node) and node.shared is None:
            module = module_of(node)
            if node.freeze:
                module.requires_grad_(False)
            _place(network, node.path, module)
    return network


def module_of(node: Node) -> nn.Module:
    """The module that computes a node, with fresh parameters."""
    lowered = node.block.lower(*(signal.shape for signal in node.inputs))
    return lowered.build() if isinstance(lowered, Made) else lowered


def with_roles(node: Node, module: nn.Module) -> Callable[..., Any]:
    """A node's module as a function of the node's inputs in order, of which it takes roles by name."""
    roles = node.block.written_roles()
    if not roles:
        return module

    def call(*inputs: Tensor) -> Any:
        named = {role: node.block.of_role(role, inputs) for role in roles}
        return module(*node.block.main(inputs), **named)

    return call


def _place(network: Network, path: str, module: nn.Module) -> None:
    """Put a module at its path; the levels between are plain dictionaries."""
    *levels, name = path.split(".")
    here: nn.ModuleDict = network
    for level in levels:
        if level not in here:
            here[level] = nn.ModuleDict()
        here = here[level]  # type: ignore[assignment]
    here[name] = module


def _is_inline(node: Node) -> bool:
    return node.block.inline(*("x" for _ in node.inputs)) is not None


@cache
def _network_class(name: str, source: str) -> type[Network]:
    """The class of a source. Cached, so that equal networks are of one class."""
    filename = f"<network {name} {abs(hash(source)):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope: dict[str, Any] = {"torch": torch, "F": F, "Tensor": Tensor}
    # Our own text: nothing of a user's file is in it but names that were checked to be words.
    exec(compile(source, filename, "exec"), scope)
    forward: Callable[..., Any] = scope["forward"]
    return type(name, (Network,), {"forward": forward, "source_code": source})


def _restored(name: str, source: str) -> Network:
    kind = _network_class(name, source)
    return kind.__new__(kind)


class _Writer:
    """Writes the `forward` of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lifetimes = Lifetimes(graph)
        self.uses = dict(self.lifetimes.uses)
        self.names: dict[Key, str] = {}
        self.free: list[str] = []
        self.made = 0
        self.lines: list[str] = []

    def source(self) -> str:
        """The function as text."""
        inputs = list(self.graph.inputs)
        for name in inputs:
            self.names[self.lifetimes.root(self.graph.inputs[name])] = name
        for index, node in enumerate(self.graph.nodes):
            if self.lifetimes.is_statement(index):
                self._statement(index, node)
        result = "dict[str, Tensor]" if self._named_outputs() else "Tensor"
        parameters = ", ".join(["self", *(f"{name}: Tensor" for name in inputs)])
        return "\n".join(
            [f"def forward({parameters}) -> {result}:", *self.lines, f"    return {self._returned()}", ""]
        )

    def _named_outputs(self) -> bool:
        return len(self.graph.outputs) > 1

    def _returned(self) -> str:
        values = {
            name: self.names[self.lifetimes.root(signal)] for name, signal in self.graph.outputs.items()
        }
        if self._named_outputs():
            return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"
        return next(iter(values.values()))

    # --- statements

    def _statement(self, index: int, node: Node) -> None:
        roots = self.lifetimes.roots(index)
        arguments = [self.names[self.lifetimes.root(signal)] for signal in node.inputs]
        expression = self._expression(index, node, arguments)
        # Before the target is named, so that a statement may put its result where its own input was: `x = relu(x)`
        # keeps one tensor alive, not two.
        released = self._release(roots)
        reusable = [name for name in released if name not in self.graph.inputs]
        single = len(node.outputs) == 1
        target = self._variable(reusable)
        self._write(f"{target} = {expression}", node)
        leftover = [name for name in released if name != target]
        if single:
            self.names[(index, next(iter(node.outputs)))] = target
        else:
            self._unpack(index, node, target)
            leftover.append(target)
        if leftover:
            # A name that is not written anew would hold its tensor until the function returns.
            self.lines.append(f"    del {', '.join(leftover)}")
            self.free += [name for name in leftover if name not in self.graph.inputs]

    def _expression(self, index: int, node: Node, arguments: list[str]) -> str:
        if self.lifetimes.may_overwrite(index):
            overwriting = node.block.overwriting(arguments[0])
            if overwriting is not None:
                return overwriting
        inline = node.block.inline(*arguments)
        if inline is not None:
            return inline
        module = "".join(f'["{part}"]' for part in node.holder.split("."))
        return f"self{module}({node.block.call(*arguments)})"

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
            if self.uses.get((index, port), 0):
                name = self._variable([])
                self.names[(index, port)] = name
                self.lines.append(f'    {name} = {target}["{port}"]')

    def _write(self, statement: str, node: Node) -> None:
        shapes = ", ".join(show(signal.shape) for signal in node.outputs.values())
        place = f"{node.span.file.name.rpartition('/')[2]}:{node.span.line}".replace("\n", " ")
        self.lines.append(f"    {statement}  # {node.type} at {place}: {shapes}")
