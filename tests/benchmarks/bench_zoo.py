"""The zoo's ViT-B/16 and ResNet-50 against torchvision's: forward, a training step, and the trainer's way of training.

    python tests/benchmarks/bench_zoo.py [--batch 2] [--rounds 7] [--precision f32 bf16]

Both have the same weights and take the same batch in turn; the processor's time of one thread counts, so that others on
the machine do not. `same` is torchvision's module against a second one of its own: how far ratios stray by chance.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from statistics import median

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import netcfg
from netcfg.passes.inline import inlined
from netcfg.passes.read import shipped_folder
from netcfg.program import Program
from netcfg.trainers.machine.allocation import keep_freed_memory
from netcfg.trainers.machine.devices import use_channels_last
from netcfg.trainers.step.phases import Phases

NAMES = ("resnet50", "vit_b_16")
MOST, LEAST = 1.02, 1.15
TRAINING = """
{Data}
[synthetic_faces]
image_size = 224
emotions = 8
{Loss}
[cross_entropy]
input = ResNet
target = emotion
{Optimizer}
[sgd]
networks = ResNet
minimise = cross_entropy
learning_rate = 0.01
momentum = 0.9
"""
Work = Callable[[], object]


def seconds(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ratios(first: Work, others: Sequence[Work], rounds: int) -> list[float]:
    """How long each of the others takes, the first being 1: the medians of interleaved rounds."""
    works = [first, *others]
    taken: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for index in range(len(works)):
            place = (index + number) % len(works)
            taken[place].append(seconds(works[place]))
    base = taken[0][1:]
    return [median(a / b for a, b in zip(other[1:], base, strict=True)) for other in taken[1:]]


def with_precision(precision: str, work: Work) -> Work:
    """The same under autocast, where asked."""

    def run() -> object:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            return work()

    return run


def forward(module: nn.Module, batch: Tensor) -> Work:
    def run() -> object:
        with torch.no_grad():
            return module(batch)

    return run


def step(module: nn.Module, batch: Tensor) -> Work:
    def run() -> None:
        module(batch).float().square().mean().backward()
        module.zero_grad(set_to_none=True)

    return run


def compare(name: str, batch_size: int, rounds: int, precision: str) -> None:
    """A line: ours against theirs."""
    theirs, same = (torchvision.models.get_model(name, weights=None) for _ in range(2))
    (mine,) = netcfg.build(netcfg.load(shipped_folder() / "zoo" / f"{name}.cfg")).values()
    for module in (mine, same):
        module.load_state_dict(theirs.state_dict())
    batch = torch.randn(batch_size, 3, 224, 224)
    lines = []
    for what, make in (("forward", forward), ("training step", step)):
        for module in (mine, theirs, same):
            module.train(make is step)
        works = [with_precision(precision, make(module, batch)) for module in (theirs, mine, same)]
        ratio, chance = ratios(works[0], works[1:], rounds)
        lines.append(f"{what} {ratio:.3f} (same {chance:.3f})")
    print(f"{name}, {precision}: {', '.join(lines)}; goal at most {MOST}", flush=True)


def program_of(classes: int = 8) -> Program:
    """ResNet-50 with data, a loss and an optimizer."""
    return netcfg.load(inlined(shipped_folder() / "zoo" / "resnet50.cfg") + TRAINING, classes=classes)


def ours(batch_size: int) -> Work:
    """A step of the trainer's."""
    keep_freed_memory()
    program = program_of()
    networks = netcfg.build(program).train()
    for network in networks.values():
        use_channels_last(network)
    phases = Phases(program, networks, torch.device("cpu"))
    images, classes = random_batch(batch_size)
    fields = {"image": images.contiguous(memory_format=torch.channels_last), "emotion": classes}
    return lambda: phases.step(fields, 0)


def by_hand(batch_size: int) -> Work:
    """A step as one would write it at first, on torchvision's module."""
    module = torchvision.models.resnet50(num_classes=8).train()
    optimizer = torch.optim.SGD(module.parameters(), 0.01, momentum=0.9)
    images, classes = random_batch(batch_size)

    def run() -> None:
        optimizer.zero_grad()
        cross_entropy(module(images), classes).backward()
        optimizer.step()

    return run


def random_batch(size: int) -> tuple[Tensor, Tensor]:
    return torch.rand(size, 3, 224, 224), torch.randint(0, 8, (size,))


def work(connection: Connection, make: Callable[[int], Work], batch_size: int) -> None:
    """Take a step whenever asked, and tell how long it took."""
    torch.set_num_threads(1)
    taken = make(batch_size)
    while connection.recv():
        connection.send(seconds(taken))


def training(batch_size: int, rounds: int) -> None:
    """Both steps, in a process each, as a training has: what is done to a process does the other no good."""
    context = multiprocessing.get_context("spawn")
    ways = []
    for make in (by_hand, ours):
        here, there = context.Pipe()
        context.Process(target=work, args=(there, make, batch_size), daemon=True).start()
        ways.append(here)

    def take(connection: Connection) -> float:
        connection.send(True)
        return float(connection.recv())

    pairs = [(take(ways[0]), take(ways[1])) for _ in range(rounds + 1)][1:]
    ratio = median(plain / quick for plain, quick in pairs)
    print(f"ResNet-50, batch {batch_size}, f32: {ratio:.2f} times as fast as by hand; goal at least {LEAST}")
    for connection in ways:
        connection.send(False)


def main() -> None:
    """A line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=list(NAMES))
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", nargs="*", default=["f32", "bf16"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(0)
    for name in options.networks:
        for precision in options.precision:
            compare(name, options.batch, options.rounds, precision)
    training(8, options.rounds)


if __name__ == "__main__":
    main()
