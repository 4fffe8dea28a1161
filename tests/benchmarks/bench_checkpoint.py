"""One training step with `checkpoint` and without: the most memory above the weights, and time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

import netcfg
from netcfg.builder.network import Network, build_network
from netcfg.passes.held import kept_in_training
from netcfg.passes.read import shipped_folder
from netcfg.trainers.step.model import Model

sys.path.insert(0, str(Path(__file__).parent))
from bench_network import seconds  # noqa: E402

ROUNDS = 5
BATCH, SIDE = 8, 128
FILES = ("resnet18", "resnet50", "vgg11_bn")


def network(name: str, checkpoint: bool) -> tuple[Network, int]:
    """A network of the zoo, and the numbers that it says it holds at most for a sample."""
    program = netcfg.load(shipped_folder() / "zoo" / f"{name}.cfg", image_size=SIDE)
    graph = next(iter(program.networks.values()))
    graph = replace(graph, options=graph.options.model_copy(update={"checkpoint": checkpoint}))
    at_most = kept_in_training(graph).at_most
    assert isinstance(at_most, int)
    torch.manual_seed(0)
    return build_network(graph), at_most


def step(built: Network, pictures: torch.Tensor) -> Callable[[], None]:
    def work() -> None:
        built.zero_grad(set_to_none=False)  # they lie there before the step, and after it
        built(pictures).square().mean().backward()

    return work


def peak(work: Callable[[], None]) -> float:
    """How far memory rises in a step above what lies there before it, in MB; gradients lie there already."""
    work()
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profiler:
        work()
    now = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most / 1e6


FGNET = dict(image_size=128, size=128, map_size=64, style=256, encoder_width=32, widest=256)
FGNET_BATCH = 4


def fgnet_step(checkpoint: bool) -> tuple[Callable[[], None], float]:
    """A step of FG-Net's three networks at an eighth of its sides, and what they say they hold at most, in MB."""
    program = netcfg.load(shipped_folder() / "fgnet.cfg", checkpoint=checkpoint, **FGNET)
    torch.manual_seed(0)
    networks = netcfg.build(program).train()
    model = Model(program, networks)
    kept = [kept_in_training(graph) for graph in program.networks.values()]
    said = sum(int(str(one.held)) for one in kept) + max(int(str(one.again)) for one in kept)
    fields = {"image": torch.rand(FGNET_BATCH, 3, FGNET["image_size"], FGNET["image_size"])}

    def work() -> None:
        networks.zero_grad(set_to_none=False)
        model.signals(fields, ["maps"])["maps"].square().mean().backward()

    return work, 4 * FGNET_BATCH * said / 1e6


def report(
    name: str, batch: int, made: Callable[[bool], tuple[Callable[[], None], float]], rounds: int
) -> None:
    """Print a line."""
    figures = {}
    for checkpoint in (False, True):
        work, said = made(checkpoint)
        times = [seconds(work) for _ in range(rounds)]
        figures[checkpoint] = peak(work), said, median(times)
    (before, said, took), (after, less, longer) = figures[False], figures[True]
    print(
        f"{name}, batch {batch}: {before:.0f} MB without ({said:.0f} said), {after:.0f} MB with ({less:.0f} said), "
        f"1/{before / after:.2f}; time ×{longer / took:.2f}",
        flush=True,
    )


def main() -> None:
    """Print a line for each network."""
    pictures = torch.rand(BATCH, 3, SIDE, SIDE)
    for name in FILES:

        def made(checkpoint: bool, name: str = name) -> tuple[Callable[[], None], float]:
            built, said = network(name, checkpoint)
            return step(built.train(), pictures), 4 * BATCH * said / 1e6

        report(name, BATCH, made, ROUNDS)
    report("fgnet, an eighth of its sides", FGNET_BATCH, fgnet_step, 2)


if __name__ == "__main__":
    main()
