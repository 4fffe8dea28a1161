"""What a training will take on this machine, before it begins.

Time is arithmetic over a rate measured on a small convolution, good to a factor of about two. What a step computes
comes from its plan, as the mean over batches: a forward pass counts once, with the backward pass to the weights three
times. Memory is weights, gradients, the optimizers' moments, averages, and the signals one batch leaves for the
backward pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log2, prod
from statistics import median

import torch
from torch import nn

from netcfg.blocks.optimizers.base import Optimizer
from netcfg.graph import Graph
from netcfg.passes.held import kept_in_training, makes_again
from netcfg.passes.plan import PhasePlan, Plan, network_of, plan
from netcfg.program import Phase, Program
from netcfg.shapes import volume
from netcfg.summary import human
from netcfg.trainers.machine.devices import available_memory, describe_device, use_channels_last
from netcfg.trainers.reporting.progress import clock

HINT_FROM_SECONDS = 600.0
_PASSES = 3  # a backward pass costs about two forward ones
_PASSES_THROUGH = 2  # one that only goes through a network, to others before it, costs one
_PASSES_OF_PENALTY = 4  # forward, the gradient at its input, and back through that gradient
_CALL_SECONDS = {"cpu": 2e-5, "cuda": 1e-5}  # to start one block, whatever its size
_UPDATE_RATE = 1e10  # bytes per second of a modest memory
_MEASURED_SECONDS = 0.05
_LEAST_ROUNDS = 5


@dataclass(frozen=True)
class Work:
    """What a step does, the mean over batches. `macs` per sample, `calls` of blocks and `update_bytes` per batch."""

    macs: float
    calls: float
    update_bytes: float


@dataclass(frozen=True)
class Estimate:
    """`macs` are multiply-accumulates of one pass through all networks, per sample.

    `step` is the work of training, `evaluation_macs` that of judging one sample; `kept_bytes` are weights and what
    updates keep; `rate` is in operations per second, a MAC being two.
    """

    parameters: int
    macs: int
    step: Work
    evaluation_macs: float
    kept_bytes: int
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
        return 2 * self.step.macs / self.rate + self._batch_seconds / self.batch_size

    @property
    def _batch_seconds(self) -> float:
        """What a batch takes besides its samples."""
        seconds = self.step.calls * _CALL_SECONDS[self.device.type]
        return seconds + (self.step.update_bytes / _UPDATE_RATE if self.device.type == "cpu" else 0.0)

    @property
    def seconds(self) -> float:
        """For all epochs, validation included."""
        macs = self.step.macs * self.train_samples + self.evaluation_macs * self.validation_samples
        batches = -(-self.train_samples // self.batch_size)
        return (2 * macs / self.rate + batches * self._batch_seconds) * self.epochs

    @property
    def memory(self) -> int:
        """Bytes, at the end of a forward pass."""
        return self.kept_bytes + self.activation_bytes


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
        step=_work(program, plan(program)),
        evaluation_macs=sum(
            graph.macs or 0 for graph in (program.networks[name] for name in _evaluated(program))
        ),
        kept_bytes=_kept_bytes(program),
        batch_size=program.training.batch_size,
        train_samples=train_samples,
        validation_samples=validation_samples,
        epochs=epochs,
        activation_bytes=4 * program.training.batch_size * sum(volumes),
        rate=measure_rate(device, *_typical(program)),
        device=device,
    )


def _work(program: Program, plan: Plan) -> Work:
    """The mean over the plan's kinds of batches; batches on which no phase runs cost nothing."""
    macs = calls = 0.0
    for pattern in plan.patterns:
        share = pattern.batches / pattern.period * _share_of(pattern.epochs, program.training.max_epochs)
        for graph, passes in _uses(program, plan, pattern.step.phases):
            macs += share * passes * (graph.macs or 0)
            calls += share * passes * len(graph.nodes)
    updates = sum(
        _update_bytes(phase.optimizer) * _trainable(program, phase) / phase.optimizer.every
        for phase in program.phases
    )
    updates += sum(
        12 * program.networks[name].parameters / average.section.every
        for average in program.averages
        for name in average.section.networks
    )
    if program.training.ema is not None:
        updates += 12 * sum(_trainable(program, phase) for phase in program.phases)
    return Work(macs, calls, updates)


def _uses(program: Program, plan: Plan, phases: Iterable[PhasePlan]) -> Iterator[tuple[Graph, int]]:
    """The networks that phases compute, one after another, and how many forward passes each use is worth."""
    trained = {phase.name: phase.optimizer.networks for phase in program.phases}
    for phase in phases:
        for compute in phase.computes:
            name = network_of(plan.model, compute.node)
            if name is None:
                continue
            if compute.history is None:
                yield program.networks[name], 1
            else:
                graph = program.networks[name]
                passes = _PASSES if name in trained[compute.history] else _PASSES_THROUGH
                yield graph, passes + makes_again(graph)
        for evaluate in phase.evaluates:
            for name in program.losses[evaluate.loss].evaluates:
                yield program.networks[name], _PASSES_OF_PENALTY


