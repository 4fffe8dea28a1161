"""Every export is compared with the network that it comes from, in a process of its own, before it is written.

Exporters do write wrong files; a network that leaves is compared on random inputs of two sizes and two batch sizes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from netcfg.blocks.base import ShapeError
from netcfg.builder.network import Network
from netcfg.graph import Graph, Signal
from netcfg.passes.ragged import names_in
from netcfg.shapes import Size, Symbolic
from netcfg.source import NetcfgError

BATCHES = (1, 2)
SEED = 20
FACTORS = (1.0, 1.3)
"""A file's sizes, and these times so much: sizes that are no multiple of anything."""
NAMED = (61, 83)
"""Where a file names a size, the first is tried, then the second; larger ones where a network needs more."""
TRIES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Trial:
    """Inputs of one size and batch size, and what the network gives for them, by output."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    @property
    def sizes(self) -> str:
        """The inputs' shapes, the batch included."""
        return ", ".join(f"{name} {'×'.join(map(str, x.shape))}" for name, x in self.inputs.items())


class Prepared(Protocol):
    """What stands before a network in an export: its `pictures` are inputs of bytes, and `see` computes from all inputs
    what the network is given.
    """

    @property
    def pictures(self) -> Sequence[str]: ...

    def see(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]: ...


@dataclass(frozen=True)
class Difference:
    """How far an output is from the network's at most; `relative` is that beside its largest number.

    `is_blind`: it is the same for all samples, as that of a layer that starts at 0, so that what stands before its last
    layer was not compared.
    """

    network: str
    output: str
    sizes: str
    largest: float
    relative: float
    precision: str = "f32"
    is_blind: bool = False


def trials_of(
    graph: Graph, network: Network, *, only_open: bool = False, prepared: Prepared | None = None
) -> list[Trial]:
    """What a network gives for random inputs: two sizes, where it takes two, in two batch sizes.

    `only_open`: sizes that the file states stay, of what is exported for these alone. `prepared` says which inputs are
    pictures of bytes, and makes of them what the network sees.
    """
    generator = torch.Generator().manual_seed(SEED)
    found: list[Trial] = []
    shapes: list[dict[str, tuple[int, ...]]] = []
    for number in range(2):
        chosen = _shapes(graph, number, only_open)
        if chosen is None or chosen in shapes:
            continue
        trials = []
        try:
            for batch in BATCHES:
                inputs = {
                    name: _draw(graph.nodes[signal.producer].block, signal, (batch, *chosen[name]), generator)
                    for name, signal in graph.inputs.items()
                }
                if prepared is not None:
                    inputs |= {name: _picture(inputs[name], generator) for name in prepared.pictures}
                seen = inputs if prepared is None else prepared.see(inputs)
                trials.append(Trial(inputs, _computed(graph, network, seen)))
        except RuntimeError:
            if number == 0 and not found:
                raise
            continue  # it takes its own size alone
        shapes.append(chosen)
        found += trials
    if not found:
        raise NetcfgError(
            f"finds no sizes for the inputs of {graph.name} to try it with\nhelp: give them numbers in the file",
            code="NC808",
        )
    return found


