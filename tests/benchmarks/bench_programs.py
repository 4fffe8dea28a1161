"""Programs of many parts against the same loops by hand: moving average, queue, gradient, turns of a generation.

    python tests/benchmarks/bench_programs.py [--rounds 21]

Both ways take their batches in turn, in one process and one thread; the median of the rounds' ratios counts.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.trainers.prediction.generation import Generator
from netcfg.trainers.step.phases import Phases, set_training

Way = Callable[[], object]
LAYER = "[convolutional]\nfilters = 48\nkernel_size = 3\npad = 1\nactivation = relu\nstride = "
CODER = (
    f"[net]\nchannels = 3\nheight = 32\nwidth = 32\n{LAYER}1\n{LAYER}2\n{LAYER}1\n"
    "[global_avgpool]\n[connected]\noutput_features = 128\n[l2_norm]\n"
)
MOCO = (
    "{Data}\n[synthetic_faces]\nimage_size = 32\nfields = image\n{Query}\n"
    + CODER
    + "{Key}\n[net]\nsame_as = Query\n"
    """{Model}
[Query]
name = query
from = image
[Key]
name = key
from = image
[queue]
name = bank
from = key
size = SIZE
[similarity]
name = unlike
from = query, bank
[formula]
name = missed
value = log(exp(sum(query * key)) + sum(exp(unlike))) - sum(query * key)
{Loss}
[mean]
name = found
input = missed
{Optimizer}
[moving_average]
networks = Key
of = Query
momentum = 0.99
[sgd]
networks = Query
minimise = found
"""
)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    planned, by_hand = _moco(1024)
    print(f"MoCo's step against a loop by hand: {_ratio(planned, by_hand, rounds):.3f} (goal 1.02)")
    large, _ = _moco(65_536)
    small, _ = _moco(16)
    print(f"a queue of 65,536 rows against one of 16: {_ratio(large, small, rounds):.3f}, products included")
    print(f"what is read and written of it alone: {_queue_share(large, rounds):.3f} of the step (goal 0.05)")
    made, loop = _generation()
    print(f"100 turns against a loop by hand: {_ratio(made, loop, max(3, rounds // 2)):.3f} (goal 1.02)")


def _ratio(one: Way, other: Way, rounds: int) -> float:
    one(), other()
    ratios = []
    for _ in range(rounds):
        times = []
        for way in (one, other):
            start = time.process_time()
            way()
            times.append(time.process_time() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios)


def _moco(size: int) -> tuple[Way, Way]:
    program = netcfg.load(MOCO.replace("SIZE", str(size)))
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    phases = Phases(program, networks, torch.device("cpu"))
    image = torch.rand(32, 3, 32, 32)
    query, key = copy.deepcopy(networks["Query"]), copy.deepcopy(networks["Key"])
    optimizer = torch.optim.SGD(query.parameters(), lr=1e-3)
    rows = functional.normalize(torch.randn(size, 128), dim=1)
    place = 0

    def by_hand() -> None:
        nonlocal place
        with torch.no_grad():
            for own, other in zip(key.parameters(), query.parameters(), strict=True):
                own.mul_(0.99).add_(other, alpha=0.01)
            known = key(image)
        asked = query(image)
        alike = (asked * known).sum(1)
        loss = (torch.log(torch.exp(alike) + torch.exp(functional.linear(asked, rows)).sum(1)) - alike).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        places = (place + torch.arange(len(known))) % size
        rows[places] = known
        place = (place + len(known)) % size

    return lambda: phases.step({"image": image}, 0), by_hand


def _queue_share(step: Way, rounds: int) -> float:
    """The time of a read and a write of the large queue as a part of a step with it."""
    from netcfg.builder.modules.memory import Queue

    queue, keys = Queue(65_536, (128,)), torch.randn(32, 128)
    queue.is_kept = True

    def turn() -> None:
        queue.begin()
        queue(keys)
        queue.end()

    return _ratio(turn, step, rounds)


def _generation() -> tuple[Way, Way]:
    program = netcfg.load(shipped_folder() / "zoo/ddpm.cfg", preset="demo")
    torch.manual_seed(0)
    networks = netcfg.build(program).eval()
    generator = Generator(program, networks, torch.device("cpu"))
    denoiser: nn.Module = networks["Denoiser"]

    def left(time: Tensor) -> Tensor:
        start = torch.cos(torch.tensor(0.008 / 1.008 * torch.pi / 2)) ** 2
        return (torch.cos((time + 0.008) / 1.008 * torch.pi / 2) ** 2 / start).view(-1, 1, 1, 1)

    def by_hand() -> None:
        with torch.inference_mode():
            x = torch.randn(16, 3, 16, 16)
            for turn in range(100):
                now, then = torch.full((16,), (100 - turn) / 100), torch.full((16,), (99 - turn) / 100)
                kept, kept_then = left(now), left(then)
                guess = denoiser(x, now)
                image = ((x - torch.sqrt(1 - kept) * guess) / torch.sqrt(kept)).clamp(-1, 1)
                beta = (1 - kept / kept_then).clamp(max=0.999)
                mean = torch.sqrt(kept_then) * beta * image + torch.sqrt(1 - beta) * (1 - kept_then) * x
                noise = torch.randn_like(x)
                x = mean / (1 - kept) + torch.sqrt(beta * (1 - kept_then) / (1 - kept)) * noise

    return lambda: generator.samples(range(16)), by_hand


if __name__ == "__main__":
    main()
