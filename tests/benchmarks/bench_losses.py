"""What losses cost beside a step of ResNet-18, and figures beside an evaluation with it, in seconds of one processor:
the least of several tries.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.auc import Auc
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.iou import Iou
from netcfg.blocks.metrics.judgement import Case
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
    figures(network, images)


def figures(network: nn.Module, images: Tensor) -> None:
    """Print an evaluation of some samples, then each figure of as many with its share of it."""
    network.eval()
    samples = 256
    many = torch.randn(samples, 12)
    scores, chosen = torch.randn(samples, 7), torch.randint(7, (samples,))
    labels = (many > 0.5).float()
    maps = torch.randn(BATCH, CLASSES, SIDE, SIDE), torch.randint(CLASSES, (BATCH, SIDE, SIDE))
    pair: dict[str, Any] = {"input": "Net", "target": "labels"}
    with torch.inference_mode():
        one = least(lambda: void(network(images)), 4) / BATCH
        print(f"an evaluation by ResNet-18: {1e3 * one:.1f} ms a sample")
        rows: list[tuple[str, Metric, Case]] = [
            ("accuracy of 7 classes", Accuracy(**pair), Case(scores, chosen, tuple("abcdefg"))),
            ("f1 of 7 classes", F1(**pair), Case(scores, chosen, tuple("abcdefg"))),
            ("f1 of 12 labels", F1(**pair), Case(many, labels, tuple("abcdefghijkl"))),
            ("auc of 12 labels", Auc(**pair), Case(many, labels, tuple("abcdefghijkl"))),
            ("iou of maps", Iou(**pair), Case(*maps, tuple("abcdefgh"))),
        ]
        for name, metric, case in rows:
            seconds = least(lambda metric=metric, case=case: void(metric.judge(case)), 7)
            share = seconds / len(case.scores) / one
            print(f"{name}: {1e3 * seconds / len(case.scores):.3f} ms a sample, {100 * share:.2f} % of it")


def void(made: object) -> None:
    """Forget what was made."""


if __name__ == "__main__":
    main()
