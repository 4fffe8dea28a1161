"""What stands in the rows of a training diagram's cards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netcfg.blocks.changing import Weight, number_text, times_text
from netcfg.graph import Graph, Node
from netcfg.plan_text import every, runs_on
from netcfg.program import Average, Phase
from netcfg.shapes import show

ITSELF = "itself"
"""What a network's card calls the network, where a loss evaluates it on points of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: whether something enters and leaves there; what leaves, its shape, and what enters."""

    text: str = ""
    shape: str = ""
    enters: bool = False
    leaves: bool = False
    entry: str = ""


def use_rows(network: Graph, use: Node) -> Iterator[Row]:
    """What a network reads where it has several inputs, and what it gives, side by side."""
    names = [name if len(use.inputs) > 1 else "" for name in network.inputs]
    given = [
        (port or (use.path if use.path != network.name else ""), signal)
        for port, signal in use.outputs.items()
    ]
    for place in range(max(len(names), len(given))):
        text, signal = given[place] if place < len(given) else ("", None)
        entry = names[place] if place < len(names) else ""
        shape = (show(signal.shape) or "one number") if signal else ""
        yield Row(text, shape, place < len(names), signal is not None, entry)


def optimizer_words(phase: Phase) -> Iterator[str]:
    """When a phase runs and how it steps, as far as that is special."""
    optimizer = phase.optimizer
    if optimizer.type_name != phase.name:
        yield words(optimizer.type_name)
    yield runs_on(optimizer)
    if phase.again is not None:
        yield f"a further step of {phase.again}"
    if optimizer.accumulate > 1:
        yield f"mean of {optimizer.accumulate}"
    if optimizer.clip_grad_norm is not None:
        yield f"norm ≤ {optimizer.clip_grad_norm:g}"
    if optimizer.schedule.type_name != "constant":
        yield words(optimizer.schedule.type_name)


def average_words(average: Average) -> Iterator[str]:
    """When an average runs, and how fast it follows."""
    section = average.section
    if section.type_name != average.name:
        yield words(section.type_name)
    yield every(section.every)
    yield f"momentum {number_text(section.momentum)}"


def term(name: str, factor: Weight, is_first: bool) -> str:
    """`− 10 × name`: a loss in the sum that a phase minimises."""
    is_negative, size = times_text(factor)
    sign = "− " if is_negative else "" if is_first else "+ "
    times = f"{size.replace(' * ', ' × ')} × " if size else ""
    return f"{sign}{times}{name}"


def words(name: str) -> str:
    return name.replace("_", " ")
