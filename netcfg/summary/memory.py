"""How much memory a network takes, in bytes: signals in a forward pass and in a training step, and parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netcfg.graph import Graph
from netcfg.passes.held import forward_peak, kept_in_training
from netcfg.passes.unread import unread_outputs, without
from netcfg.program import Program
from netcfg.shapes import Shape, Size, volume

BYTES = {"f32": 4, "bf16": 2, "fp16": 2}
"""Of a number of a signal; parameters, gradients and what optimizers remember are always in f32."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one network, for a batch. `peak` and `kept` are None where a size is unknown.

    `kept` is what a training step holds between its forward and its backward pass, inputs and outputs included;
    `again` the most that its backward pass makes again at once, beside that, where `checkpoint` asks for it.
    """

    peak: int | None
    kept: int | None
    again: int | None
    parameters: int
    gradients: int
    optimizer: int


def memory_of(program: Program, graph: Graph, batch_size: int = 1, precision: str = "f32") -> Memory:
    """The memory of a network, trained as the program says, without outputs that nothing reads."""
    each = batch_size * BYTES[precision]
    computed = without(graph, unread_outputs(program).get(graph.name, ()))
    peak, kept = forward_peak(computed), kept_in_training(computed)
    states = [
        phase.optimizer.state_size() for phase in program.phases if graph.name in phase.optimizer.networks
    ]
    return Memory(
        None if peak is None else peak * each,
        kept.held * each if isinstance(kept.held, int) else None,
        kept.again * each if isinstance(kept.again, int) else None,
        graph.parameters * BYTES["f32"],
        graph.trainable * BYTES["f32"],
        graph.trainable * BYTES["f32"] * max(states, default=0),
    )


def output_bytes(shapes: Iterable[Shape], batch_size: int = 1, precision: str = "f32") -> int | None:
    """The size of a block's signals; None where it is unknown."""
    total: Size = sum(map(volume, shapes))
    return total * batch_size * BYTES[precision] if isinstance(total, int) else None
