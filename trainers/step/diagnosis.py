"""Where a loss stopped being a number: the batch is computed once more, block by block, until one is found.

Nothing of this runs in a normal step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from netcfg.blocks.network.gradient import Gradient
from netcfg.blocks.network.model import NetworkUse
from netcfg.builder.network import checked_forward
from netcfg.graph import Graph, Node
from netcfg.passes.lifetimes import Lifetimes
from netcfg.program import Phase, Program
from netcfg.source import Finding, Note
from netcfg.trainers.step.model import Model, Value, read

if TYPE_CHECKING:
    from netcfg.trainers.step.step import Losses, Precision

REMEDY = "a smaller learning_rate, or `clip_grad_norm = 1` in the optimizer, mostly helps"
FP16_REMEDY = "numbers above 65504 do not exist in fp16: `precision = bf16` has the range of f32"
DATA_REMEDY = "look at the data: `netcfg data show` draws samples of a source"


class _Found(Exception):
    """The first place with a number that is none."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.message)
        self.note = note


class Diagnosis:
    """Looks for the first number that is none: in the data, in the weights, then in the blocks as they compute."""

    def __init__(self, model: Model, losses: Losses, precision: Precision) -> None:
        self.model = model
        self.losses = losses
        self.precision = precision

    def finding(
        self,
        phase: Phase,
        values: Mapping[str, float],
        fields: Mapping[str, Tensor] | None,
        place: str = "",
    ) -> Finding:
        """The finding (NC405) for the losses of a phase, with a note at the block where it began.

        `fields` is the batch, None where it is gone. Changes the random state and running statistics.
        """
        broken = next((name for name, value in values.items() if not isfinite(value)), None)
        shown = (
            f"the loss `{broken}` became {values[broken]}" if broken else "the sum of the losses overflowed"
        )
        note = self._first(phase, fields) if fields is not None else None
        overflows = self.precision.name == "fp16"
        help = (
            DATA_REMEDY if note and "the data field" in note.message else FP16_REMEDY if overflows else REMEDY
        )
        # Dropout has drawn other numbers this time, and a GPU may have summed in another order.
        if broken and fields is not None and note is None:
            shown += place + ", though no block gave NaN or infinity when the batch was computed again"
            place = ""
        return Finding("NC405", shown + place, phase.span, (note,) if note else (), help)

    def _first(self, phase: Phase, fields: Mapping[str, Tensor]) -> Note | None:
        try:
            self._look_at_fields(fields)
            # Weights before blocks: a block with a broken weight gives no numbers, and is not where it began.
            for name in self._networks(phase):
                _look_at_weights(self.model.program.networks[name], self.model.networks[name])
            self._compute(phase, fields)
        except _Found as found:
            return found.note
        return None

    def _look_at_fields(self, fields: Mapping[str, Tensor]) -> None:
        data = self.model.program.data
        assert data is not None
        for name, tensor in fields.items():
            if name in data.used and (what := _broken(tensor)):
                raise _Found(Note(data.span, f"the data field `{name}` holds {what}"))

    def _networks(self, phase: Phase) -> list[str]:
        """The networks a phase's losses depend on, in the order of the model."""
        program = self.model.program
        losses = [program.losses[name] for name in phase.losses]
        names = tuple(dict.fromkeys(signal for loss in losses for signal in loss.reads.values()))
        blocks = [self.model.graph.nodes[index].block for index in self.model.needed(names)]
        used = [block.network.name for block in blocks if isinstance(block, NetworkUse)]
        return list(dict.fromkeys([*used, *(name for loss in losses for name in loss.evaluates)]))

    def _compute(self, phase: Phase, fields: Mapping[str, Tensor]) -> None:
        """The phase's losses, each block's result looked at as it comes."""
        program = self.model.program
        losses = {name: program.losses[name] for name in phase.losses if not program.losses[name].losses}
        signals: dict[str, Tensor] = {}
        with torch.no_grad():
            for name in dict.fromkeys(read for loss in losses.values() for read in loss.reads.values()):
                signals.setdefault(name, self._signal(name, fields))
        for name, loss in losses.items():
            watched = [self._watched(network) for network in loss.evaluates]
            given, named = loss.arguments([_precise(signals[key]) for key in loss.reads.values()])
            self.losses.modules[name](*watched, *given, **named)

    def _signal(self, name: str, fields: Mapping[str, Tensor]) -> Tensor:
        graph, values = self.model.graph, self.model.fill(fields)
        for index in self.model.needed((name,)):
            node = graph.nodes[index]
            inputs = [read(values, signal) for signal in node.inputs]
            call = self.model.calls[index]
            assert call is not None
            if isinstance(
                node.block, Gradient
            ):  # of numbers that it looks at: nothing is differentiated here
                values[index] = torch.zeros_like(inputs[1])
                continue
            with self.model.chance.used_by(node.path):
                if isinstance(node.block, NetworkUse):
                    watched = self._watched(node.block.network.name)
                    values[index] = self.model.over(index, watched)(*inputs)
                else:
                    values[index] = _looked_at(call(*inputs), node, "", inputs)
        signal = self.model.program.signals[name]
        return self.model.packed([signal], [read(values, signal)])[0]

    def _watched(self, name: str) -> _Watched:
        return _Watched(self.model.program, name, self.model.networks[name], self.precision)


