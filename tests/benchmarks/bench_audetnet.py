"""AUDetNet's training step: ours against the original's order of work, written out here; and against our own kernels
in an order written by hand. Mean over five batches, of which one trains the main networks; peak memory.

    python tests/benchmarks/bench_audetnet.py [FILE [ROUNDS]]

All variants take the same batches in turn, so that a busy machine slows all; medians of the rounds' ratios count.
With OMP_NUM_THREADS=1 the processor's time is measured, which other programs do not lengthen.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.graph import Graph, Node
from netcfg.passes.read import shipped_folder
from netcfg.program import Program
from netcfg.trainers.machine.devices import use_channels_last
from netcfg.trainers.step import losses
from netcfg.trainers.step.phases import Phases, set_training

BATCH, EVERY, CODE_1, CODE = 16, 5, 64, 192
SIDE, UNITS = 64, 12
PENALTY, PLEASE, RECONSTRUCTION = 10.0, 0.1, 10.0
MAIN = ("Encoder", "AUPredictor", "Decoder")

Fields = Mapping[str, Tensor]
TrainingStep = Callable[[Fields, int], object]


# --- the networks as plain modules


class PerPixel(nn.Linear):
    """A linear map at every pixel, as the original does it: axes swapped, applied, swapped back."""

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W -> N×outputs×H×W."""
        return super().forward(x.transpose(1, 3)).transpose(1, 3)


class Upsample(nn.Module):
    """Nearest pixels."""

    def __init__(self, size: tuple[int, int] | None, factor: float) -> None:
        super().__init__()
        self.size, self.factor = size, factor

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W -> N×C×H'×W'."""
        return F.interpolate(x, self.size, None if self.size else self.factor)


ACTIVATIONS = {"leaky_relu": nn.LeakyReLU, "relu": nn.ReLU, "tanh": nn.Tanh}


def plain(program: Program, built: nn.ModuleDict) -> nn.ModuleDict:
    """The networks of a program as people write them, with the same weights."""
    return nn.ModuleDict(
        {name: plain_network(graph, built[name]) for name, graph in program.networks.items()}
    )


def plain_network(graph: Graph, built: nn.Module) -> nn.Sequential:
    """A chain of blocks as an nn.Sequential of PyTorch's own modules."""
    return nn.Sequential(*(module for node in graph.blocks for module in plain_modules(node, built)))


def plain_modules(node: Node, built: nn.Module) -> Iterator[nn.Module]:
    """What one block is made of."""
    block = node.block
    if node.type == "upsample":
        yield Upsample(block.output_sizes, block.scale_factor)
        return
    ours = built.get_submodule(node.path)
    if node.type == "convolutional":
        sizes = (ours.in_channels, ours.out_channels, ours.kernel_size, ours.stride, ours.padding)
        yield with_weights(nn.Conv2d(*sizes, bias=ours.bias is not None), ours)
        if ours.batch_norm is not None:
            yield nn.BatchNorm2d(ours.out_channels, eps=ours.batch_norm.eps)
    elif node.type == "connected":
        yield with_weights(PerPixel(ours.in_features, ours.out_features), ours)
    else:
        yield ours  # a published network, which is the same in both
        return
    if block.activation in ACTIVATIONS:
        yield ACTIVATIONS[block.activation]()


def with_weights(module: nn.Module, source: nn.Module) -> nn.Module:
    """The module, with the parameters of another."""
    own = {key: value for key, value in source.state_dict().items() if "." not in key}
    module.load_state_dict(own)
    return module


# --- the step by hand


def plain_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """The penalty as the original writes it: one t per sample, lengths over channels."""
    t = torch.rand(real.shape[0], 1, 1, 1)
    point = (t * real.detach() + (1 - t) * fake.detach()).requires_grad_()
    score = critic(point)
    (gradient,) = torch.autograd.grad(score, point, torch.ones_like(score), create_graph=True)
    return ((gradient.norm(2, dim=1) - 1) ** 2).mean()