def _computed(graph: Graph, network: Network, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    torch.manual_seed(SEED)  # blocks that draw do so the same way there
    with torch.inference_mode():
        made = network(*(x.clone() for x in inputs.values()))
    made = made if isinstance(made, dict) else {next(iter(graph.outputs)) or "output": made}
    return {name: value.contiguous() for name, value in made.items()}


def _shapes(graph: Graph, number: int, only_open: bool = False) -> dict[str, tuple[int, ...]] | None:
    """Sizes for the inputs: the file's, and where it leaves them open some that divide by nothing."""
    named = {name for signal in graph.inputs.values() for size in signal.shape for name in names_in(size)}
    known = sorted(named)
    for times in TRIES:
        chosen = {
            name: tuple(
                [
                    size
                    if only_open and isinstance(size, int)
                    else _size(size, axis, number, times, signal, known)
                    for axis, size in enumerate(signal.shape)
                ]
            )
            for name, signal in graph.inputs.items()
        }
        try:
            graph.output_shapes(dict(chosen))
        except ShapeError:
            continue
        return chosen
    return None


def _size(size: Size, axis: int, number: int, times: int, signal: Signal, known: Sequence[str]) -> int:
    if isinstance(size, Symbolic):
        letter = signal.axes[axis] if axis < len(signal.axes) else ""
        if letter in "TLN" and letter:
            return (3, 5)[number] * times
        # The same wherever a name stands, and height another than width.
        return NAMED[number] * times + 2 * sum(map(known.index, set(names_in(size))))
    is_place = axis < len(signal.axes) and signal.axes[axis] in "HW"
    return size if number == 0 or not is_place else int(size * FACTORS[1]) + (1, 2)[signal.axes[axis] == "W"]


def _draw(block: Any, signal: Signal, sizes: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if signal.kind == "class":
        return torch.randint(block.classes or 2, sizes, generator=generator)
    if signal.kind == "truth":
        return torch.randint(2, sizes, generator=generator).bool()
    return torch.randn(sizes, generator=generator)


def _picture(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randint(256, x.shape, generator=generator, dtype=torch.uint8)


def run_apart(script: str, folder: Path, arguments: Mapping[str, Any]) -> None:
    """Run a text of Python in a process of its own. Raises `NetcfgError` (NC808) with what it said."""
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NetcfgError(
            f"what was exported does not run: {said[-1] if said else f'it ended with {done.returncode}'}",
            code="NC808",
        )


def write_trials(folder: Path, trials: Sequence[Trial]) -> list[str]:
    """Inputs as files that the other process reads; their names."""
    names = []
    for number, trial in enumerate(trials):
        name = f"inputs{number}.safetensors"
        save_file({key: value.contiguous() for key, value in trial.inputs.items()}, folder / name)
        names.append(name)
    return names


def differences(
    network: str, folder: Path, trials: Sequence[Trial], precision: str = "f32"
) -> list[Difference]:
    """What the other process has written, beside what the network gives: for each output the worst of all trials."""
    worst: dict[str, Difference] = {}
    stem = "outputs" if precision == "f32" else precision
    for number, trial in enumerate(trials):
        given = load_file(folder / f"{stem}{number}.safetensors")
        for name, expected in trial.outputs.items():
            largest, relative = _distance(expected, given.get(name))
            here = Difference(network, name, trial.sizes, largest, relative, precision)
            # Not `>`, by which NaN would be no worse than the trial before.
            if name not in worst or not relative <= worst[name].relative:
                worst[name] = here
    return [replace(one, is_blind=_is_blind(one.output, trials)) for one in worst.values()]


def _is_blind(output: str, trials: Sequence[Trial]) -> bool:
    """Whether the network gives the same for samples that differ."""
    several = [trial.outputs[output] for trial in trials if len(trial.outputs[output]) > 1]
    return bool(several) and all(bool((values == values[:1]).all()) for values in several)


def _distance(expected: Tensor, given: Tensor | None) -> tuple[float, float]:
    if given is None or given.shape != expected.shape:
        return float("inf"), float("inf")
    if not expected.numel():
        return 0.0, 0.0
    a, b = expected.double(), given.double()
    largest = float((a - b).abs().max())
    scale = float(a.abs().max())
    if largest == 0.0:
        return 0.0, 0.0
    return largest, largest / scale if scale else float("inf")


def expect_equal(found: Sequence[Difference], limit: float) -> None:
    """Raises `NetcfgError` (NC808) where an export computes other numbers; nan is another number."""
    for one in found:
        if one.precision == "f32" and not one.relative <= limit:
            raise NetcfgError(
                f"what was exported computes other numbers: {one.network}'s {one.output} differs by {one.largest:.2g}, "
                f"{one.relative:.1g} of its largest, for {one.sizes}; nothing was written",
                code="NC808",
            )


__all__ = [
    "SEED", "Difference", "Trial", "differences", "expect_equal", "run_apart", "trials_of", "write_trials",
]  # fmt: skip
