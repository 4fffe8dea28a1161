"""What a training will take on this machine, before it begins.

Time is arithmetic over a rate measured on a small convolution, good to a factor of about two; memory is
weights, gradients, Adam's two moments and the signals one batch leaves for the backward pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from netcfg.graph import Graph
from netcfg.program import Program
from netcfg.shapes import volume
from netcfg.summary import human
from netcfg.trainers.devices import available_memory, describe_device, use_channels_last
from netcfg.trainers.progress import clock

HINT_FROM_SECONDS = 600.0
BYTES_PER_PARAMETER = 4 + 4 + 8  # weight, gradient, Adam's moments, in 32 bits
_PASSES = 3  # a backward pass costs about two forward ones
_UPDATE_BYTES = 28  # what one update reads and writes per parameter
_UPDATE_RATE = 1e10  # bytes per second of a modest memory
_MEASURED_SECONDS = 0.05


@dataclass(frozen=True)
class Estimate:
    """`macs` are multiply-accumulates per sample; `rate` in operations per second, a MAC being two."""

    parameters: int
    macs: int
    batch_size: int
    train_samples: int
    validation_samples: int
    epochs: int
    activation_bytes: int
    rate: float
    device: torch.device

    @property
    def step_seconds(self) -> float:
        """For one training sample."""
        return 2 * _PASSES * self.macs / self.rate

    @property
    def seconds(self) -> float:
        """For all epochs, validation included."""
        samples = _PASSES * self.train_samples + self.validation_samples
        updates = -(-self.train_samples // self.batch_size)
        per_epoch = 2 * self.macs * samples / self.rate
        if self.device.type == "cpu":
            per_epoch += updates * self.parameters * _UPDATE_BYTES / _UPDATE_RATE
        return per_epoch * self.epochs

    @property
    def memory(self) -> int:
        """Bytes, at the end of a forward pass."""
        return self.parameters * BYTES_PER_PARAMETER + self.activation_bytes


def estimate(
    program: Program, train_samples: int, validation_samples: int, epochs: int, device: torch.device
) -> Estimate | None:
    """The estimate; None where a symbolic size leaves the cost open."""
    graphs = program.networks.values()
    macs = [graph.macs for graph in graphs]
    volumes = [size for graph in graphs for size in _volumes(graph)]
    if None in macs:
        return None
    return Estimate(
        parameters=sum(graph.parameters for graph in graphs),
        macs=sum(count for count in macs if count is not None),
        batch_size=program.training.batch_size,
        train_samples=train_samples,
        validation_samples=validation_samples,
        epochs=epochs,
        activation_bytes=4 * program.training.batch_size * sum(volumes),
        rate=measure_rate(device),
        device=device,
    )


def estimate_lines(estimate: Estimate, program: Program) -> list[str]:
    """The estimate in words; a warning where memory is short, a hint where there is a quick preset."""
    lines = [
        f"{program.name}: {human(estimate.parameters)} parameters, {human(estimate.macs)} multiply-accumulates "
        f"a sample; {estimate.train_samples} training and {estimate.validation_samples} validation samples",
        f"{_epochs(estimate.epochs)} will take about {clock(estimate.seconds)} and {si(estimate.memory)}B "
        f"of memory on {describe_device(estimate.device)} ({si(estimate.rate)}FLOP/s measured)",
    ]
    free = available_memory(estimate.device)
    if free is not None and estimate.memory > free:
        lines.append(f"warning: only {si(free)}B of memory are free; a smaller batch_size needs less")
    if estimate.seconds > HINT_FROM_SECONDS and "demo" in program.presets and program.preset != "demo":
        lines.append("hint: `--preset demo` trains a small version of it in minutes")
    return lines


def measure_rate(device: torch.device) -> float:
    """Operations per second, forward and backward through a 3×3 convolution, measured for 50 ms.

    Leaves the random state as it is.
    """
    with torch.random.fork_rng(devices=[]):
        convolution = nn.Conv2d(64, 64, 3, padding=1, device=device)
    use_channels_last(convolution)
    pictures = torch.ones(8, 64, 56, 56, device=device).to(memory_format=torch.channels_last).requires_grad_()
    operations = 2 * _PASSES * prod(pictures.shape) * 64 * 9
    _run(convolution, pictures)
    rounds, start = 0, time.perf_counter()
    while time.perf_counter() - start < _MEASURED_SECONDS:
        _run(convolution, pictures)
        rounds += 1
    return operations * rounds / (time.perf_counter() - start)


def _run(convolution: nn.Module, pictures: torch.Tensor) -> None:
    convolution(pictures).sum().backward()
    if pictures.is_cuda:
        torch.cuda.synchronize(pictures.device)


def _volumes(graph: Graph) -> Iterator[int]:
    """How many numbers each block leaves for the backward pass, per sample."""
    for node in graph.blocks:
        for signal in node.outputs.values():
            size = volume(signal.shape)
            if isinstance(size, int):
                yield size


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' if count != 1 else ''}"


def si(number: float) -> str:
    """A number with a unit prefix: `237.0 M`, `15.5 G`."""
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f} {prefix}"
    return f"{number:.0f} "