class PlainPenalty(nn.Module):
    """`plain_penalty` in the place of ours."""

    def forward(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """A scalar."""
        return plain_penalty(critic, real, fake)


@dataclass
class ByHand:
    """AUDetNet's step without a planner.

    `optimizers` are those of the image critic, the pair critic and the main networks, in this order.
    """

    networks: nn.ModuleDict
    optimizers: tuple[torch.optim.Optimizer, ...]
    penalty: Callable[[nn.Module, Tensor, Tensor], Tensor] = plain_penalty

    def __post_init__(self) -> None:
        self.encoder, self.predictor, self.decoder = (self.networks[name] for name in MAIN)
        self.pairs, self.images = self.networks["Discriminator"], self.networks["Image Discriminator"]

    def difference(self, critic: nn.Module, low: Tensor, high: Tensor) -> Tensor:
        """How much higher a critic judges the one than the other."""
        return critic(low).mean() - critic(high).mean()

    def image_loss(self, image: Tensor, fake: Tensor) -> Tensor:
        """Image critic: low on reconstructions."""
        penalty = self.penalty(self.images, image, fake)
        return self.difference(self.images, fake, image) + PENALTY * penalty

    def pair_loss(self, code: Tensor) -> Tensor:
        """Pair critic: low on codes of one image."""
        shuffled = torch.cat([code[:, :CODE_1], code[:, CODE_1:].roll(-1, 0)], 1)
        penalty = self.penalty(self.pairs, shuffled, code)
        return self.difference(self.pairs, code, shuffled) + PENALTY * penalty

    def main_loss(self, fields: Fields, code: Tensor, reconstruction: Tensor) -> Tensor:
        """The main networks, against both critics."""
        logits = self.predictor(code[:, :CODE_1]).flatten(1)
        detection = F.binary_cross_entropy_with_logits(logits, fields["labels"])
        error = F.l1_loss(reconstruction, fields["image"])
        pleased = self.images(reconstruction).mean() + self.pairs(code).mean()
        return detection + RECONSTRUCTION * error - PLEASE * pleased

    def update(self, number: int, loss: Tensor) -> None:
        """Clear, backward, step."""
        self.optimizers[number].zero_grad()
        loss.backward()
        self.optimizers[number].step()


class Original(ByHand):
    """The published order: every forward keeps its graph, every backward fills every gradient."""

    def __call__(self, fields: Fields, batch: int) -> None:
        """One batch."""
        code = self.encoder(fields["noisy_image"])
        reconstruction = self.decoder(code)
        self.update(0, self.image_loss(fields["image"], reconstruction.detach()))
        self.update(1, self.pair_loss(code.detach()))
        if (batch + 1) % EVERY == 0:
            self.update(2, self.main_loss(fields, code, reconstruction))


@dataclass
class Optimal(ByHand):
    """What a person would write who knows what we know: no graph without need, nothing in between."""

    half: Callable[[], AbstractContextManager[object]] = nullcontext

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parameters = [
            [weight for group in optimizer.param_groups for weight in group["params"]]
            for optimizer in self.optimizers
        ]

    def __call__(self, fields: Fields, batch: int) -> None:
        """One batch."""
        is_main = (batch + 1) % EVERY == 0
        with torch.set_grad_enabled(is_main), self.half():
            code = self.encoder(fields["noisy_image"])
            reconstruction = self.decoder(code)
        code, reconstruction = code.float(), reconstruction.float()
        with self.half():
            self.update(0, self.image_loss(fields["image"], reconstruction.detach()))
            self.update(1, self.pair_loss(code.detach()))
        if is_main:
            critics = [weight for group in self.parameters[:2] for weight in group]
            for weight in critics:
                weight.requires_grad_(False)
            with self.half():
                self.update(2, self.main_loss(fields, code, reconstruction))
            for weight in critics:
                weight.requires_grad_(True)

    def difference(self, critic: nn.Module, low: Tensor, high: Tensor) -> Tensor:
        """In one pass."""
        first, second = critic(torch.cat([low, high])).float().chunk(2)
        return first.mean() - second.mean()

    def update(self, number: int, loss: Tensor) -> None:
        """Only the gradients of the networks that step."""
        if not torch.isfinite(loss):
            raise ValueError(loss)
        self.optimizers[number].zero_grad()
        loss.backward(inputs=self.parameters[number])
        self.optimizers[number].step()


# --- variants


def built(program: Program) -> nn.ModuleDict:
    """The networks, the same weights each time."""
    torch.manual_seed(0)
    return netcfg.build(program).train()


def adams(networks: nn.ModuleDict, **options: bool) -> tuple[torch.optim.Optimizer, ...]:
    """One Adam for each of the three phases."""
    groups: list[list[str]] = [["Image Discriminator"], ["Discriminator"], list(MAIN)]
    return tuple(
        torch.optim.Adam(
            [w for name in names for w in networks[name].parameters() if w.requires_grad],
            lr=1e-4,
            betas=(0.5, 0.999),
            **options,
        )
        for names in groups
    )


def original(program: Program) -> TrainingStep:
    """The original: plain modules, plain Adam, contiguous."""
    networks = plain(program, built(program))
    return Original(networks, adams(networks))


def ours(program: Program, precision: str = "f32") -> TrainingStep:
    """The trainer's step."""
    training = program.training.model_copy(update={"precision": precision})
    program = replace(program, training=training)
    networks = built(program)
    set_training(program, networks, True)
    for network in networks.values():
        use_channels_last(network)
    return Phases(program, networks, torch.device("cpu")).step


def optimal(program: Program, precision: str = "f32") -> TrainingStep:
    """Our kernels, layout and updates in the loop above."""
    networks = built(program)
    for network in networks.values():
        use_channels_last(network)

    def half() -> AbstractContextManager[object]:
        return nullcontext() if precision == "f32" else torch.autocast("cpu", torch.bfloat16)

    return Optimal(networks, adams(networks, fused=True), losses.GradientPenalty("channel"), half)


def planned_plain(program: Program) -> TrainingStep:
    """The planner alone: the original's kernels, layout, penalty and Adam in our order."""
    networks = plain(program, built(program))
    phases = Phases(program, networks, torch.device("cpu"))
    for stepper, optimizer in zip(phases.steppers.values(), adams(networks), strict=True):
        stepper.optimizer = optimizer
    for name in ("image_penalty", "pair_penalty"):
        phases.losses.modules[name] = PlainPenalty()
    return phases.step


def batches(layout: torch.memory_format) -> list[Fields]:
    """Five random batches."""
    torch.manual_seed(1)
    return [
        {
            "image": (torch.rand(BATCH, 3, SIDE, SIDE) * 2 - 1).to(memory_format=layout),
            "noisy_image": (torch.rand(BATCH, 3, SIDE, SIDE) * 2 - 1).to(memory_format=layout),
            "labels": torch.randint(0, 2, (BATCH, UNITS)).float(),
        }
        for _ in range(EVERY)
    ]


PLAIN, LAST = torch.contiguous_format, torch.channels_last
VARIANTS: dict[str, tuple[Callable[[Program], TrainingStep], torch.memory_format]] = {
    "original": (original, PLAIN),
    "planner alone": (planned_plain, PLAIN),
    "ours, f32": (ours, LAST),
    "by hand, f32": (optimal, LAST),
    "ours, bf16": (lambda program: ours(program, "bf16"), LAST),
    "by hand, bf16": (lambda program: optimal(program, "bf16"), LAST),
}


# --- measuring


def seconds(step: TrainingStep, fields: list[Fields]) -> list[float]:
    """The time of each batch."""
    times = []
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    gc.collect()
    for batch, values in enumerate(fields):
        start = clock()
        step(values, batch)
        times.append(clock() - start)
    return times


def timed(program: Program, rounds: int) -> dict[str, list[list[float]]]:
    """The times of all variants, by round and batch. Each round begins with another variant."""
    steps = {name: (make(program), batches(layout)) for name, (make, layout) in VARIANTS.items()}
    for step, fields in steps.values():
        seconds(step, fields)
    times: dict[str, list[list[float]]] = {name: [] for name in steps}
    names = list(steps)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            times[name].append(seconds(*steps[name]))
    return times


def ratio(times: dict[str, list[list[float]]], slow: str, fast: str) -> float:
    """The median over rounds of how many times as fast the second is."""
    return median(sum(one) / sum(other) for one, other in zip(times[slow], times[fast], strict=True))


def peak(program: Program, name: str) -> tuple[float, float]:
    """How far a critics' batch and a main batch rise above what lies in memory between batches, in MB.

    Every allocation and release is counted, by PyTorch's profiler.
    """
    make, layout = VARIANTS[name]
    step, fields = make(program), batches(layout)
    seconds(step, fields)
    return peak_of(step, fields[0], 0), peak_of(step, fields[-1], EVERY - 1)


def peak_of(step: TrainingStep, fields: Fields, batch: int) -> float:
    """The highest sum of allocations during one batch, in MB."""
    gc.collect()
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profiler:
        step(fields, batch)
    changes = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes.sort(key=lambda event: event.start_ns())
    level = highest = 0
    for event in changes:
        level += event.nbytes()
        highest = max(highest, level)
    return highest / 1e6


def report(file: Path, rounds: int) -> None:
    """Print all figures of a file."""
    program = netcfg.load(file)
    print(file.name, flush=True)
    times = timed(program, rounds)
    for name, rows in times.items():
        critics = median(value for row in rows for value in row[:-1])
        main = median(row[-1] for row in rows)
        mean = median(sum(row) / EVERY for row in rows)
        print(f"  {name:14} critics {critics * 1e3:5.0f} ms, main {main * 1e3:5.0f}, mean {mean * 1e3:5.0f}")
    for fast, goal in (("ours, f32", 1.4), ("ours, bf16", 2.0), ("planner alone", 1.0)):
        print(f"  {fast}: {ratio(times, 'original', fast):.2f} times as fast as the original (goal {goal})")
    for precision in ("f32", "bf16"):
        over = ratio(times, f"ours, {precision}", f"by hand, {precision}") - 1
        print(
            f"  the planner's overhead in {precision}: {100 * over:+.1f} % (goal: less than 2 %)", flush=True
        )
    first = peak(program, "original")
    for name in ("planner alone", "ours, f32", "ours, bf16"):
        critics, main = peak(program, name)
        print(
            f"  memory, {name}: critics {critics:.0f} MB, 1/{first[0] / critics:.2f} of the original's "
            f"{first[0]:.0f}; main {main:.0f}, 1/{first[1] / main:.2f} of {first[1]:.0f}",
            flush=True,
        )


def main() -> None:
    """Both shipped files, or the one given."""
    files = [Path(sys.argv[1])] if len(sys.argv) > 1 else []
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    for file in files or [shipped_folder() / "audetnet.cfg", shipped_folder() / "audetnet_resnet50.cfg"]:
        report(file, rounds)


if __name__ == "__main__":
    main()
