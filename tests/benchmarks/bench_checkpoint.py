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


def main() -> None:
    """Print a line for each network."""
    pictures = torch.rand(BATCH, 3, SIDE, SIDE)
    for name in FILES:
        figures = {}
        for checkpoint in (False, True):
            built, said = network(name, checkpoint)
            work = step(built.train(), pictures)
            times = [seconds(work) for _ in range(ROUNDS)]
            figures[checkpoint] = peak(work), 4 * BATCH * said / 1e6, median(times)
        (before, said, took), (after, less, longer) = figures[False], figures[True]
        print(
            f"{name}, batch {BATCH}: {before:.0f} MB without ({said:.0f} said), {after:.0f} MB with ({less:.0f} said), "
            f"1/{before / after:.2f}; time ×{longer / took:.2f}"
        )


if __name__ == "__main__":
    main()
