"""The model of a program over built networks: what computes the signals that losses and metrics read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.blocks.fields import LENGTHS, SOURCES
from netcfg.blocks.network.loop import TURN, Loop
from netcfg.blocks.network.model import NetworkUse
from netcfg.builder.chance import Chance
from netcfg.builder.given import expect_declared
from netcfg.builder.modules.apart import statistics_of_places, tell_apart
from netcfg.builder.modules.memory import Remembering
from netcfg.builder.network import Network, Part, first_call, module_of, with_roles
from netcfg.builder.rows import Rows
from netcfg.faults import NODES
from netcfg.graph import Graph, Node, Signal
from netcfg.passes.ragged import name_of, names_in, names_of, ragged_names, ragged_places
from netcfg.passes.unread import unread_outputs, without
from netcfg.passes.wire import MODEL
from netcfg.program import Program
from netcfg.shapes import Shape, Size, at
from netcfg.source import NetcfgError
from netcfg.trainers.step.numbers import Numbers

Value = Tensor | dict[str, Tensor]
"""What a node gives: a tensor, or tensors by port."""
Call = Callable[..., Value]


class Model:
    """The nodes of a program's model as functions, by node number; fields have none."""

    def __init__(self, program: Program, networks: nn.ModuleDict, chance: Chance | None = None) -> None:
        assert program.model is not None
        self.program = program
        self.chance = chance or Chance(program.training.seed)
        """What its blocks and networks draw from."""
        self.numbers = Numbers(program)
        """What changes while the program trains."""
        self.batch: Tensor | None = None
        """A field of the batch, for blocks that only ask how many samples there are."""
        self.graph: Graph = program.model
        self.networks = networks
        self.ragged = ragged_names(node.output for node in self.graph.nodes if node.is_input)
        self.lengths: dict[str, Tensor] = {}
        """How long what differs from sample to sample is in those of the batch, by the size's name."""
        self.parts: dict[str, Part] = {
            name: Part(network, without(program.networks[name], outputs))
            for name, outputs in unread_outputs(program).items()
            if isinstance(network := networks[name], Network)
        }
        """Networks some of whose outputs nothing reads."""
        self.sources: Tensor | None = None
        """Which of joined sources each sample of the batch is of, on the processor."""
        self.states: dict[str, Remembering] = {}
        """The blocks that remember and are part of no network, by name."""
        self.calls: list[Call | None] = [
            self.over(index, _Checked(node, call)) if (call := self._call(node)) is not None else None
            for index, node in enumerate(self.graph.nodes)
        ]
        for network in networks.values():
            self._give(network)
        self.remembering = [
            *(
                part
                for network in networks.values()
                for part in network.modules()
                if isinstance(part, Remembering)
            ),
            *self.states.values(),
        ]
        """What remembers, in networks and beside them."""
        self._evaluated: dict[tuple[str, ...], tuple[int, ...]] = {}

    def _call(self, node: Node) -> Call | None:
        if node.is_input:
            return None
        if isinstance(node.block, NetworkUse):
            name = node.block.network.name
            return self.parts.get(name) or self.networks[name]
        if isinstance(node.block, Loop):
            return _Loop(node, self)
        call = call_of(node, lambda module: self._take(node, module))
        return (lambda *inputs: call(*inputs, self.batch)) if node.block.needs_batch() else call

    def _take(self, node: Node, module: nn.Module) -> None:
        """Take a block's own module in."""
        self._give(module)
        some = next(self.networks.parameters(), None)
        if some is not None:
            module.to(some.device)  # where the networks are
        if isinstance(module, Remembering):
            self.states[node.path] = module

    def _give(self, module: nn.Module) -> None:
        """Let a module draw, and let its numbers change, with all others of the model."""
        self.chance.give(module)
        self.numbers.give(module)

    def over(self, index: int, call: Call) -> Call:
        """A network as a node uses it: for each place of an axis, where the node says so."""
        node = self.graph.nodes[index]
        if not isinstance(node.block, NetworkUse):
            return call
        if node.block.over is None:
            return self._with_lengths(node, node.block.network, call)
        network = self.networks[node.block.network.name]
        if node.block.over.apart:
            tell_apart(network)
        ragged = bool(ragged_places((node.block.over.size,), self.ragged))
        # Asked for when it runs: how long each sample is only its batch tells.
        length = partial(self.length, node.block.over.size) if ragged else None
        return _Over(node.block, [signal.shape for signal in node.inputs], network, call, length)

    def _with_lengths(self, node: Node, network: Graph, call: Call) -> Call:
        """The use of a network that is told how long what it reads is in each sample."""
        taken: dict[str, Size] = {}
        for inner, signal in zip(network.inputs.values(), node.inputs, strict=True):
            for place, size in ragged_places(inner.shape, names_of(network)):
                name = name_of(size)
                if name and ragged_places((signal.shape[place],), self.ragged):
                    taken[name] = signal.shape[place]
        if not taken:
            return call

        def told(*inputs: Tensor) -> Value:
            lengths = {name: self.length(size, len(inputs[0])) for name, size in taken.items()}
            known = {name: length for name, length in lengths.items() if length is not None}
            return call(*inputs, lengths=known) if known else call(*inputs)

        return told

    def length(self, size: Size, samples: int | None = None) -> Tensor | None:
        """How long a ragged size is in each sample; `samples` may be several batches of them, one after the other."""
        if not all(
            name in self.lengths for _, one in ragged_places((size,), self.ragged) for name in names_in(one)
        ):
            return None
        made = at(size, self.lengths)  # type: ignore[arg-type]  # the same arithmetic on tensors
        assert isinstance(made, Tensor)
        return made if samples is None else made.repeat(samples // len(made))

    def packed(self, signals: Sequence[Signal], tensors: Sequence[Tensor]) -> list[Tensor]:
        """Signals that are compared with each other, places as samples where their number differs: no padding counts.

        What has no such axis is each place's own.
        """
        places = [ragged_places(signal.shape, self.ragged)[:1] for signal in signals]
        if not any(places):
            return list(tensors)
        rows = next(
            Rows(x, self.length(of[0][1], len(x))) for x, of in zip(tensors, places, strict=True) if of
        )
        return [(rows.fold(x) if of else rows.repeat(x)) for x, of in zip(tensors, places, strict=True)]

    def counting(self, of: frozenset[int] | None, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Of signals the samples that are of some of the joined sources; None: all."""
        if of is None or self.sources is None:
            return list(tensors)
        rows = torch.isin(self.sources, torch.tensor(sorted(of))).nonzero().flatten()
        count = len(rows)
        if count and int(rows[-1] - rows[0]) == count - 1:  # mostly one source, whose samples lie together
            start = int(rows[0])
            return [tensor[start : start + count] for tensor in tensors]
        return [tensor[rows.to(tensor.device, non_blocking=True)] for tensor in tensors]

    def fill(self, fields: Mapping[str, Tensor]) -> list[Value | None]:
        """The values of a batch before anything is computed: its fields."""
        values: list[Value | None] = [None] * len(self.graph.nodes)
        self.batch = next(iter(fields.values()), None)
        self.sources = fields.get(SOURCES)
        self.lengths = {
            name.removeprefix(LENGTHS): tensor for name, tensor in fields.items() if name.startswith(LENGTHS)
        }
        for index, node in enumerate(self.graph.nodes):
            if node.is_input:
                # Evaluation brings only the fields that its signals need.
                values[index] = fields.get(node.path)
        return values

    def signals(self, fields: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """Some signals of a batch, with whatever gradient mode is on; no padding among them."""
        return {
            name: self.packed_by_name([name], [made])[0] for name, made in self.padded(fields, names).items()
        }

    def packed_by_name(self, names: Sequence[str], tensors: Sequence[Tensor]) -> list[Tensor]:
        """As `packed`, of signals by their names."""
        return self.packed([self.program.signals[name] for name in names], tensors)

    def padded(self, fields: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """Some signals of a batch as they are computed: what is compared with each other is packed together."""
        wanted = tuple(names)
        values = self.fill(fields)
        for index in self.needed(wanted):
            call = self.calls[index]
            assert call is not None
            with self.chance.used_by(self.graph.nodes[index].path):
                values[index] = call(*(read(values, signal) for signal in self.graph.nodes[index].inputs))
        return {name: read(values, self.program.signals[name]) for name in wanted}

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """What is remembered beside the networks, by block. Its tensors are the live ones."""
        return {name: dict(module.state_dict()) for name, module in self.states.items()}

    def remembered(self) -> nn.ModuleDict:
        """The blocks that remember and are part of no network, as a file of weights holds them: below `Model`."""
        kept = {name.replace(".", "/"): module for name, module in self.states.items()}
        return nn.ModuleDict({MODEL: nn.ModuleDict(kept)} if kept else {})

    def take(self, state: Mapping[str, Tensor]) -> None:
        """Take up what a file of weights remembers, by name; what it lacks, or has in another shape, begins anew."""
        for name, module in self.states.items():
            before = f"{MODEL}.{name.replace('.', '/')}."
            own = {key: state[before + key] for key in module.state_dict() if before + key in state}
            if {key: value.shape for key, value in own.items()} == {
                key: value.shape for key, value in module.state_dict().items()
            }:
                module.load_state_dict(own)

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take up what `state_dict` gave. Raises `NetcfgError` (NC406) where it is that of other blocks."""
        for name, module in self.states.items():
            try:
                module.load_state_dict(state[name])
            except (KeyError, RuntimeError):
                raise NetcfgError(
                    f"the checkpoint remembers nothing that fits `{name}`\n"
                    "help: resume with the file the run began with, or train anew with another --run-dir",
                    code="NC406",
                ) from None

    def needed(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """The nodes that these signals depend on, in order."""
        if names not in self._evaluated:
            self._compute_all_of(names)
            needed: set[int] = set()
            waiting = [self.program.signals[name].producer for name in names]
            while waiting:
                index = waiting.pop()
                if index not in needed and not self.graph.nodes[index].is_input:
                    needed.add(index)
                    waiting += [signal.producer for signal in self.graph.nodes[index].inputs]
            self._evaluated[names] = tuple(sorted(needed))
        return self._evaluated[names]

    def _compute_all_of(self, names: tuple[str, ...]) -> None:
        """From now on, compute all outputs of networks of which one is asked for that the program does not read."""
        for signal in (self.program.signals[name] for name in names):
            block = self.graph.nodes[signal.producer].block
            part = self.parts.get(block.network.name) if isinstance(block, NetworkUse) else None
            if part is None or signal.port in part.graph.outputs:
                continue
            del self.parts[part.graph.name]
            for index, node in enumerate(self.graph.nodes):
                if isinstance(node.block, NetworkUse) and node.block.network.name == part.graph.name:
                    self.calls[index] = self.over(index, _Checked(node, part.network))

    def reads(self, names: tuple[str, ...]) -> frozenset[str]:
        """The data fields that these signals depend on; unlike `fields_of` it asks for no further outputs."""
        waiting = [self.program.signals[name].producer for name in names]
        seen: set[int] = set()
        while waiting:
            index = waiting.pop()
            if index not in seen:
                seen.add(index)
                waiting += [signal.producer for signal in self.graph.nodes[index].inputs]
        return frozenset(self.graph.nodes[index].path for index in seen if self.graph.nodes[index].is_input)

    def fields_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The data fields that these signals depend on, in the model's order."""
        read = {
            signal.producer for index in self.needed(names) for signal in self.graph.nodes[index].inputs
        } | {self.program.signals[name].producer for name in names}
        return tuple(
            self.graph.nodes[index].path for index in sorted(read) if self.graph.nodes[index].is_input
        )


class _Loop:
    """A template's turns, one after the other."""

    def __init__(self, node: Node, model: Model) -> None:
        assert isinstance(node.block, Loop)
        self.loop = node.block
        self.path = node.path
        self.chance = model.chance
        self.outer = model
        self.fed = [name for name in self.loop.body.inputs if name != TURN]
        self.names = {port: f"{place}" for place, port in enumerate(self.loop.body.outputs)}
        signals = {self.names[port]: signal for port, signal in self.loop.body.outputs.items()}
        body = replace(model.program, model=self.loop.body, signals=signals)
        self.model = Model(body, model.networks, model.chance)

    def __call__(self, *inputs: Tensor) -> Value:
        batch = self.outer.batch
        assert batch is not None
        # The turn in front, by which a body counts samples: what is the same for all of them is there once.
        given = {TURN: batch.new_empty(0), **dict(zip(self.fed, inputs, strict=True))}
        made: dict[str, Tensor] = {}
        with self.chance.turns(self.path) as begin:
            for turn in range(self.loop.count):
                begin(turn)
                given[TURN] = torch.full((len(batch),), turn, dtype=torch.int64, device=batch.device)
                values = self.model.padded(given, self.names.values())
                made = {port: values[name] for port, name in self.names.items()}
                given |= {name: made[port] for name, port in self.loop.carried.items()}
        return made if len(made) > 1 else next(iter(made.values()))


class _Over:
    """A network for each place of an axis: places as samples of its batch, and back."""

    def __init__(
        self, use: NetworkUse, shapes: Sequence[Shape], network: nn.Module, call: Call, length: Any = None
    ) -> None:
        self.call = call
        self.length = length
        self.apart = network if use.over.apart else None
        self.inputs = [at for _, at in use.inside(shapes)]
        self.outputs = {
            name: use.outside(signal.shape, signal.axes)[1] for name, signal in use.network.outputs.items()
        }

    def __call__(self, *inputs: Tensor) -> Value:
        fed = [x if at is None else x.movedim(at + 1, 1) for x, at in zip(inputs, self.inputs, strict=True)]
        # Any signal that has the axis: all have as many places, which was checked before.
        ruler = next(x for x, at in zip(fed, self.inputs, strict=True) if at is not None)
        rows = Rows(ruler, self.length(len(ruler)) if self.length else None)
        folded = [
            rows.repeat(x) if at is None else rows.fold(x) for x, at in zip(fed, self.inputs, strict=True)
        ]
        with statistics_of_places(self.apart, rows.places) if self.apart else nullcontext():
            value = self.call(*folded)
        if isinstance(value, Tensor):
            return rows.unfold(value).movedim(1, next(iter(self.outputs.values())) + 1)
        return {name: rows.unfold(x).movedim(1, self.outputs[name] + 1) for name, x in value.items()}


class _Checked:
    """The call of a node, which compares once what the node gives with what it declares."""

    def __init__(self, node: Node, call: Call) -> None:
        self.node = node
        self.call = call
        self.is_new = True

    def __call__(self, *inputs: Tensor, **named: Any) -> Value:
        if not self.is_new:
            return self.call(*inputs, **named)
        self.is_new = False
        if isinstance(self.call, Part):
            value: Value = self.call.first_call(inputs)
        elif isinstance(self.call, Network) and isinstance(self.node.block, NetworkUse) and not named:
            value = first_call(self.call, self.node.block.network, inputs)
        else:
            value = self.call(*inputs, **named)
            if inputs:
                expect_declared(self.node, value, len(inputs[0]))
        return value


def call_of(node: Node, give: Callable[[nn.Module], None] = lambda module: None) -> Call:
    """A block that is no network as a function of its inputs, and of a signal of the batch where it needs that.

    `give` is called with its module, where it has one.
    """
    names = [f"x{index}" for index in range(len(node.inputs) + node.block.needs_batch())]
    scope: dict[str, Any] = {"torch": torch, "F": functional, NODES: {1: node}}
    if node.block.owns_tensor():
        scope["module"] = module_of(node)
        give(scope["module"])
        inline = node.block.inline(*names, "module.value")
    else:
        inline = node.block.inline(*names)
    if inline is None:
        module = module_of(node)
        give(module)
        scope["module"] = with_roles(node, module)
        inline = f"module({', '.join(names)})"
    # Our own text: nothing of a user's file is in it but numbers and checked choices.
    call: Call = eval(f"lambda {', '.join(names)}: {inline}", scope)
    return call


def read(values: list[Any], signal: Signal) -> Tensor:
    """The tensor of a signal."""
    value = values[signal.producer]
    tensor: Tensor = value[signal.port] if signal.port else value
    return tensor
