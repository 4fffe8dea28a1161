"""What losses cost beside a step of ResNet-18, in seconds of one processor: the least of several tries."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from netcfg.builder.modules.losses.classes import CrossEntropy
from netcfg.builder.modules.losses.counted import Counted
from netcfg.builder.modules.losses.learned import ArcFace, Uncertainty
from netcfg.builder.modules.losses.regions import Tversky

BATCH, SIDE, CLASSES = 8, 112, 8


def least(work: Callable[[], None], tries: int) -> float:
    """Of the processor's time, in seconds, after one try that counts for nothing."""
    work()
    found = []
    for _ in range(tries):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    """Print the step, then each loss with its share of it."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = torchvision.models.resnet18()
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    images = torch.randn(BATCH, 3, SIDE, SIDE)

    def step() -> None:
        optimizer.zero_grad()
        network(images).square().mean().backward()
        optimizer.step()

    whole = least(step, 4)
    print(f"a step of ResNet-18, {BATCH} pictures of {SIDE}x{SIDE}: {1e3 * whole:.0f} ms")
    maps = (
        torch.randn(BATCH, CLASSES, SIDE, SIDE, requires_grad=True),
        torch.randint(CLASSES, (BATCH, SIDE, SIDE)),
    )
    vectors = torch.randn(BATCH, 512, requires_grad=True), torch.randint(1000, (BATCH,))
    rows: list[tuple[str, nn.Module, tuple[Tensor, Tensor]]] = [
        ("cross_entropy of a map", CrossEntropy(), maps),
        ("dice of a map", Tversky(0.5, 0.5), maps),
        ("arcface, 1000 classes", ArcFace(1000, 512, 0.5, 64.0, "angle"), vectors),
        (
            "uncertainty of two",
            Uncertainty(("a", "b"), 0.0),
            (torch.rand(2, requires_grad=True), torch.ones(2)),
        ),
    ]
    for name, module, given in rows:

        def once(module: nn.Module = module, given: tuple[Tensor, Tensor] = given) -> None:
            made = module(*given)
            (made.mean() if isinstance(made, Counted) else made).backward()

        seconds = least(once, 15)
        print(f"{name}: {1e3 * seconds:.2f} ms, {100 * seconds / whole:.2f} % of a step")


if __name__ == "__main__":
    main()