class _Watched:
    """A network that computes block by block, and stops at the first that gives no numbers."""

    def __init__(self, program: Program, name: str, network: nn.Module, precision: Precision) -> None:
        self.graph: Graph = program.networks[name]
        self.network = network
        self.precision = precision

    def __call__(self, *inputs: Tensor, **lengths: Any) -> Any:
        watch = _Watch(self.graph, inputs)
        with self.precision():
            return checked_forward(self.graph, watch)(self.network, *inputs, **lengths)


class _Watch:
    """Looks at what each block of a network gives, in its own forward."""

    def __init__(self, graph: Graph, inputs: Iterable[Tensor]) -> None:
        self.graph = graph
        self.lifetimes = Lifetimes(graph)
        numbers = (index for index, node in enumerate(graph.nodes) if node.is_input)
        self.largest = {index: _largest([tensor]) for index, tensor in zip(numbers, inputs, strict=True)}
        """The largest number that each block has given."""

    def begin(self, input: Tensor) -> None:
        """Nothing is to be known of it."""

    def __call__(self, index: int, made: Value) -> None:
        node = self.graph.nodes[index]
        fed = [self.largest.get(self.lifetimes.root(signal)[0], 0.0) for signal in node.inputs]
        _look_at(made, node, f"{self.graph.name}.", max(fed, default=0.0))
        self.largest[index] = _largest(made.values() if isinstance(made, dict) else [made])


def _largest(tensors: Iterable[Tensor]) -> float:
    return max((float(tensor.detach().abs().max()) for tensor in tensors if tensor.numel()), default=0.0)


def _looked_at(made: Value, node: Node, prefix: str, inputs: Iterable[Tensor]) -> Value:
    """What a block gave. Raises `_Found` where it is no number."""
    _look_at(made, node, prefix, _largest(inputs))
    return made


def _look_at(made: Value, node: Node, prefix: str, largest: float) -> None:
    for port, tensor in made.items() if isinstance(made, dict) else [("", made)]:
        if what := _broken(tensor):
            name = f"{prefix}{node.path}" + (f".{port}" if port else "")
            raise _Found(
                Note(node.span, f"`{name}` [{node.type}] is the first block that gives {what}; what it is fed "
                f"is at most {largest:.3g} in size")
            )  # fmt: skip


def _look_at_weights(graph: Graph, network: nn.Module) -> None:
    for name, tensor in network.state_dict().items():
        if what := _broken(tensor):
            node = graph.owner(name)
            message = f"`{graph.name}.{name}` holds {what} since an earlier update"
            raise _Found(Note(node.span if node else graph.span, message))


def _broken(tensor: Tensor) -> str | None:
    """What is wrong with a tensor's numbers: `NaN`, `infinity`; None where nothing is."""
    if not tensor.is_floating_point() or tensor.isfinite().all():
        return None
    return "NaN" if tensor.isnan().any() else "infinity"


def _precise(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


__all__ = ["DATA_REMEDY", "FP16_REMEDY", "REMEDY", "Diagnosis"]
