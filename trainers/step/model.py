"""The model of a program over built networks: what computes the signals that losses and metrics read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.blocks.network.model import NetworkUse
from netcfg.builder.network import module_of, with_roles
from netcfg.graph import Graph, Node, Signal
from netcfg.program import Program

Value = Tensor | dict[str, Tensor]
"""What a node gives: a tensor, or tensors by port."""
Call = Callable[..., Value]


class Model:
    """The nodes of a program's model as functions, by node number; fields have none."""

    def __init__(self, program: Program, networks: nn.ModuleDict) -> None:
        assert program.model is not None
        self.program = program
        self.graph: Graph = program.model
        self.networks = networks
        self.calls: list[Call | None] = [self._call(node) for node in self.graph.nodes]
        self._evaluated: dict[tuple[str, ...], tuple[int, ...]] = {}

    def _call(self, node: Node) -> Call | None:
        if node.is_input:
            return None
        if isinstance(node.block, NetworkUse):
            return self.networks[node.block.network.name]
        return call_of(node)

    def fill(self, fields: Mapping[str, Tensor]) -> list[Value | None]:
        """The values of a batch before anything is computed: its fields."""
        values: list[Value | None] = [None] * len(self.graph.nodes)
        for index, node in enumerate(self.graph.nodes):
            if node.is_input:
                values[index] = fields.get(node.path)
        return values

    def signals(self, fields: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """Some signals of a batch, with whatever gradient mode is on."""
        wanted = tuple(names)
        values = self.fill(fields)
        for index in self.needed(wanted):
            call = self.calls[index]
            assert call is not None
            values[index] = call(*(read(values, signal) for signal in self.graph.nodes[index].inputs))
        return {name: read(values, self.program.signals[name]) for name in wanted}

    def needed(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """The nodes that these signals depend on, in order."""
        if names not in self._evaluated:
            needed: set[int] = set()
            waiting = [self.program.signals[name].producer for name in names]
            while waiting:
                index = waiting.pop()
                if index not in needed and not self.graph.nodes[index].is_input:
                    needed.add(index)
                    waiting += [signal.producer for signal in self.graph.nodes[index].inputs]
            self._evaluated[names] = tuple(sorted(needed))
        return self._evaluated[names]

    def fields_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The data fields that these signals depend on, in the model's order."""
        read = {
            signal.producer for index in self.needed(names) for signal in self.graph.nodes[index].inputs
        } | {self.program.signals[name].producer for name in names}
        return tuple(
            self.graph.nodes[index].path for index in sorted(read) if self.graph.nodes[index].is_input
        )


def call_of(node: Node) -> Call:
    """A block that is no network as a function of its inputs."""
    names = [f"x{index}" for index in range(len(node.inputs))]
    inline = node.block.inline(*names)
    if inline is None:
        return with_roles(node, module_of(node))
    # Our own text: nothing of a user's file is in it but numbers and checked choices.
    scope = {"torch": torch, "F": functional}
    call: Call = eval(f"lambda {', '.join(names)}: {inline}", scope)
    return call


def read(values: list[Any], signal: Signal) -> Tensor:
    """The tensor of a signal."""
    value = values[signal.producer]
    tensor: Tensor = value[signal.port] if signal.port else value
    return tensor
