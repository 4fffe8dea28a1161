"""What a box costs: its parameters, multiply-accumulates and memory, as numbers and as words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcfg.graph import Node

BYTES = 4
"""Of a number of an activation."""


@dataclass(frozen=True, slots=True)
class Costs:
    """For one sample; None where a size is unknown. `memory` is that of the signals made, in bytes (float32)."""

    parameters: int = 0
    macs: int | None = 0
    memory: int | None = 0


def costs_of(nodes: Iterable[Node]) -> Costs:
    """Those of several nodes together."""
    parameters, macs, memory = 0, 0, 0
    is_known, has_sizes = True, True
    for node in nodes:
        parameters += node.parameters
        is_known = is_known and node.macs is not None
        macs += node.macs or 0
        for signal in node.outputs.values():
            sizes = [size for size in signal.shape if isinstance(size, int)]
            has_sizes = has_sizes and len(sizes) == len(signal.shape)
            memory += BYTES * prod(sizes)
    return Costs(parameters, macs if is_known else None, memory if has_sizes else None)


def sum_of(costs: Iterable[Costs]) -> Costs:
    """Those of several boxes together."""
    each = list(costs)
    macs = [one.macs for one in each if one.macs is not None]
    memory = [one.memory for one in each if one.memory is not None]
    return Costs(
        sum(one.parameters for one in each),
        sum(macs) if len(macs) == len(each) else None,
        sum(memory) if len(memory) == len(each) else None,
    )


def cost_notes(costs: Costs, labels: Sequence[str]) -> tuple[str, ...]:
    """The costs that `labels` ask for, in words, as far as there are any."""
    kinds = [label for label in labels if label != "shape" and getattr(costs, label) != 0]
    return tuple(cost_text(kind, getattr(costs, kind)) for kind in kinds)


def amount(number: int, digits: int = 1) -> str:
    """A number as a reader takes it in: `134.3 M`, `12.4 k`, `532`."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= (1 - 0.5 * 10 ** (-digits - 3)) * size:  # 999,960 is 1.0 M, not 1000.0 k
            return f"{number / size:.{digits}f} {unit}"
    return str(number)


def cost_text(kind: str, number: int | None) -> str:
    """`12.4 k parameters`, `1.9 G MACs`, `3.2 MB`; of an unknown number `? MACs`."""
    unit = {"parameters": "parameters", "macs": "MACs", "memory": "B"}[kind]
    if number is None:
        return f"? {unit}"
    text = amount(number)
    return f"{text}{unit}" if kind == "memory" and not text.isdigit() else f"{text} {unit}"