def _evaluated(program: Program) -> list[str]:
    """The networks that an evaluation computes; several uses count each."""
    assert program.model is not None
    losses = [program.losses[name] for name in program.judged_losses]
    reads = [name for loss in losses for name in loss.reads.values()]
    reads += [name for metric in program.metrics.values() for name in metric.reads.values()]
    needed: set[int] = set()
    waiting = [program.signals[name].producer for name in reads]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += [signal.producer for signal in program.model.nodes[index].inputs]
    names = (network_of(program.model, index) for index in sorted(needed))
    return [name for name in names if name is not None]


def _trainable(program: Program, phase: Phase) -> int:
    networks = sum(program.networks[name].trainable for name in phase.optimizer.networks)
    return networks + sum(program.learned_by(phase).values())


def _update_bytes(optimizer: Optimizer) -> float:
    """What the updates of a batch read and write of each parameter: weight, gradient, moments."""
    return (12 + 8 * optimizer.state_size()) / optimizer.accumulate


def _share_of(stretch: tuple[int, int | None] | None, epochs: int) -> float:
    """Which part of so many epochs lies in a stretch of them, the first and the last one included."""
    if stretch is None:
        return 1.0
    first, last = stretch
    return max(0, min(last or epochs, epochs) - first + 1) / epochs


def _kept_bytes(program: Program) -> int:
    """Weights, and of those that train gradient, moments and average, in 32 bits."""
    numbers = sum(graph.parameters for graph in program.networks.values())
    numbers += sum(sum(program.learned_by(phase).values()) for phase in program.phases)
    for phase in (one for one in program.phases if one.again is None):
        averages = program.training.ema is not None
        numbers += _trainable(program, phase) * (1 + phase.optimizer.state_size() + averages)
    return 4 * numbers


def estimate_lines(estimate: Estimate, program: Program) -> list[str]:
    """The estimate in words; a warning where memory is short, a hint where there is a quick preset."""
    lines = [
        f"{program.name}: {human(estimate.parameters)} parameters, {human(estimate.macs)} multiply-accumulates "
        f"a sample; {estimate.train_samples} training and {estimate.validation_samples} validation samples",
        f"{_epochs(estimate.epochs)} will take about {clock(estimate.seconds)} and {si(estimate.memory)}B "
        f"of memory on {describe_device(estimate.device)} ({si(estimate.rate)}FLOP/s measured), "
        "without the making of data, which the first batches measure",
    ]
    free = available_memory(estimate.device)
    if free is not None and estimate.memory > free:
        lines.append(f"warning: only {si(free)}B of memory are free; a smaller batch_size needs less")
    if estimate.seconds > HINT_FROM_SECONDS and "demo" in program.presets and program.preset != "demo":
        lines.append("hint: `--preset demo` trains a small version of it in minutes")
    return lines


def _typical(program: Program) -> tuple[int, int]:
    """Channels and side of the pictures that most of the arithmetic makes: small ones are much less efficient."""
    weight = channels = side = 0.0
    for graph in program.networks.values():
        for node in graph.blocks:
            shape = node.output.shape
            if node.macs and len(shape) == 3 and isinstance(shape[0], int) and isinstance(shape[1], int):
                weight += node.macs
                channels += node.macs * log2(shape[0])
                side += node.macs * log2(shape[1])
    if not weight:
        return 64, 56
    return max(8, min(64, round(2 ** (channels / weight)))), max(4, min(56, round(2 ** (side / weight))))


def measure_rate(device: torch.device, channels: int = 64, side: int = 56) -> float:
    """Operations per second, forward and backward through a 3×3 convolution: the median of 50 ms of rounds.

    The median, because another process may take the cores for longer than one round lasts. Leaves the random
    state as it is.
    """
    with torch.random.fork_rng(devices=[]):
        convolution = nn.Conv2d(channels, channels, 3, padding=1, device=device)
    use_channels_last(convolution)
    pictures = torch.ones(8, channels, side, side, device=device)
    pictures = pictures.to(memory_format=torch.channels_last).requires_grad_()
    operations = 2 * _PASSES * prod(pictures.shape) * channels * 9
    _run(convolution, pictures)
    seconds: list[float] = []
    while sum(seconds) < _MEASURED_SECONDS or len(seconds) < _LEAST_ROUNDS:
        start = time.perf_counter()
        _run(convolution, pictures)
        seconds.append(time.perf_counter() - start)
    return operations / median(seconds)


def _run(convolution: nn.Module, pictures: torch.Tensor) -> None:
    convolution(pictures).sum().backward()
    if pictures.is_cuda:
        torch.cuda.synchronize(pictures.device)


def _volumes(graph: Graph) -> Iterator[int]:
    """How many numbers each block leaves for the backward pass, per sample."""
    if makes_again(graph):
        kept = kept_in_training(graph).at_most
        if isinstance(kept, int):
            yield kept
        return
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
